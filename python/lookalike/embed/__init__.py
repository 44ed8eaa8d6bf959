"""From pictures to vectors. Needs ``pip install 'lookalike[images]'``."""

from __future__ import annotations

from .embedder import Embedder
from .images import ImageEmbedder
from .model_card import ModelCard
from .opening import open_embedder
from .pixels import PixelEmbedder
from .text_image import TextImageEmbedder

__all__ = ["Embedder", "ImageEmbedder", "ModelCard", "PixelEmbedder", "TextImageEmbedder", "open_embedder"]

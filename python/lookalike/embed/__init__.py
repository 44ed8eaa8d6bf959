"""From pictures to vectors. Needs ``pip install 'lookalike[images]'``."""

from __future__ import annotations

from .embedder import Embedder
from .images import ImageEmbedder
from .pixels import PixelEmbedder

__all__ = ["Embedder", "ImageEmbedder", "PixelEmbedder"]

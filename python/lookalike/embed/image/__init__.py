"""Images to vectors: decoding, preparation, the card and the graph of an image model."""

from __future__ import annotations

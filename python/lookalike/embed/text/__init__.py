"""Text and images to vectors of one space: tokenizer, text tower, image tower or head, and their card."""

from __future__ import annotations

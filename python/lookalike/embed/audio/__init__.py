"""Sounds to vectors: decoding, windows, spectrograms, the card and the graphs of an audio model."""

from __future__ import annotations

"""Labelled images: reading, splitting, batching and augmenting them."""

from __future__ import annotations

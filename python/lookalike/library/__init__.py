"""A folder of photos kept in step with an index: sync, search, duplicates."""

from __future__ import annotations

from .hits import PhotoHit, PhotoHits
from .library import DEFAULT_MODEL, Library
from .report import SyncReport

__all__ = ["DEFAULT_MODEL", "Library", "PhotoHit", "PhotoHits", "SyncReport"]

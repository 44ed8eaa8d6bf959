"""A folder of photos or sounds kept in step with an index: sync, search, duplicates."""

from __future__ import annotations

from .hit import PhotoHit
from .hits import PhotoHits
from .library import AUTO, DEFAULT_AUDIO_MODEL, DEFAULT_MODEL, Library
from .report import SyncReport

__all__ = ["AUTO", "DEFAULT_AUDIO_MODEL", "DEFAULT_MODEL", "Library", "PhotoHit", "PhotoHits", "SyncReport"]

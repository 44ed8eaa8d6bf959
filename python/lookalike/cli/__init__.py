"""The command line: `lookalike sync DIR`, `lookalike search QUERY DIR` and the rest."""

from __future__ import annotations

from .app import main

__all__ = ["main"]

"""Where modules went that pickles of version 0.1.0 name, so that these still load."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

_MOVED = {
    "lookalike.files": "lookalike.index.files",
    "lookalike.health": "lookalike.index.health",
    "lookalike.hits": "lookalike.index.hits",
    "lookalike.kmeans": "lookalike.index.kmeans",
    "lookalike.embed.collect": "lookalike.embed.embedder",
    "lookalike.embed.images": "lookalike.embed.image.embedder",
    "lookalike.embed.model_card": "lookalike.embed.image.card",
    "lookalike.embed.pixels": "lookalike.embed.image.pixels",
    "lookalike.embed.preparation": "lookalike.embed.image.preparation",
    "lookalike.embed.sounds": "lookalike.embed.audio.embedder",
    "lookalike.embed.text_image": "lookalike.embed.text.embedder",
    "lookalike.embed.windows": "lookalike.embed.audio.windows",
    "lookalike.train.examples": "lookalike.train.data.examples",
    "lookalike.train.report": "lookalike.train.output.report",
    "lookalike.train.scores": "lookalike.train.loop.scores",
}


class MovedModules:
    """Finds a module by its old name. It stands last in `sys.meta_path`, so only unknown names reach it."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return how to load a module that moved, None for any other."""
        return ModuleSpec(name, MovedModules) if name in _MOVED else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """Let the import system make an empty module, which `exec_module` replaces."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Put the module under its new name in place of the empty one."""
        sys.modules[module.__name__] = import_module(_MOVED[module.__name__])

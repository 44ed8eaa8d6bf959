"""Find what looks alike: exact nearest-neighbour search, and the way from pictures to neighbours.

>>> import lookalike as la
>>> index = la.Flat(metric="l2")
>>> index.add([[0, 0], [3, 4]], ids=["near", "far"])
>>> ids, distances = index.search([1, 0], k=1)
>>> ids
array(['near'], dtype=object)
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from . import evaluate
from ._core import __version__
from ._moved import MovedModules
from .errors import (
    AudioError,
    Cancelled,
    CorruptFile,
    DimensionMismatch,
    Error,
    ImageError,
    InvalidArgument,
    IoError,
    MissingFile,
    ModelError,
    UnknownId,
    Unsupported,
)
from .index import HNSW, IVF, Check, Flat, Hits, KMeans, RangeHits, load
from .system import Info, info

if TYPE_CHECKING:
    from .embed import AudioEmbedder, ImageEmbedder, ModelCard, PixelEmbedder, TextImageEmbedder
    from .library import Library

# Imported at first use, so that searching vectors does not load an image decoder.
_LATER = {
    "AudioEmbedder": "embed",
    "ImageEmbedder": "embed",
    "ModelCard": "embed",
    "PixelEmbedder": "embed",
    "TextImageEmbedder": "embed",
    "Library": "library",
}

__all__ = [
    "HNSW",
    "IVF",
    "AudioEmbedder",
    "AudioError",
    "Cancelled",
    "Check",
    "CorruptFile",
    "DimensionMismatch",
    "Error",
    "Flat",
    "Hits",
    "ImageEmbedder",
    "ImageError",
    "Info",
    "InvalidArgument",
    "IoError",
    "KMeans",
    "Library",
    "MissingFile",
    "ModelCard",
    "ModelError",
    "PixelEmbedder",
    "RangeHits",
    "TextImageEmbedder",
    "UnknownId",
    "Unsupported",
    "__version__",
    "evaluate",
    "info",
    "load",
]


sys.meta_path.append(MovedModules)


def _is_installed(name: str) -> bool:
    try:
        return name in sys.modules or find_spec(name) is not None
    except ImportError:  # a custom finder raised it
        return False


# `from lookalike import *` and `help` ask for all names there are: without the images extra, not for these.
if not all(map(_is_installed, ("onnxruntime", "PIL"))):
    __all__ = [name for name in __all__ if name not in _LATER]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'lookalike' has no attribute {name!r}")
    from importlib import import_module

    try:
        globals()[name] = getattr(import_module(f"lookalike.{_LATER[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("lookalike"):
            raise
        message = f"lookalike.{name} needs {error.name}: pip install 'lookalike[images]'"
        raise ImportError(message, name=error.name) from error
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

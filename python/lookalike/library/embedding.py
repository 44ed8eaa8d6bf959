"""Embeds the files of a folder into what the catalogue stores."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from ..embed.kinds import KINDS, Files
from .catalogue import Vectors

if TYPE_CHECKING:
    from ..embed.protocols import Embedder, WindowEmbedder


def files_of(embedder: Embedder) -> Files:
    """Return which files an embedder takes: images, unless it says otherwise."""
    return KINDS.get(getattr(embedder, "kind", "image"), KINDS["image"]).files


def vectors_stream(
    embedder: Embedder, paths: Iterator[Path]
) -> Generator[tuple[int, Vectors | Exception], None, None]:
    """Yield the result for each file: a vector for each window where it has any, else its one vector."""
    if hasattr(embedder, "windows_stream"):
        for index, windows in cast("WindowEmbedder", embedder).windows_stream(paths):
            if isinstance(windows, Exception):
                yield index, windows
            else:
                yield index, Vectors(windows.vectors, np.stack([windows.starts, windows.ends], axis=1))
        return
    for index, vector in embedder.embed_stream(paths):
        yield index, vector if isinstance(vector, Exception) else Vectors(vector[None])


def usable(made: Vectors) -> Vectors | None:
    """Leave out windows that no cosine can be taken of; None where nothing is left."""
    good = np.isfinite(made.vectors).all(axis=1) & made.vectors.any(axis=1)
    if good.all():
        return made
    return Vectors(made.vectors[good], made.times[good]) if made.times is not None and good.any() else None

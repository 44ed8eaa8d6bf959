"""What becomes of a folder's files in an embedder, as the catalogue keeps it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from .catalogue import Vectors

if TYPE_CHECKING:
    from ..embed.embedder import Embedder, WindowEmbedder


def kind_of(embedder: Embedder) -> Literal["image", "audio"]:
    """Return what an embedder takes: images, unless it says otherwise."""
    return "audio" if getattr(embedder, "kind", "image") == "audio" else "image"


def vectors_stream(
    embedder: Embedder, paths: Iterator[Path]
) -> Generator[tuple[int, Vectors | Exception], None, None]:
    """Yield what becomes of each file: a vector for each window where it has any, else its one vector."""
    if kind_of(embedder) == "audio":
        for index, windows in cast("WindowEmbedder", embedder).windows_stream(paths):
            if isinstance(windows, Exception):
                yield index, windows
            else:
                yield index, Vectors(windows.vectors, np.stack([windows.starts, windows.ends], axis=1))
        return
    for index, vector in embedder.embed_stream(paths):
        yield index, vector if isinstance(vector, Exception) else Vectors(vector[None])


def query_vectors(embedder: Embedder, query: Any) -> NDArray[np.float32]:
    """Embed a query: float32 (n, dim), a vector for each window of a sound, one of anything else."""
    if kind_of(embedder) == "audio":
        return cast("WindowEmbedder", embedder).embed_windows(query).vectors
    return embedder.embed([query])


def usable(made: Vectors) -> Vectors | None:
    """Leave out windows that no cosine can be taken of; None where nothing is left."""
    good = np.isfinite(made.vectors).all(axis=1) & made.vectors.any(axis=1)
    if good.all():
        return made
    return Vectors(made.vectors[good], made.times[good]) if made.times is not None and good.any() else None

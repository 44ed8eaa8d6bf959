"""A query: whether it is words or a file, and its vectors, stored or embedded now."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from .._checks import must_be
from .catalogue import Catalogue
from .scan import Stamp, is_media

if TYPE_CHECKING:
    from ..embed.protocols import Embedder, WindowEmbedder


class Words(str):
    """A query that is words, not the path of a photo.

    >>> from lookalike.library.query import Words
    >>> Words("red apple")
    'red apple'
    """


def as_words(query: Any) -> Words | None:
    """Return a query as words; None where it is a photo, or should be one.

    A str is words where it names no file, unless it has a photo's or sound's suffix or a separator of paths:
    then it is a path with a mistake in it. Raises InvalidArgument where it is blank.

    >>> from lookalike.library.query import as_words
    >>> as_words("red apple"), as_words("red-aple.jpg"), as_words("photos/apple")
    ('red apple', None, None)
    """
    if isinstance(query, Words) or not isinstance(query, str):
        return query if isinstance(query, Words) else None
    if not query.strip():
        raise must_be("query", query, "a photo or words")
    is_path = os.path.isfile(query) or is_media(query)  # noqa: PTH113 (never raises)
    return None if is_path or any(mark in query for mark in (os.sep, os.altsep) if mark) else Words(query)


def stored_vectors(catalogue: Catalogue, folder: Path, query: Any) -> NDArray[np.float32] | None:
    """Return the vectors, (n, dim), of a query that is a file of this folder, unchanged since its sync.

    None where it is not.
    """
    if not isinstance(query, str | os.PathLike):
        return None
    place = Path(query)
    try:
        relative = place.resolve().relative_to(folder.resolve())
        status = place.stat()
    except (OSError, ValueError, RuntimeError):
        return None
    row = catalogue.file(os.fsencode(relative.as_posix()))
    if row is None or row.hash is None or row.stamp != Stamp(status.st_size, status.st_mtime_ns):
        return None
    return catalogue.vectors_of(row.hash)


def query_vectors(embedder: Embedder, query: Any) -> NDArray[np.float32]:
    """Embed a query: float32 (n, dim), a vector for each window of a sound, one of anything else."""
    if hasattr(embedder, "windows_stream"):
        return cast("WindowEmbedder", embedder).embed_windows(query).vectors
    return embedder.embed([query])

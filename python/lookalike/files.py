"""Indexes in files, byte strings and file objects."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from . import _core
from .errors import InvalidArgument, IoError

if TYPE_CHECKING:
    from ._core import _Index as Core
    from .flat import Flat
    from .hnsw import HNSW
    from .ivf import IVF

    AnyIndex: TypeAlias = Flat | HNSW | IVF
    PathOrFile = str | os.PathLike[str] | BinaryIO

_FACES: dict[type, Callable[[Any], Any]] = {}


def register(core: type, face: Callable[[Any], Any]) -> None:
    """Name the Python face of an index of the core."""
    _FACES[core] = face


def save(core: Core, file: PathOrFile) -> None:
    """Write an index to a path, atomically, or to a binary file object."""
    if isinstance(file, (str, os.PathLike)) or not hasattr(file, "write"):
        path = as_path(file)
        try:
            core.save(path)
        except IoError as error:
            error.filename = path
            raise
        return
    if isinstance(file, io.TextIOBase):
        raise InvalidArgument("file is open for text; a binary one is needed, such as open(path, 'wb')")
    core.write(lambda piece: _write_all(file, piece))


def load(file: PathOrFile, mmap: bool = False) -> AnyIndex:
    """Return the index a file holds.

    Parameters
    ----------
    file : str, PathLike or binary file object
        What `save` wrote. A file object is read from where it stands to its end.
    mmap : bool
        Leave the vectors in the file and let the system page them in; searches work as ever, and the first
        change copies them into memory. Paths only. All checksums are verified first either way, but for those
        of the vectors, ids and lists of a mapped `IVF`, which may be larger than memory: see `IVF.verify`.

    Raises
    ------
    CorruptFile
        Where the file was cut or changed, or is not lookalike's.
    Unsupported
        Where a newer version wrote it.
    IoError
        Where the operating system refuses; `MissingFile` where there is none.

    Examples
    --------
    >>> index = la.Flat()
    >>> index.add([[1, 2], [3, 4]])
    >>> index.save("small.look")
    >>> with la.load("small.look", mmap=True) as same:
    ...     same.search([3, 3], k=1).ids
    array([1])
    """
    if not isinstance(file, (str, os.PathLike)) and hasattr(file, "read"):
        if mmap:
            raise InvalidArgument("mmap=True needs a path; a file object cannot be mapped")
        data = file.read()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise InvalidArgument("file is open for text; a binary one is needed, such as open(path, 'rb')")
        return restore(data)
    path = as_path(file)
    try:
        core = _core.load_path(path, bool(mmap))
    except IoError as error:
        error.filename = path
        raise
    index: AnyIndex = _FACES[type(core)](core)
    return index


def dump(core: Core) -> bytes:
    """Return the bytes of an index's file."""
    pieces: list[bytes] = []
    core.write(pieces.append)
    return b"".join(pieces)


def restore(data: bytes | bytearray | memoryview) -> AnyIndex:
    """Return the index whose file these bytes are."""
    core = _core.load_bytes(data)
    index: AnyIndex = _FACES[type(core)](core)
    return index


def as_path(file: Any) -> str:
    """Return a path as a str.

    Raises
    ------
    InvalidArgument
        Where it is none.
    """
    try:
        path = os.fsdecode(file)
    except TypeError:
        message = f"file is {file!r}; a str, a PathLike or a binary file object is needed"
        raise InvalidArgument(message) from None
    if not path or "\0" in path:
        raise InvalidArgument(f"file is {path!r}, which cannot be a path")
    return path


def _write_all(file: BinaryIO, piece: bytes) -> None:
    """Write everything: an unbuffered file may take less than it is given."""
    view = memoryview(piece)
    while view:
        written = file.write(view)
        view = view[len(view) if written is None else written :]

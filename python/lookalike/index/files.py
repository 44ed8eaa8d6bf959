"""Indexes in files, byte strings and file objects."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from .. import _core
from .._checks import must_be
from ..errors import InvalidArgument, IoError

if TYPE_CHECKING:
    from .._core import _Index as Core

    PathOrFile = str | os.PathLike[str] | BinaryIO

_FACES: dict[type, Callable[[Any], Any]] = {}


def register(core: type, face: Callable[[Any], Any]) -> None:
    """Name the Python face of an index of the core."""
    _FACES[core] = face


def wrap(core: Core) -> Any:
    """Return the Python face of an index of the core."""
    return _FACES[type(core)](core)


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
        raise InvalidArgument("file is open for text; it must be binary, such as open(path, 'wb')")
    core.write(lambda piece: _write_all(file, piece))


def open_core(path: str, mmap: bool) -> Core:
    """Open an index's file; the error of the operating system names it."""
    try:
        return _core.load_path(path, mmap)
    except IoError as error:
        error.filename = path
        raise


def dump(core: Core) -> bytes:
    """Return the bytes of an index's file."""
    pieces: list[bytes] = []
    core.write(pieces.append)
    return b"".join(pieces)


def restore(data: bytes | bytearray | memoryview) -> Any:
    """Return the index whose file these bytes are. Pickles name this function: it stays where it is."""
    return wrap(_core.load_bytes(data))


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
        raise must_be("file", file, "a str, a PathLike or a binary file object") from None
    if not path or "\0" in path:
        raise InvalidArgument(f"file is {path!r}, which cannot be a path")
    return path


def _write_all(file: BinaryIO, piece: bytes) -> None:
    """Write everything: an unbuffered file may take less than it is given."""
    view = memoryview(piece)
    while view:
        written = file.write(view)
        view = view[len(view) if written is None else written :]

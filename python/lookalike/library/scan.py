"""Lists the files of a folder that an embedder takes, and those that cannot be read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ..embed.kinds import IMAGES, KINDS
from ..errors import io_error


@dataclass(frozen=True)
class Stamp:
    """A cheap sign that a file is unchanged: its size in bytes and its modification time in nanoseconds."""

    size: int
    mtime_ns: int


@dataclass
class Scan:
    """A folder's files and unreadable entries, by path inside the folder in `os.fsencode` bytes."""

    files: dict[bytes, Stamp] = field(default_factory=dict)
    errors: dict[bytes, str] = field(default_factory=dict)
    #: Folders that could not be listed: what was known below them is neither there nor gone.
    closed: list[bytes] = field(default_factory=list)

    def hides(self, path: bytes) -> bool:
        """Whether `path` lies below a folder that could not be listed."""
        return any(path.startswith(folder + b"/") for folder in self.closed)


def scan(folder: Path, store: Path, suffixes: Collection[str] = IMAGES.suffixes) -> Scan:
    """List the files below `folder`: regular ones with one of the suffixes, nested folders included.

    Hidden files and folders and the `store` are left out. A link to a file counts as that file; a link to a
    folder is not followed, so no loop can trap the walk.

    Raises
    ------
    lookalike.errors.IoError
        If `folder` itself cannot be listed.
    """
    found = Scan()
    root = os.fsencode(folder)
    skip = os.fsencode(store.resolve())
    waiting = [b""]
    while waiting:
        below = waiting.pop()
        try:
            entries = sorted(os.scandir(root + b"/" + below), key=lambda entry: entry.name)
        except OSError as error:
            if not below:
                raise io_error(error.errno or errno.EIO, f"folder {folder}: {error.strerror}") from error
            found.errors[below] = f"folder cannot be read: {error.strerror}"
            found.closed.append(below)
            continue
        for entry in entries:
            if entry.name.startswith(b"."):
                continue
            path = below + b"/" + entry.name if below else entry.name
            if entry.is_dir(follow_symlinks=False):
                if os.path.realpath(entry.path) != skip:
                    waiting.append(path)
            elif suffix_of(os.fsdecode(entry.name)) in suffixes:
                _take(entry, path, found)
    return found


def suffix_of(name: str | os.PathLike[str]) -> str:
    """Return a file name's ending in lower case.

    >>> suffix_of("beach/WAVES.Wav")
    '.wav'
    """
    return PurePath(name).suffix.lower()


def is_media(name: str | os.PathLike[str]) -> bool:
    """Whether a file's name ends like one that some kind of embedder takes."""
    return any(suffix_of(name) in kind.files.suffixes for kind in KINDS.values())


def default_models(folder: Path, store: Path) -> list[str]:
    """Return the default models for the kinds of files there are below `folder`, the one to prefer first."""
    kinds = [kind for kind in KINDS.values() if kind.default]
    found = scan(folder, store, frozenset().union(*(kind.files.suffixes for kind in kinds))).files
    present = {suffix_of(os.fsdecode(path)) for path in found}
    return [kind.default for kind in kinds if present & kind.files.suffixes]


def _take(entry: os.DirEntry[bytes], path: bytes, found: Scan) -> None:
    try:
        status = entry.stat()
    except OSError as error:
        found.errors[path] = f"file cannot be read: {error.strerror}"
        return
    if stat.S_ISREG(status.st_mode):
        found.files[path] = Stamp(status.st_size, status.st_mtime_ns)

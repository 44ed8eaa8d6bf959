"""Which photos or sounds a folder holds right now, and which of its corners could not be read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ..errors import io_error

#: File name endings taken for images, in lower case.
IMAGE_SUFFIXES = frozenset(
    {
        ".avif",
        ".bmp",
        ".gif",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    }
)


#: File name endings taken for sounds, in lower case: what libsndfile reads.
SOUND_SUFFIXES = frozenset(
    {
        ".aif",
        ".aifc",
        ".aiff",
        ".au",
        ".caf",
        ".flac",
        ".mp3",
        ".oga",
        ".ogg",
        ".opus",
        ".rf64",
        ".w64",
        ".wav",
        ".wave",
    }
)
#: Which files an embedder of each kind is given.
SUFFIXES = {"image": IMAGE_SUFFIXES, "audio": SOUND_SUFFIXES}


@dataclass(frozen=True)
class Stamp:
    """What tells cheaply that a file is as it was: its size in bytes and its time in nanoseconds."""

    size: int
    mtime_ns: int


@dataclass
class Scan:
    """A folder's files and unreadable corners, by path inside the folder in `os.fsencode` bytes."""

    files: dict[bytes, Stamp] = field(default_factory=dict)
    errors: dict[bytes, str] = field(default_factory=dict)
    #: Folders that could not be listed: what was known below them is neither there nor gone.
    closed: list[bytes] = field(default_factory=list)

    def hides(self, path: bytes) -> bool:
        """Whether `path` lies below a folder that could not be listed."""
        return any(path.startswith(folder + b"/") for folder in self.closed)


def scan(folder: Path, store: Path, suffixes: Collection[str] = IMAGE_SUFFIXES) -> Scan:
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


def kinds_below(folder: Path, store: Path) -> set[str]:
    """Return what kinds of files there are below `folder`: any of "image" and "audio"."""
    found = scan(folder, store, IMAGE_SUFFIXES | SOUND_SUFFIXES).files
    present = {suffix_of(os.fsdecode(path)) for path in found}
    return {kind for kind, suffixes in SUFFIXES.items() if present & suffixes}


def _take(entry: os.DirEntry[bytes], path: bytes, found: Scan) -> None:
    try:
        status = entry.stat()
    except OSError as error:
        found.errors[path] = f"file cannot be read: {error.strerror}"
        return
    if stat.S_ISREG(status.st_mode):
        found.files[path] = Stamp(status.st_size, status.st_mtime_ns)

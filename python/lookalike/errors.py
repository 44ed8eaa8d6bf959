"""What can go wrong: every exception raised on purpose is an `Error`, and a built-in one where one fits."""

# ruff: noqa: N818 (the names are short because users write them)

from __future__ import annotations

import errno


class Error(Exception):
    """Anything lookalike refuses or cannot do."""


class InvalidArgument(Error, ValueError):
    """An argument that cannot work. The message says what came and what was needed."""


class DimensionMismatch(InvalidArgument):
    """Vectors and index differ in dimension."""


class ImageError(InvalidArgument):
    """An image that cannot be used: missing, truncated, too large, or no image. The message names it."""


class AudioError(InvalidArgument):
    """A sound that cannot be used: missing, truncated, too long, or no sound. The message names it."""


class ModelError(InvalidArgument):
    """A model that is unknown, damaged, or not what its ``model.toml`` says. The message names the field."""


class UnknownId(Error, KeyError):
    """An id that is not in the index."""

    def __str__(self) -> str:
        """Say it plainly: KeyError would print the message in quotes."""
        return Exception.__str__(self)


class CorruptFile(Error, ValueError):
    """A file that was cut or changed, or that lookalike did not write."""


class Unsupported(Error, NotImplementedError):
    """A valid request that this version, machine or object cannot serve."""


class Cancelled(Error):
    """A progress callback answered False: the call stopped, and left everything as it was before."""


class IoError(Error, OSError):
    """The operating system refused to read or write; `errno` says why, `filename` names the file."""

    def __str__(self) -> str:
        """Say what was tried, on which file, and why it failed."""
        return str(self.strerror)


class MissingFile(IoError, FileNotFoundError):
    """There is no such file or folder."""


def io_error(code: int, message: str) -> IoError:
    """Return the exception for an errno; the core calls this.

    >>> io_error(2, "could not read 'cats.look': No such file or directory")
    MissingFile(2, "could not read 'cats.look': No such file or directory")
    """
    return MissingFile(code, message) if code == errno.ENOENT else IoError(code, message)

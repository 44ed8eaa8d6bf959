"""Names of files as text that any terminal and any font can show."""

from __future__ import annotations

import os


def printable(path: str | os.PathLike[str]) -> str:
    r"""Write a path on one line, with what cannot be shown (newlines, bytes of no encoding) escaped.

    >>> print(printable("a\nb.jpg"))
    a\nb.jpg
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in os.fspath(path)
    )

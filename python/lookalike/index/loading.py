"""An index of any kind from its file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from ..errors import InvalidArgument
from . import files
from .flat import Flat
from .hnsw import HNSW
from .ivf import IVF

if TYPE_CHECKING:
    from .files import PathOrFile

AnyIndex: TypeAlias = "Flat | HNSW | IVF"


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
    index: AnyIndex
    if not isinstance(file, (str, os.PathLike)) and hasattr(file, "read"):
        if mmap:
            raise InvalidArgument("mmap=True needs a path; a file object cannot be mapped")
        data = file.read()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise InvalidArgument("file is open for text; it must be binary, such as open(path, 'rb')")
        index = files.restore(data)
        return index
    index = files.wrap(files.open_core(files.as_path(file), bool(mmap)))
    return index

"""The pictures an exported model is checked and calibrated on: the user's photos, or made-up ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..embed.image.decode import prepare
from ..embed.image.preparation import Limits, Preparation
from ..errors import ImageError, InvalidArgument

_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".avif"}


@dataclass(frozen=True)
class Pictures:
    """Pictures made ready, uint8 (n, size, size, 3), and the folder each lay in where folders are classes."""

    squares: NDArray[np.uint8]
    real: bool
    classes: NDArray[np.str_] | None = None
    unreadable: int = 0


def read_pictures(folder: Path, preparation: Preparation, most: int) -> Pictures:
    """Read up to `most` photos of a folder, spread evenly over it.

    Raises InvalidArgument where there is no photo, and ImageError, the first one's, where none can be read.
    """
    if not folder.is_dir():
        raise InvalidArgument(f"photos is {str(folder)!r}; it must be a folder of photos, and there is none")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
    if not paths:
        raise InvalidArgument(f"photos is {str(folder)!r}; it must be a folder of photos, and it holds none")
    picked = [paths[at] for at in spread(len(paths), most)]
    squares, kept, first_error = [], [], None
    for path in picked:
        try:
            squares.append(prepare(path, preparation, Limits()))
            kept.append(path)
        except ImageError as error:
            first_error = first_error or ImageError(f"image {path}: {error}")
    if not squares:
        raise first_error or ImageError(f"no photo of {folder} can be read")
    classes = np.array([path.parent.relative_to(folder).as_posix() for path in kept])
    counts = np.unique(classes, return_counts=True)[1]
    labelled = len(counts) > 1 and counts.max() > 1
    return Pictures(np.stack(squares), True, classes if labelled else None, len(picked) - len(kept))


def made_up_pictures(preparation: Preparation, count: int) -> Pictures:
    """Make pictures with detail at several scales, where the user has given none.

    >>> made_up_pictures(Preparation(32), 2).squares.shape
    (2, 32, 32, 3)
    """
    rng = np.random.default_rng(0)
    squares = []
    for _ in range(count):
        picture = np.zeros((256, 256, 3))
        for cells in (2, 8, 32, 128):
            noise = rng.integers(0, 256, (cells, cells, 3), np.uint8)
            smooth = prepare(noise, Preparation(256, "stretch"), Limits())
            picture += smooth / 4
        squares.append(prepare(picture.astype(np.uint8), preparation, Limits()))
    return Pictures(np.stack(squares), False)


def spread(count: int, most: int) -> list[int]:
    """Return up to `most` of the numbers below `count`, spread evenly.

    >>> spread(100, 3)
    [0, 50, 99]
    """
    return sorted({round(at) for at in np.linspace(0, count - 1, min(most, count))})

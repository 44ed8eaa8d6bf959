"""Pictures as a source to learn from: decoded once, augmented each time they are used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..extras import Tensor, torch
from .augment import Change, augment
from .batches import Rows
from .examples import Examples
from .reading import gather, squares

# The share of a picture's side that a model looks at; what is around it is room for other crops.
CROP = 0.875


def side_for(size: int) -> int:
    """Return the side to keep, of which the centre `size` pixels are what a model sees: as much either way.

    >>> side_for(224), side_for(28), side_for(64)
    (256, 32, 74)
    """
    return size + 2 * round((size / CROP - size) / 2)


class Pictures:
    """Squares of pixels, uint8 (n, side, side, 3), of which a network takes `size` x `size`."""

    def __init__(self, pixels: NDArray[np.uint8], size: int, changes: tuple[Change, ...]) -> None:
        self._pixels, self._size, self._changes = pixels, size, changes

    def changed(self, rows: Rows, random: Any) -> Tensor:
        """Return float32 (n, 3, size, size), 0 to 255, each picture changed by chance."""
        return augment(self._tensor(rows), self._size, self._changes, random)

    def plain(self, rows: Rows) -> Tensor:
        """Return float32 (n, 3, size, size), 0 to 255: the centres."""
        return augment(self._tensor(rows), self._size, (), None)

    def images(self, rows: Rows) -> list[Any]:
        """Return the squares, as `ImageEmbedder` takes images."""
        return list(self._pixels[rows])

    def _tensor(self, rows: Rows) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(self._pixels[rows])).permute(0, 3, 1, 2)


def read_pictures(
    examples: Examples,
    size: int,
    side: int,
    changes: tuple[Change, ...],
    threads: int | None,
    progress: bool,
) -> tuple[Pictures, Examples]:
    """Decode what can be decoded, as squares of `side` pixels of which a network sees `size`."""
    pixels, kept = gather(
        squares(examples.images, side, threads), examples, (side, side, 3), np.uint8, "reading", progress
    )
    return Pictures(pixels, size, changes), kept

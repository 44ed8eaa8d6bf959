"""Images read once, in order: what could be read, and what could not."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._progress import ProgressBar
from ...embed.image.decode import prepare
from ...embed.image.preparation import Limits, Preparation
from ...embed.runtime.stream import available_threads, stream
from ...errors import ImageError
from .examples import Examples

# Beyond this, pictures wait in a file without a name, and the system keeps in memory what it can.
_MOST_BYTES = 1 << 30


def squares(images: Iterable[Any], side: int, threads: int | None) -> Iterable[tuple[int, Any]]:
    """Yield (position, the centre square, uint8 (side, side, 3), or ImageError) of every image."""
    how = Preparation(side, filter="box")
    return stream(
        images,
        lambda image: prepare(image, how, Limits()),
        lambda batch: batch,
        8,
        available_threads() if threads is None else threads,
    )


def gather(
    results: Iterable[tuple[int, Any]],
    examples: Examples,
    shape: tuple[int, ...],
    dtype: type[np.generic],
    label: str,
    progress: bool,
) -> tuple[NDArray[Any], Examples]:
    """Collect what a stream makes of examples; what it cannot is left out, and said so in `skipped`."""
    room = _room((len(examples), *shape), dtype)
    bar = ProgressBar(len(examples), label) if progress else None
    good: list[int] = []
    skipped = list(examples.skipped)
    for position, result in results:
        if isinstance(result, ImageError):
            skipped.append(str(result).removeprefix("image "))
        else:
            room[len(good)] = result
            good.append(position)
        if bar:
            bar.advance()
    if bar:
        bar.close()
    kept = examples.take(np.array(good, np.int64))
    return room[: len(good)], Examples(kept.images, kept.labels, kept.classes, skipped)


def _room(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    if math.prod(shape) * np.dtype(dtype).itemsize <= _MOST_BYTES:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile() as file:
        # The mapping keeps the file; nothing is left over when it goes.
        return np.memmap(file, dtype, "w+", shape=shape)

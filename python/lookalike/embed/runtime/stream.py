"""Many images through a model: threads that each decode and embed small batches, results in order.

A thread that decodes a batch and then embeds it keeps one CPU busy throughout, and threads only meet to fetch
the next batch; so N of them do what N CPUs can, with nothing to balance between decoding and inference.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ImageError

Vector = NDArray[np.float32]
Result = tuple[int, "Vector | ImageError"]
Batch = list[tuple[int, Any]]
Square = NDArray[Any]
Prepare = Callable[[Any], Square]
Infer = Callable[[Square], Vector]


def stream(
    images: Iterable[Any],
    prepare: Prepare,
    infer: Infer,
    batch_size: int,
    threads: int,
    infer_single: Infer | None = None,
) -> Generator[Result, None, None]:
    """Yield (position, vector or ImageError) for every image, in order.

    Images are taken a few batches ahead and no further, so that millions fit. Threads come to rest before the
    stream ends, however it ends. A single batch never leaves the calling thread; `infer_single`, where given,
    infers it, since the other CPUs have nothing else to do.
    """
    batches = _batches(enumerate(images), batch_size)
    head = list(itertools.islice(batches, 2))
    batches = itertools.chain(head, batches)
    if threads == 1 or len(head) < 2:
        for batch in batches:
            yield from _embed(batch, prepare, (infer_single if threads > 1 else None) or infer)
        return
    with ThreadPoolExecutor(threads, "lookalike-embed") as pool:
        under_way: deque[Future[list[Result]]] = deque()
        try:
            for batch in batches:
                under_way.append(pool.submit(_embed, batch, prepare, infer))
                if len(under_way) > 2 * threads:
                    yield from under_way.popleft().result()
            while under_way:
                yield from under_way.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def available_threads() -> int:
    """CPUs this process may use: its affinity, cut by a cgroup's quota."""
    try:
        from ..._core import available_threads as available
    except ImportError:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(available())


def name_of(image: Any, position: int) -> str:
    """How an error calls an image: its path, or what it is and where it stood."""
    if isinstance(image, (str, os.PathLike)):
        return os.fspath(image) if isinstance(os.fspath(image), str) else repr(os.fspath(image))
    return f"#{position} ({type(image).__name__})"


def _batches(images: Iterator[tuple[int, Any]], size: int) -> Iterator[Batch]:
    while batch := list(itertools.islice(images, size)):
        yield batch


def finish(batch: Batch, prepared: Iterable[Callable[[], Square]], infer: Infer) -> list[Result]:
    """Return the vector of every image of a batch, or its ImageError; `prepared` gives each its pixels."""
    results: list[Result] = []
    squares, places = [], []
    for (position, image), pixels in zip(batch, prepared, strict=True):
        try:
            squares.append(pixels())
            places.append((position, image))
        except ImageError as error:
            results.append((position, _named(error, image, position)))
    if squares:
        vectors = infer(np.stack(squares))
        for vector, (position, image) in zip(vectors, places, strict=True):
            wrong = ImageError("the model gave NaN or infinity for it")
            results.append(
                (position, vector if np.isfinite(vector).all() else _named(wrong, image, position))
            )
    return sorted(results, key=lambda result: result[0])


def _embed(batch: Batch, prepare: Prepare, infer: Infer) -> list[Result]:
    return finish(batch, (functools.partial(prepare, image) for _, image in batch), infer)


def _named(error: ImageError, image: Any, position: int) -> ImageError:
    named = ImageError(f"image {name_of(image, position)}: {error}")
    named.__cause__ = error.__cause__
    return named

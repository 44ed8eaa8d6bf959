"""Many images through a GPU: threads decode, one batch at a time is inferred, results come in order.

What keeps a CPU busy, threads that each decode and infer (`stream`), would leave a GPU with small batches
of many at once. Here all threads decode for the one batch to come, while the one before it is on the device.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .stream import Infer, Prepare, Result, Square, finish


def cuda_stream(
    images: Iterable[Any], prepare: Prepare, infer: Infer, size: Callable[[], int], threads: int
) -> Generator[Result, None, None]:
    """Yield (position, vector or ImageError) for every image, in order.

    `size` is called before each batch, so that batches may grow; `infer` runs one batch at a time.
    Images are taken two batches ahead and no further. Threads come to rest before the stream ends.
    """
    numbered = enumerate(images)
    decoding: deque[tuple[int, Any, Future[Square]]] = deque()
    under_way: deque[Future[list[Result]]] = deque()
    decoders = ThreadPoolExecutor(threads, "lookalike-embed-decode")
    # Two, so that one gathers the next batch while the other waits for the device.
    inferrers = ThreadPoolExecutor(2, "lookalike-embed-infer")
    try:
        while True:
            batch_size = size()
            for position, image in itertools.islice(numbered, max(0, 2 * batch_size - len(decoding))):
                decoding.append((position, image, decoders.submit(prepare, image)))
            batch = [decoding.popleft() for _ in range(min(batch_size, len(decoding)))]
            if not batch:
                break
            under_way.append(inferrers.submit(_infer, batch, infer))
            if len(under_way) > 1:
                yield from under_way.popleft().result()
        while under_way:
            yield from under_way.popleft().result()
    finally:
        # The thread that gathers a batch waits for decoders; cancelling those ends it with an error.
        inferrers.shutdown(wait=False, cancel_futures=True)
        decoders.shutdown(cancel_futures=True)
        inferrers.shutdown()


def _infer(batch: list[tuple[int, Any, Future[Square]]], infer: Infer) -> list[Result]:
    return finish(
        [(position, image) for position, image, _ in batch], [square.result for *_, square in batch], infer
    )

"""A stream of results as one array, and the inputs that were skipped."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Sized
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..._checks import must_be
from ..._progress import Progress, reporter
from ...errors import Cancelled

OnError = Literal["raise", "skip"]
_logger = logging.getLogger("lookalike")


@dataclass(frozen=True)
class Failure:
    """An image or sound that was skipped: where it stood in the input, and why."""

    position: int
    message: str


def collect(
    results: Generator[tuple[int, NDArray[np.float32] | Exception], None, None],
    dim: int,
    total: int | None,
    progress: Progress,
    on_error: OnError,
    unit: str = "images",
) -> tuple[NDArray[np.float32], list[Failure]]:
    """Gather a stream: float32 (n, dim) of the good ones in order, and the failures.

    Raises the first failure where on_error is "raise".
    """
    if on_error not in ("raise", "skip"):
        raise must_be("on_error", on_error, "'raise' or 'skip'")
    report = reporter(progress, total, "embedding", unit)
    vectors = np.empty((256 if total is None else total, dim), np.float32)
    good, failures = 0, []
    # Closed at once, so that no thread outlives an exception that somebody keeps.
    with closing(results):
        for position, result in results:
            if isinstance(result, Exception):
                if on_error == "raise":
                    raise result
                failures.append(Failure(position, str(result)))
                _logger.warning("skipped %s", result)
            else:
                if good == len(vectors):
                    vectors = np.resize(vectors, (max(2 * good, 256), dim))
                vectors[good] = result
                good += 1
            if report(position + 1, total) is False:
                raise Cancelled(f"progress returned False after {position + 1} {unit}")
    return vectors if good == len(vectors) else vectors[:good].copy(), failures


def length_of(images: Iterable[Any]) -> int | None:
    """How many images there are, where that is known beforehand."""
    return len(images) if isinstance(images, Sized) else None

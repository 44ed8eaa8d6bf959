"""What all embedders share: their arguments, the array that `embed` returns, and pickling."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Sized
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._checks import as_count, must_be
from .._progress import Progress, reporter
from ..errors import Cancelled
from .runtime.stream import available_threads


@dataclass(frozen=True)
class Facts:
    """What a loaded model says of itself."""

    name: str
    dim: int
    identity: str
    device: str = "cpu"


class ModelEmbedder:
    """A model that turns a stream of inputs into vectors.

    A subclass takes its arguments by name and hands them on to this `__init__`; it sets `_facts` when its
    model is loaded, and defines `embed` and `embed_stream`.
    """

    kind: str = "image"
    _unit = "images"  # what the inputs are called in messages
    _facts: Facts

    def __init__(self, threads: int | None, **arguments: Any) -> None:
        self._arguments = {**arguments, "threads": threads}
        self._threads = available_threads() if threads is None else as_count(threads, "threads")
        self.last_errors: list[Failure] = []

    @property
    def name(self) -> str:
        """What people call the model."""
        return self._facts.name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._facts.dim

    @property
    def identity(self) -> str:
        """The name and a digest of all that shapes a vector: it changes when vectors would."""
        return self._facts.identity

    @property
    def device(self) -> str:
        """Where the model runs: "cpu" or "cuda"."""
        return self._facts.device

    @property
    def threads(self) -> int:
        """Inputs worked on at a time."""
        return self._threads

    def _collect(
        self,
        inputs: Any,
        results: Generator[tuple[int, NDArray[np.float32] | Exception], None, None],
        progress: Progress,
        on_error: OnError,
    ) -> NDArray[np.float32]:
        """Gather a stream's vectors, float32 (n, dim); what is skipped goes into `last_errors`."""
        self.last_errors = []
        vectors, self.last_errors = collect(
            results, self.dim, length_of(inputs), progress, on_error, self._unit
        )
        return vectors

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self._arguments['model']!r}, dim={self.dim}, device={self.device!r}, "
            f"threads={self.threads})"
        )

    def __getstate__(self) -> dict[str, Any]:
        return self._arguments

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


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
    # Closed at once: an exception that is kept would keep the stream's threads alive.
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

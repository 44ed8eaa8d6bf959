"""Where the threads of this process may run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held_to(count: int) -> Iterator[None]:
    """Let every thread of the process, the libraries' pools too, run on the first `count` CPUs only."""
    everywhere = os.sched_getaffinity(0)
    _let(sorted(everywhere)[:count])
    try:
        yield
    finally:
        _let(sorted(everywhere))


def _let(cpus: list[int]) -> None:
    for task in Path("/proc/self/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), cpus)
        except ProcessLookupError:  # a thread that has ended since
            continue

"""This machine: its description, a limit on its threads, and how fast it multiplies and reads at its best."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "LOOKALIKE_NUM_THREADS")


def hold_to(threads: int) -> None:
    """Restrict this process to `threads` CPUs. Call it before numpy or a peer is imported: they look once."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[:threads])


def describe() -> str:
    """Processor, memory, system and versions; no names of hosts or users."""
    import numpy as np

    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{model} ({platform.machine()}), {len(os.sched_getaffinity(0))} CPUs, {memory:.0f} GiB; "
        f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"numpy {np.__version__}"
    )


def best_seconds(work: Callable[[], object], repeats: int) -> float:
    """The shortest of several runs: what the machine can do when nothing else interferes."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def interleaved(
    contestants: dict[str, Callable[[], object]], repeats: int, patience: float = 15.0
) -> dict[str, float]:
    """Median seconds of each, run in turn round by round, so that a slow minute meets everyone.

    Whoever needs longer than `patience` seconds runs once, unwarmed: warming is nothing to such a run.
    """
    warming = {name: best_seconds(work, 1) for name, work in contestants.items()}
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, work in contestants.items():
            if warming[name] <= patience:
                taken[name].append(best_seconds(work, 1))
    return {name: statistics.median(seconds or [warming[name]]) for name, seconds in taken.items()}


def sgemm_contestant(size: int) -> Callable[[], object]:
    """A square float32 matrix product of 2 size^3 FLOP, written into memory that is already there."""
    import numpy as np

    random = np.random.default_rng(0)
    a, b = (random.random((size, size), np.float32) for _ in range(2))
    out = np.empty((size, size), np.float32)
    return lambda: np.matmul(a, b, out=out)


def read_contestants(array: object) -> dict[str, Callable[[], object]]:
    """Ways numpy and BLAS can read a whole float32 matrix; the fastest tells the read bandwidth."""
    import numpy as np

    matrix = np.asarray(array)
    assert matrix.dtype == np.float32 and matrix.flags.c_contiguous
    flat = matrix.reshape(-1)
    vector, out = np.ones(matrix.shape[1], np.float32), np.empty(len(matrix), np.float32)
    return {
        "numpy sum": lambda: flat.sum(),
        "numpy max": lambda: flat.max(),
        "BLAS sgemv": lambda: np.matmul(matrix, vector, out=out),
        "BLAS sdot": lambda: np.dot(flat, flat),
    }

"""Distance kernels, one query against rows in cache, one thread: python -m benchmarks.kernels [--quick].

NumKong's batched calls (`cdist` of one query, and the same over rows it has packed) are timed from Python
with the cost of a call on a single row taken off; its single-pair function is called in a compiled loop, as
ours is. The best of several interleaved rounds is reported: what a kernel can do, not what disturbed it.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import machine
from benchmarks.peers import has_package

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build" / "benchmarks"
DIMS = (128, 784, 1536)
BYTES_IN_CACHE = 256 * 1024
KERNELS = {
    "squared_l2": ("sqeuclidean", "pointer_to_sqeuclidean"),
    "inner_product": ("dot", "pointer_to_dot"),
}
TYPES = {"f32": "float32", "f16": "float16", "u8": "uint8"}


class Batch(ctypes.Structure):
    """One query and its rows, as loops.cpp reads them."""

    _fields_ = (
        ("query", ctypes.c_void_p),
        ("rows", ctypes.c_void_p),
        ("stride", ctypes.c_size_t),
        ("count", ctypes.c_size_t),
        ("dim", ctypes.c_size_t),
    )


def build_loops() -> ctypes.CDLL:
    """Compile loops.cpp and load it."""
    beside = Path(sys.executable).parent / "cmake"
    cmake = str(beside) if beside.is_file() else "cmake"
    strict = "ON" if os.environ.get("CI") else "OFF"  # as tests are compiled there: ccache serves both
    configure = [cmake, "-S", str(HERE), "-B", str(BUILD), "-DCMAKE_BUILD_TYPE=Release"]
    configure.append(f"-DLOOKALIKE_WERROR={strict}")
    for command in (configure, [cmake, "--build", str(BUILD), "--target", "kernel_loops", "-j", "2"]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    loops = ctypes.CDLL(str(BUILD / "libkernel_loops.so"))
    loops.isa.restype = ctypes.c_char_p
    loops.scan_seconds.restype = loops.pair_seconds.restype = ctypes.c_double
    return loops


def one_case(loops: ctypes.CDLL, kernel: str, kind: str, dim: int, repeats: int) -> dict[str, float]:
    """Nanoseconds a row of every contestant."""
    import numpy as np

    dtype = np.dtype(TYPES[kind])
    count = max(32, BYTES_IN_CACHE // (dim * dtype.itemsize))
    rows = np.random.default_rng(dim).integers(0, 256, (count, dim)).astype(dtype)
    query = rows[:1].astype(np.float32) if kind == "f16" else rows[:1].copy()
    out, wide = np.empty(count, np.float32), np.empty(count, np.float64)
    rounds = max(1, repeats * 20_000 // count)
    ours = Batch(query.ctypes.data, rows.ctypes.data, rows.strides[0], count, dim)
    name = f"{kernel}_{kind}".encode()

    def scan() -> float:
        return (
            loops.scan_seconds(name, ctypes.byref(ours), rounds, out.ctypes.data_as(ctypes.c_void_p)) / rounds
        )

    contestants: dict[str, Callable[[], float]] = {"ours": scan}
    if has_package("numkong"):
        contestants |= numkong(loops, kernel, kind, rows, wide, rounds)
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(7):
        for rival, work in contestants.items():
            best[rival] = min(best[rival], work())
    return {rival: seconds / count * 1e9 for rival, seconds in best.items()}


def numkong(loops, kernel: str, kind: str, rows, wide, rounds: int) -> dict[str, Callable[[], float]]:
    """NumKong's ways to measure one query against many rows, as functions that return seconds a batch."""
    import numkong as nk

    metric, pointer = KERNELS[kernel]
    query = rows[:1].copy()
    theirs = Batch(query.ctypes.data, rows.ctypes.data, rows.strides[0], len(rows), rows.shape[1])
    function = ctypes.c_void_p(getattr(nk, pointer)(TYPES[kind]))
    pack = nk.dots_pack(rows), nk.dots_pack(rows[:1])
    packed = nk.euclideans_packed if kernel == "squared_l2" else nk.dots_packed

    def without_call(work: Callable[[object], object], many: object, one: object) -> Callable[[], float]:
        def measure() -> float:
            batch, single = (machine.best_seconds(lambda rows=rows: work(rows), 200) for rows in (many, one))
            return (batch - single) * len(rows) / (len(rows) - 1)

        return measure

    address = wide.ctypes.data_as(ctypes.c_void_p)
    return {
        "pair loop": lambda: loops.pair_seconds(function, ctypes.byref(theirs), rounds, address) / rounds,
        "cdist": without_call(lambda rows: nk.cdist(query, rows, metric), rows, rows[:1]),
        "packed": without_call(lambda rows: packed(query, rows), *pack),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="toy repeats: shows that it runs, measures nothing"
    )
    options = parser.parse_args()
    loops = build_loops()
    machine.hold_to(1)
    setting = f"one thread, {loops.isa().decode()}, {BYTES_IN_CACHE // 1024} KiB of rows"
    print(f"\nNanoseconds a row, best of seven rounds, {setting}\n")
    print(
        "| kernel | dim | ours | NumKong pair loop | NumKong cdist | NumKong packed | best unpacked / ours |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for kernel in KERNELS:
        for kind in TYPES:
            for dim in DIMS[:1] if options.quick else DIMS:
                took = one_case(loops, kernel, kind, dim, 1 if options.quick else 20)
                cells = [
                    f"{took[name]:.1f}" if name in took else ""
                    for name in ("ours", "pair loop", "cdist", "packed")
                ]
                rivals = [took[name] for name in ("pair loop", "cdist") if name in took]
                ratio = f"{min(rivals) / took['ours']:.2f}" if rivals else ""
                print(f"| {kernel}_{kind} | {dim} | {' | '.join(cells)} | {ratio} |")


if __name__ == "__main__":
    main()

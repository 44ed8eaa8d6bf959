"""Exact search: python -m benchmarks.exact batch|single [--random] [--threads N] [--quick].

Of Fashion-MNIST, or of random vectors.
"""

from __future__ import annotations

import argparse

from benchmarks import machine

K = 10
PATIENCE = 20  # seconds

rates: dict[str, float] = {}  # queries a second, by contestant, of the last batch


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exact", description=__doc__)
    parser.add_argument("what", choices=["batch", "single"])
    parser.add_argument("--threads", type=int, default=None, help="CPUs to use (batch: all; single: 1)")
    parser.add_argument("--queries", type=int, nargs="+", default=[1000, 10000], help="sizes of the batches")
    parser.add_argument(
        "--random", action="store_true", help="independent random coordinates: nothing a sketch could use"
    )
    parser.add_argument("--repeats", type=int, default=5, help="rounds; medians are reported")
    parser.add_argument(
        "--quick", action="store_true", help="toy sizes: shows that it runs, measures nothing"
    )
    return parser.parse_args()


def vectors(options: argparse.Namespace):
    """Base and queries as float32; random whole numbers of a toy size with --quick."""
    import numpy as np

    from benchmarks import datasets

    if options.random:
        random = np.random.default_rng(0)
        return tuple(random.integers(0, 256, (n, 784)).astype(np.float32) for n in (60000, 10000))
    if options.quick:
        random = np.random.default_rng(0)
        return tuple(random.integers(0, 256, (n, 784)).astype(np.float32) for n in (2000, 200))
    dataset = datasets.load("fashion-mnist-784")
    return np.asarray(dataset.base, np.float32), np.asarray(dataset.queries, np.float32)


def indexes(base, threads: int) -> dict[str, object]:
    """Every installed peer over the base, and ourselves a second time with codes chosen by the data."""
    from benchmarks import peers
    from benchmarks.peers.lookalike import ExactAuto

    found = {peer.name: peer.Exact(base, "l2", threads) for peer in peers.installed()}
    found["lookalike u8 (auto)"] = ExactAuto(base, "l2", threads)
    return found


def blockwise_product(queries, base):
    """The matrix product alone, a thousand queries at a time into memory that is already there."""
    import numpy as np

    product = np.empty((min(len(queries), 1000), len(base)), np.float32)

    def multiply() -> None:
        for first in range(0, len(queries), len(product)):
            block = queries[first : first + len(product)]
            np.matmul(block, base.T, out=product[: len(block)])

    return multiply


def batch(options: argparse.Namespace) -> None:
    base, queries = vectors(options)
    contestants = indexes(base, options.threads)
    size = 512 if options.quick else 4096
    sgemm = machine.sgemm_contestant(size)
    for count in [len(queries)] if options.quick else options.queries:
        some = queries[:count]
        runs = {"sgemm": sgemm, "numpy matmul alone": blockwise_product(some, base)}
        contestants, too_slow = fast_enough(contestants, count)
        for name, index in contestants.items():
            runs[name] = lambda index=index, some=some: index.search(some, K, options.threads)
        seconds = machine.interleaved(runs, options.repeats)
        rate = 2 * size**3 / seconds.pop("sgemm") / 1e9
        shape = f"{count:,} queries, k={K}, {len(base):,} x {base.shape[1]}, {options.threads} threads"
        print(f"\n{shape}; square sgemm of {size}: {rate:.0f} GFLOP/s\n")
        batch_table(seconds, count, 2.0 * count * base.size / 1e9, rate)
        if too_slow:
            print(f"\nLeft out, over {PATIENCE} s a round by the smaller batch: {', '.join(too_slow)}.")
        for name in contestants:
            rates[name] = count / seconds[name]
        ours = {name: index for name, index in contestants.items() if "lookalike" in name}
        compare_ids(ours, some, options.threads)


def fast_enough(contestants: dict[str, object], count: int) -> tuple[dict[str, object], list[str]]:
    """Those who would take less than `PATIENCE` for a round, by the rates seen so far, and who would not."""
    slow = [name for name in contestants if count / rates.get(name, float("inf")) > PATIENCE]
    return {name: index for name, index in contestants.items() if name not in slow}, slow


def batch_table(seconds: dict[str, float], count: int, gflop: float, sgemm_rate: float) -> None:
    faiss = seconds.get("faiss IndexFlatL2")
    print("| | queries/s | GFLOP/s | of sgemm | against faiss |\n|---|---:|---:|---:|---:|")
    for name, taken in sorted(seconds.items(), key=lambda item: item[1]):
        rate = gflop / taken
        times = f"{faiss / taken:.1f} x" if faiss else ""
        print(f"| {name} | {count / taken:,.0f} | {rate:.0f} | {rate / sgemm_rate:.0%} | {times} |")


def compare_ids(ours: dict[str, object], queries, threads: int) -> None:
    """Say whether the integer answer is the float answer, id for id."""
    import numpy as np

    ids = [index.search(queries, K, threads)[0] for index in ours.values()]
    verdict = "the same ids" if np.array_equal(*ids) else "DIFFERENT ids"
    print(f"\n{' and '.join(ours)}: {verdict} for all {len(queries):,} queries.")


def single(options: argparse.Namespace) -> None:
    base, queries = vectors(options)
    contestants = {
        name: index for name, index in indexes(base, options.threads).items() if "argpartition" not in name
    }
    from benchmarks.peers.lookalike import Optimized, OptimizedAuto

    contestants["lookalike f32, optimized"] = Optimized(base, "l2", options.threads)
    contestants["lookalike u8, optimized"] = OptimizedAuto(base, "l2", options.threads)
    turn = iter(range(10**9))
    runs = dict(machine.read_contestants(base))
    readers = list(runs)
    for name, index in contestants.items():
        runs[name] = lambda index=index: index.search(
            queries[next(turn) % len(queries)][None], K, options.threads
        )
    seconds = machine.interleaved(runs, 10 * options.repeats)
    best = min(readers, key=lambda name: seconds[name])
    bandwidth = base.nbytes / seconds[best] / 1e9
    faiss = seconds.get("faiss IndexFlatL2")
    print(
        f"\nOne query at a time, k={K}, {len(base):,} x {base.shape[1]}, {options.threads} thread; ", end=""
    )
    print(f"reading the float32 data: {bandwidth:.1f} GB/s ({best})\n")
    print("| | ms a query | GB/s of rows | of read bandwidth | against faiss |\n|---|---:|---:|---:|---:|")
    for name in sorted(contestants, key=lambda name: seconds[name]):
        width = 1 if "u8" in name else 4
        rate = base.size * width / seconds[name] / 1e9
        times = f"{faiss / seconds[name]:.1f} x" if faiss else ""
        print(f"| {name} | {seconds[name] * 1e3:.2f} | {rate:.1f} | {rate / bandwidth:.0%} | {times} |")


def main() -> None:
    options = arguments()
    import os

    cpus = len(os.sched_getaffinity(0))
    options.threads = options.threads or (1 if options.what == "single" else cpus)
    options.repeats = 1 if options.quick else options.repeats
    machine.hold_to(options.threads)
    {"batch": batch, "single": single}[options.what](options)


if __name__ == "__main__":
    main()

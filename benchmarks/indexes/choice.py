"""When `Flat`, when `HNSW`, when `IVF`: python -m benchmarks.indexes.choice [--rebuild] [--quick]."""

from __future__ import annotations

import argparse
import gc
import os
from typing import Any

from benchmarks import machine

RECALL = 0.95


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.indexes.choice", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="medians are reported (default: 3)")
    parser.add_argument("--rebuild", action="store_true", help="build again what the cache has")
    parser.add_argument(
        "--quick", action="store_true", help="toy sizes: shows that it runs, measures nothing"
    )
    return parser.parse_args()


def ours() -> list[Any]:
    """Our three, in the order of the table."""
    from benchmarks import peers

    every = [index for index in peers.approximate() if index.ours and index.raced]
    order = ("exact", "graphs", "lists")
    return sorted(every, key=lambda index: order.index(index.families[0]))


def measured(name: str, options: argparse.Namespace, threads: int) -> list[list[str]]:
    """A row an index, of one data set."""
    from benchmarks.indexes import data, race, sweep, workshop
    from benchmarks.indexes.curve import at
    from benchmarks.indexes.tables import count, micro, shown

    dataset = data.load(name)
    contestants = ours()
    built = [workshop.build(index, dataset, threads, options.rebuild) for index in contestants]
    loaded = [
        index.load(one.path, dataset.dim, dataset.metric)
        for index, one in zip(contestants, built, strict=True)
    ]
    sample = data.Questions(dataset, sweep.SAMPLE)
    settings = [(index, sweep.worthwhile(index, sample, threads)) for index in loaded]
    singles, batches = (
        race.run(settings, data.Questions(dataset, most), options.rounds, threads, single=single)
        for single, most in ((True, 1000), (False, 5000))
    )
    settings.clear()
    loaded.clear()
    gc.collect()
    rows = []
    for index, one in zip(contestants, built, strict=True):
        latency = at(singles[index.name], RECALL, lambda point: point.p50)
        rate = at(batches[index.name], RECALL, lambda point: point.rate)
        rows.append(
            [
                f"{len(dataset.base):,} x {dataset.dim}",
                index.name,
                shown(latency, micro),
                shown(rate, count),
                f"{one.seconds:.1f}",
                f"{one.resident / len(dataset.base):,.0f}" if one.resident is not None else "-",
            ]
        )
    return rows


def main() -> None:
    options = arguments()
    threads = len(os.sched_getaffinity(0))
    machine.hold_to(threads)
    from benchmarks import datasets
    from benchmarks.indexes import data, tables

    if options.quick:
        options.rounds = 1
    names = data.TOYS if options.quick else [name for name in datasets.KNOWN if datasets.available(name)]
    head = ["rows", "index", "a query, us", "queries/s in a batch", "build, s", "bytes a row"]
    rows = [row for name in names for row in measured(name, options, threads)]
    print(
        f"\nRecall@10 {RECALL}, {threads} threads but one for single queries; median of {options.rounds} "
        "rounds. A * marks what was measured at a higher recall, the lowest.\n"
    )
    print(tables.render([head, *rows], markdown=True))


if __name__ == "__main__":
    main()

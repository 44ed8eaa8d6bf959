"""Approximate indexes, ours and the peers', raced at equal recall: python -m benchmarks.indexes.

Builds every index in a process of its own, which tells its seconds and memory; then loads all into one
process and times them in turn: single queries on one CPU, one query a call, and batches, all queries in one
call, on all CPUs. The recall is that of the ten nearest, a neighbour as near as the tenth counting as right.
Built indexes are kept in the folder that LOOKALIKE_BENCHMARK_CACHE names.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks import machine


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.indexes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--datasets", nargs="+", metavar="NAME", help="of the shared data (default: all three)")
    add(
        "--contestants",
        nargs="+",
        metavar="WORD",
        help="indexes whose name has one of these words (default: all)",
    )
    add(
        "--family",
        choices=["graphs", "lists", "all"],
        default="all",
        help="whom to race: graphs, inverted lists, or both (default)",
    )
    add("--single", action="store_true", help="single queries only")
    add("--batch", action="store_true", help="batches only")
    add("--no-upkeep", dest="upkeep", action="store_false", help="leave out churn, filters and writers")
    add("--queries", type=int, default=1000, help="single queries in a round, at most (default: 1000)")
    add("--rounds", type=int, default=5, help="rounds; medians are reported (default: 5)")
    add("--threads", type=int, default=None, help="for builds and batches (default: all CPUs)")
    add("--rebuild", action="store_true", help="build again what the cache has: times of a quiet machine")
    add("--quick", action="store_true", help="toy sizes: shows that it runs, measures nothing")
    add("--json", type=Path, metavar="FILE", help="write all points there")
    add("--plot", type=Path, metavar="FILE.png", help="draw recall against speed there")
    add("--markdown", action="store_true", help="print tables for RESULTS.md")
    options = parser.parse_args()
    if not options.single and not options.batch:
        options.single = options.batch = True
    if options.quick:
        options.rounds, options.queries = 1, 100
    options.threads = options.threads or len(os.sched_getaffinity(0))
    return options


def main() -> None:
    options = arguments()
    machine.hold_to(options.threads)
    from benchmarks.indexes import compare

    compare.everything(options)


if __name__ == "__main__":
    main()

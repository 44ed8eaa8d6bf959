"""Recall of indexes as they come: python -m benchmarks.recall.

Every data set in every growth, ours without an argument, hnswlib at M=16, ef_construction=200 and ef=64 grown
likewise, faiss's lists of vectors with as many lists and probes as ours. Searches run on one thread, and
recall is that of the ten nearest in double precision, ties counting as right.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection
from pathlib import Path

from benchmarks import machine


def arguments() -> argparse.Namespace:
    from benchmarks.recall import ROWS
    from benchmarks.recall.contestants import INDEXES, PEERS
    from benchmarks.recall.data import SOURCES
    from benchmarks.recall.elements import DTYPES
    from benchmarks.recall.growth import GROWTHS
    from benchmarks.recall.run import QUICK_ROWS, USUAL

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recall",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument

    def pick(word: str, names: Collection[str], help: str, default: list[str] | None = None) -> None:
        add(
            word,
            nargs="+",
            choices=list(names),
            metavar="NAME",
            default=default,
            help=help.format(", ".join(names)),
        )

    pick("--data", SOURCES, "of: {} (default: all)")
    pick("--growth", GROWTHS, f"of: {{}} (default: {', '.join(USUAL)})")
    pick("--index", INDEXES, "of: {} (default: hnsw ivf)", list(PEERS))
    metrics, elements = ("l2", "cosine", "ip"), list(DTYPES)
    pick("--metric", metrics, "those of: {} that a data set is measured in (default: all)", metrics)
    pick("--element", elements, "those of: {} that a data set is measured in (default: all)", elements)
    add("--n", type=int, help=f"rows at most; some data and growths take fewer (default: {ROWS})")
    add("--quick", action="store_true", help="toy sizes: shows that it runs, measures nothing")
    add("--markdown", action="store_true", help="print tables as Markdown")
    add("--json", type=Path, metavar="FILE", help="append a line a cell there, as soon as it is measured")
    add("--resume", action="store_true", help="do not measure again what --json FILE has")
    add("--heatmap", type=Path, metavar="FILE.png", help="draw the recalls there")
    add("--peers", action=argparse.BooleanOptionalAction, default=True, help="measure peers as well")
    add("--peers-from", type=Path, metavar="FILE", help="take the peers' numbers from lines of --json")
    options = parser.parse_args()
    if options.resume and not options.json:
        parser.error("--resume needs --json FILE")
    options.n = options.n or (QUICK_ROWS if options.quick else ROWS)
    return options


def main() -> None:
    machine.hold_to(len(os.sched_getaffinity(0)))
    options = arguments()
    from benchmarks.recall import run

    print(machine.describe())
    run.everything(options)


if __name__ == "__main__":
    main()

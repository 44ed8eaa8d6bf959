"""Lists served from disk: python -m benchmarks.indexes.mapped [--dataset NAME] [--recall R] [--quick].

The file is driven out of the page cache, then opened with `mmap=True` by a process of its own, which tells
how long the first answer takes, and how much of the file it holds in memory after a thousand.
`python -m benchmarks.indexes.mapped child FILE QUERIES NPROBE` is that process.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import machine

ROUNDS = 3


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.indexes.mapped", description=__doc__)
    parser.add_argument("--dataset", default="sift-128")
    parser.add_argument(
        "--recall", type=float, default=0.95, help="recall@10 of the searches (default: 0.95)"
    )
    parser.add_argument("--quick", action="store_true", help="toy size: shows that it runs, measures nothing")
    return parser.parse_args()


def evict(path: Path) -> None:
    """Drive a file out of the page cache, as far as nobody else has it mapped."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cached(path: Path) -> float:
    """The share of a file that is in the page cache."""
    import ctypes
    import mmap

    import numpy as np

    page = mmap.PAGESIZE
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        pages = -(-len(view) // page)
        there = (ctypes.c_ubyte * pages)()
        data = np.frombuffer(view, np.uint8)
        failed = ctypes.CDLL(None, use_errno=True).mincore(
            ctypes.c_void_p(data.ctypes.data), ctypes.c_size_t(len(view)), there
        )
        del data
    if failed:
        raise OSError(ctypes.get_errno(), "mincore failed")
    return float((np.frombuffer(there, np.uint8) & 1).mean())


def resident(path: Path) -> dict[str, int]:
    """Bytes this process holds: of a file it has mapped, and altogether."""
    mapped, counts = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            counts = line.endswith(str(path.resolve()))
        elif counts and line.startswith("Rss:"):
            mapped += 1024 * int(line.split()[1])
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"mapped": mapped, "altogether": pages * os.sysconf("SC_PAGE_SIZE")}


def serve(path: Path, queries: Path, nprobe: int) -> dict[str, Any]:
    """Open the file, ask it everything, and tell what that took."""
    import numpy as np

    import lookalike as la

    rows = np.load(queries)
    np.ascontiguousarray(rows[0])
    before = resident(path)["altogether"]
    taken, found = [], []
    start = time.perf_counter()
    index = la.load(path, mmap=True)
    opened = time.perf_counter() - start
    for row in rows:
        start = time.perf_counter()
        ids = index.search(row, 10, nprobe=nprobe, threads=1).ids
        taken.append(time.perf_counter() - start)
        found.append(ids.tolist())
    held = resident(path)
    return {"opened": opened, "taken": taken, "ids": found, "mapped": held["mapped"]} | {
        "grown": held["altogether"] - before
    }


def measured(name: str, recall: float) -> list[list[str]]:
    """The table, for one data set."""
    import numpy as np

    import lookalike as la
    from benchmarks.indexes import data

    dataset = data.load(name)
    questions = data.Questions(dataset, 1000)
    queries = np.ascontiguousarray(questions.queries(native=True))
    with tempfile.TemporaryDirectory(dir=os.environ.get("LOOKALIKE_BENCHMARK_CACHE")) as folder:
        path, asked = Path(folder) / "index", Path(folder) / "queries.npy"
        np.save(asked, queries)
        index = la.IVF(dataset.dim, dataset.metric)
        index.add(np.ascontiguousarray(dataset.base))
        nprobe = 1
        while (
            questions.recall(index.search(queries, 10, nprobe=nprobe).ids) < recall and nprobe < index.nlist
        ):
            nprobe += max(1, nprobe // 8)
        index.save(path)
        lists = index.nlist
        del index
        tellings = []
        for _ in range(ROUNDS):
            evict(path)
            share = cached(path)
            command = [
                sys.executable,
                "-m",
                "benchmarks.indexes.mapped",
                "child",
                str(path),
                str(asked),
                str(nprobe),
            ]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            tellings.append(json.loads(done.stdout) | {"before": share, "after": cached(path)})
        size = path.stat().st_size
        return rows_of(dataset, lists, nprobe, questions, size, tellings)


def rows_of(
    dataset: Any, lists: int, nprobe: int, questions: Any, size: int, tellings: list[dict[str, Any]]
) -> list[list[str]]:
    """What the rounds told, each its own column."""
    rows = [
        [
            f"{len(dataset.base):,} rows, {size / 1e6:.1f} MB on disk, {nprobe} of {lists} lists",
            *(f"round {number + 1}" for number in range(len(tellings))),
        ]
    ]

    def row(title: str, value: Any) -> None:
        rows.append([title, *(value(telling) for telling in tellings)])

    row("in the page cache before", lambda t: f"{t['before']:.1%}")
    row("opened, ms", lambda t: f"{1e3 * t['opened']:.1f}")
    row("first query, ms", lambda t: f"{1e3 * t['taken'][0]:.1f}")
    row("opened and first query, ms", lambda t: f"{1e3 * (t['opened'] + t['taken'][0]):.1f}")
    row("median query of 1,000, us", lambda t: f"{1e6 * sorted(t['taken'])[len(t['taken']) // 2]:.0f}")
    row("recall", lambda t: f"{questions.recall(t['ids']):.4f}")
    row("mapped and resident after, of the file", lambda t: f"{t['mapped'] / size:.1%}")
    row("growth of the process, of the file", lambda t: f"{t['grown'] / size:.1%}")
    row("in the page cache after", lambda t: f"{t['after']:.1%}")
    return rows


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        path, queries, nprobe = sys.argv[2:]
        print(json.dumps(serve(Path(path), Path(queries), int(nprobe))))
        return
    options = arguments()
    machine.hold_to(len(os.sched_getaffinity(0)))
    from benchmarks.indexes import tables

    name = "toy-l2" if options.quick else options.dataset
    print("\n" + tables.render(measured(name, options.recall), markdown=True))


if __name__ == "__main__":
    main()

"""What an index is like to live with: changed over and over, filtered, searched while it grows."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.datasets import Dataset
from benchmarks.indexes import K
from benchmarks.indexes.race import say

ROUNDS = 10  # of churn: half of the rows go, as many come
SHARES = (0.5, 0.1, 0.01, 0.001)  # of the rows that a filter lets pass
QUERIES = 300
SECONDS = 3.0  # of searching, idle and beside a writer


def tables(dataset: Dataset, threads: int) -> Iterator[tuple[str, list[list[str]]]]:
    """Title and rows of every table; the first row is the head."""
    say(f"{dataset.name}: churn")
    yield (
        f"{ROUNDS} times half of the rows are removed and added again",
        churn(dataset, threads),
    )
    say(f"{dataset.name}: filters")
    yield "A filter lets a share of the rows pass; default settings, 1 thread", filters(dataset, threads)
    say(f"{dataset.name}: a reader beside a writer")
    yield (
        "One thread searches (ef=64) while another adds the other half of the rows",
        beside(dataset, threads),
    )


def ours(dataset: Dataset, rows: Any) -> Any:
    import lookalike as la

    index = la.HNSW(dataset.dim, dataset.metric)
    if len(rows):
        index.add(rows)
    return index


def recall(index: Any, exact: Any, queries: Any, **options: Any) -> float:
    """The share of the K nearest that is found, rows at equal distance standing for one another."""
    found, truth = index.search(queries, K, **options), exact.search(queries, K, where=options.get("where"))
    reach = np.nanmax(np.where(np.isfinite(truth.distances), truth.distances, np.nan), axis=1)
    right = (found.ids[:, :, None] == truth.ids[:, None, :]).any(axis=2)
    right |= found.distances <= reach[:, None]
    wanted = truth.ids >= 0
    return float((right & wanted).sum() / max(wanted.sum(), 1))


def churn(dataset: Dataset, threads: int) -> list[list[str]]:
    import lookalike as la

    base, queries = (
        np.ascontiguousarray(dataset.base[:60000]),
        np.ascontiguousarray(dataset.queries[:QUERIES]),
    )
    exact = la.Flat(dataset.dim, dataset.metric)
    exact.add(base)
    random = np.random.default_rng(0)
    index = ours(dataset, base)

    def state(label: str) -> list[str]:
        found = index.search(base, 1, ef=64, threads=threads)
        nearest = exact.search(base, 1, threads=threads)
        lost = (found.ids[:, 0] != np.arange(len(base))) & (found.distances > nearest.distances + 1e-6)[:, 0]
        row = [label, f"{recall(index, exact, queries, ef=64):.4f}", f"{lost.mean():.3%}"]
        return [*row, f"{index.nbytes / 1e6:.1f}", str(index.check().unreachable)]

    rows = [["lookalike", "recall, ef=64", "rows not their own nearest", "MB", "unreachable"], state("built")]
    begin = time.perf_counter()
    for _ in range(ROUNDS):
        gone = random.choice(len(base), len(base) // 2, replace=False)
        index.remove(gone)
        index.add(base[gone], gone, threads=threads)
    rows.append(state(f"after {time.perf_counter() - begin:.0f} s of churn"))
    return rows


def filters(dataset: Dataset, threads: int) -> list[list[str]]:
    import lookalike as la

    base, queries = np.ascontiguousarray(dataset.base), np.ascontiguousarray(dataset.queries[:QUERIES])
    exact = la.Flat(dataset.dim, dataset.metric)
    exact.add(base)
    index, random = ours(dataset, base), np.random.default_rng(0)
    rows = [["lookalike", "recall", "microseconds a query", "fewest found"]]
    for share in SHARES:
        mask = random.random(len(base)) < share
        begin = time.perf_counter()
        found = [index.search(query, K, where=mask, threads=1).counts for query in queries]
        taken = (time.perf_counter() - begin) / len(queries) * 1e6
        score = recall(index, exact, queries, where=mask, threads=threads)
        rows.append(
            [f"{share:.1%} pass", f"{score:.4f}", f"{taken:.0f}", f"{min(found)} of {min(K, mask.sum())}"]
        )
    far = exact.search(queries[:50], min(2000, len(base) // 2), threads=threads).ids
    scores = []
    for query, near in zip(queries, far, strict=False):
        mask = np.ones(len(base), bool)
        mask[near] = False
        scores.append(recall(index, exact, query[None], where=mask))
    rows.append([f"all but the {far.shape[1]} nearest pass", f"{np.mean(scores):.4f}", "", ""])
    return rows


def beside(dataset: Dataset, threads: int) -> list[list[str]]:
    base, queries = np.ascontiguousarray(dataset.base), np.ascontiguousarray(dataset.queries[:1000])
    half = len(base) // 2
    rows = [["lookalike", "p50", "p99", "longest", "rows added"]]
    for label, chunk in (("idle", 0), ("rows added one by one", 1), ("rows added by the thousand", 1000)):
        index, stop = ours(dataset, base[:half]), threading.Event()

        def write(index: Any = index, chunk: int = chunk, stop: threading.Event = stop) -> None:
            for first in range(half, len(base), chunk):
                if stop.is_set():
                    return
                index.add(base[first : first + chunk], threads=1)

        writer = threading.Thread(target=write) if chunk else None
        if writer:
            writer.start()
        taken = read(index, queries)
        stop.set()
        if writer:
            writer.join()
        p50, p99 = np.percentile(taken, [50, 99])
        added = str(len(index) - half)
        rows.append([label, f"{p50:.0f} us", f"{p99:.0f} us", f"{max(taken) / 1e3:.1f} ms", added])
    return rows


def read(index: Any, queries: Any) -> list[float]:
    """Microseconds of searches, one after the other."""
    taken: list[float] = []
    end = time.perf_counter() + SECONDS
    while (begin := time.perf_counter()) < end:
        index.search(queries[len(taken) % len(queries)], K, ef=64, threads=1)
        taken.append((time.perf_counter() - begin) * 1e6)
    return taken

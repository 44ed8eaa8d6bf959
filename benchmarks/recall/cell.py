"""A cell of the matrix, and what is measured for it."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from benchmarks import machine
from benchmarks.recall import K
from benchmarks.recall.contestants import INDEXES, Faiss, Found, Hnswlib, Ours, peer_of
from benchmarks.recall.data import SOURCES
from benchmarks.recall.elements import Rows
from benchmarks.recall.growth import GROWTHS, Stored
from benchmarks.recall.truth import Truth

SELVES = 1000  # stored rows that are searched for
REPEATS = 9  # of a batch, of which the median is told
PLAIN = "one-batch"  # the growth that others are held against
# What an index may call it that it searches exactly, and the recall that it stands by.
EXACT = ("exact", "is_exact")
PROMISE = ("promised", "promise", "target")

Measured = dict[str, Any]


class Cell(NamedTuple):
    data: str
    metric: str
    element: str
    index: str
    growth: str
    rows: int

    def __str__(self) -> str:
        return " ".join(map(str, self))


def row_name(cell: Cell) -> str:
    """What a table calls the data of a cell."""
    return f"{cell.data} {cell.metric} {cell.element}"


class Grown(NamedTuple):
    """An index, what is stored in it, and how long that took."""

    index: Any
    stored: Stored
    seconds: float


class Workbench:
    """One data set in one metric and element: what several cells need is made once and kept for them."""

    def __init__(self, data: str, metric: str, element: str) -> None:
        self.metric = metric
        self.load = lru_cache(None)(lambda n: SOURCES[data].load(element, n))
        self.kept: dict[Any, Any] = {}
        self.threads = len(os.sched_getaffinity(0))

    def measure(self, cell: Cell, peer: Measured | None, with_peers: bool) -> Measured:
        """All numbers of a cell; those of a peer that are known are taken as they are."""
        result: Measured = {**cell._asdict(), "dim": self.load(cell.rows)[0].shape[1]}
        try:
            ours = self.ours(cell.index, cell.growth, cell.rows)
            fresh = self.fresh(cell, ours)
            runs = {"ours": ours} if fresh is ours else {"ours": ours, "fresh": fresh}
            if with_peers and peer is None and peer_of(cell.index):
                runs |= self.peer_or_none(cell, ours)
            result |= self.searched(runs, self.load(cell.rows)[1])
            result["ours"] |= self.told(ours.index)
        except Exception as error:  # an index that refuses is a result, too
            return result | {"error": f"{type(error).__name__}: {error}"}
        return {"peer": peer, **result} if with_peers else result

    def searched(self, runs: dict[str, Grown], queries: Rows) -> dict[str, Measured]:
        """Recall, rows that find themselves and milliseconds a query, of each."""
        asked = {name: grown.index.queries(queries) for name, grown in runs.items()}
        seconds = in_turn({name: self._search(grown.index, asked[name]) for name, grown in runs.items()})
        numbers = {}
        for name, grown in runs.items():
            found = as_rows(grown.index.search(asked[name]), grown.stored[0])
            numbers[name] = {
                "recall": self.truth(grown.stored, queries).recall(found),
                "ms": 1000 * seconds[name] / len(queries),
                "build": grown.seconds,
            }
            if name != "fresh":
                numbers[name]["self"] = self.selves(grown)
        return numbers

    @staticmethod
    def _search(index: Any, queries: Rows) -> Callable[[], object]:
        return lambda: index.search(queries)

    def selves(self, grown: Grown) -> float:
        ids, vectors = grown.stored
        which = np.linspace(0, len(ids) - 1, min(SELVES, len(ids))).astype(np.int64)
        truth = self.once(("selves", digest(vectors)), lambda: Truth.of_selves(vectors, which, self.metric))
        return truth.recall(as_rows(grown.index.search(grown.index.queries(vectors[which]), 1), ids))

    def truth(self, stored: Stored, queries: Rows) -> Truth:
        return self.once(
            ("truth", digest(stored[1]), digest(queries)),
            lambda: Truth(stored[1], queries, self.metric, K),
        )

    def ours(self, index: str, growth: str, rows: int) -> Grown:
        """Kept where others are held against it."""

        def make() -> Grown:
            return self.grown(Ours(INDEXES[index], self.metric), growth, rows)

        return self.once(("ours", index, rows), make) if growth == PLAIN else make()

    def fresh(self, cell: Cell, ours: Grown) -> Grown:
        """An index that got in one batch what this one has in the end."""
        if cell.growth == PLAIN:
            return ours
        ids, vectors = ours.stored
        plain = self.ours(cell.index, PLAIN, cell.rows)
        if digest(vectors) == digest(plain.stored[1]):
            return plain

        def make() -> Grown:
            fresh = Ours(INDEXES[cell.index], self.metric)
            return Grown(fresh, (ids, vectors), timed(lambda: fresh.add(vectors, ids)))

        return self.once(("fresh", cell.index, digest(vectors)), make)

    def peer_or_none(self, cell: Cell, ours: Grown) -> dict[str, Grown]:
        """What a peer refuses is not held against ours."""
        try:
            return {"peer": self.peer(cell, ours)}
        except Exception as error:
            print(f"{peer_of(cell.index)}: {type(error).__name__}: {error}", file=sys.stderr)
            return {}

    def peer(self, cell: Cell, ours: Grown) -> Grown:
        """The peer of an index; row after row is the same to hnswlib, whatever the calls."""
        base = self.load(cell.rows)[0]
        if cell.index == "hnsw":
            growth = PLAIN if GROWTHS[cell.growth].adds_in_order else cell.growth
            return self.once(
                ("hnswlib", growth, cell.rows),
                lambda: self.grown(
                    Hnswlib(self.metric, base.shape[1], len(base), self.threads), growth, cell.rows
                ),
            )
        ids, vectors = ours.stored
        lists, probes = ours.index.index.nlist or 1, ours.index.index.nprobe

        def make() -> Grown:
            faiss = Faiss(self.metric, lists, probes, self.threads)
            return Grown(faiss, ours.stored, timed(lambda: faiss.add(vectors, ids)))

        return self.once(("faiss", digest(vectors), lists, probes), make)

    def grown(self, index: Any, growth: str, rows: int) -> Grown:
        base = self.load(rows)[0]
        begin = time.perf_counter()
        stored = GROWTHS[growth].grow(index, base)
        return Grown(index, stored, time.perf_counter() - begin)

    def told(self, ours: Ours) -> Measured:
        """What the index says of itself."""
        index = ours.index
        check = index.check()
        told = {"exact": first(EXACT, check, index, index._core), "promise": first(PROMISE, check, index)}
        told |= {name: getattr(check, name, None) for name in ("interval", "unreachable", "bytes")}
        told |= {name: getattr(index, name, None) for name in ("codes", "ef", "nlist", "nprobe")}
        return told | {"checked": getattr(check, "recall", None)}

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]


def in_turn(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each, in turn; each warms up first, whatever the one before left in the caches."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPEATS):
        for name, work in works.items():
            work()
            taken[name].append(timed(work))
    return {name: median(seconds) for name, seconds in taken.items()}


def timed(work: Callable[[], object]) -> float:
    return machine.best_seconds(work, 1)


def first(names: tuple[str, ...], *places: object) -> Any:
    """The first attribute of one of these names that one of these has."""
    known = (getattr(place, name, None) for place in places for name in names)
    return next((value for value in known if value is not None), None)


def digest(rows: Rows) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows).view(np.uint8).data).hexdigest()


def as_rows(found: Found, ids: Found) -> Found:
    """Answers as places in what is stored, -1 where there is no answer or none that could be."""
    places = np.full(int(ids.max()) + 2, -1)
    places[ids] = np.arange(len(ids))
    return places[np.where((found >= 0) & (found <= ids.max()), found, -1)]

"""The ways in which an index comes by its rows; each tells what is stored in the end.

A growth is a function of an index, of rows in the order of `data`, and of a generator. The index has `add`,
`upsert` and `remove` of vectors and ids, `reopen`, which saves and loads it, and `rounds`: how often all its
rows may be replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.recall import ROWS, SEED
from benchmarks.recall.elements import Rows

Ids = NDArray[np.int64]
Stored = tuple[Ids, Rows]
ROUNDS = 5  # of replacing everything
CHUNK = 400  # rows, where the size of a chunk is not what matters


class Growing(Protocol):
    rounds: int

    def add(self, vectors: Rows, ids: Ids) -> None: ...
    def upsert(self, vectors: Rows, ids: Ids) -> None: ...
    def remove(self, ids: Ids) -> None: ...
    def reopen(self) -> None: ...


@dataclass(frozen=True)
class Growth:
    """A way of growing, and what there is to know of it before it is taken."""

    name: str
    steps: Callable[[Growing, Rows, Generator], Stored]
    most: int = ROWS  # rows it is worth the time for
    adds_in_order: bool = False  # and does nothing else
    slow: bool = False  # so that long vectors have to be fewer

    def grow(self, index: Growing, rows: Rows, seed: int = SEED) -> Stored:
        """Fill an index; the ids and vectors it holds then, by id."""
        return self.steps(index, rows, np.random.default_rng([seed, len(rows)]))


def cut(n: int, size: int) -> Iterator[slice]:
    return (slice(first, first + size) for first in range(0, n, size))


def chunks(index: Growing, rows: Rows, rng: Generator, size: int, reopened: int = 0) -> Stored:
    """So many rows a call; saved and loaded after every so many calls."""
    ids = np.arange(len(rows))
    for call, chunk in enumerate(cut(len(rows), size), 1):
        index.add(rows[chunk], ids[chunk])
        if reopened and call % reopened == 0:
            index.reopen()
    return ids, rows


def one_batch(index: Growing, rows: Rows, rng: Generator) -> Stored:
    return chunks(index, rows, rng, len(rows))


def in_random_order(index: Growing, rows: Rows, rng: Generator, size: int) -> Stored:
    order = rng.permutation(len(rows))
    for chunk in cut(len(rows), size):
        index.add(rows[order[chunk]], order[chunk])
    return np.arange(len(rows)), rows


def remove_and_add(index: Growing, rows: Rows, rng: Generator) -> Stored:
    """A whole region goes, and comes again; three times."""
    ids, rows = one_batch(index, rows, rng)
    for fifth in rng.permutation(5)[:3]:
        gone = np.array_split(ids, 5)[fifth]
        index.remove(gone)
        index.add(rows[gone], gone)
    return ids, rows


def upsert_everywhere(index: Growing, rows: Rows, rng: Generator) -> Stored:
    """Every id gets the vector of another, round after round; the set of the vectors stays what it is."""
    ids = np.arange(len(rows))
    orders = [ids, *(rng.permutation(len(rows)) for _ in range(ROUNDS))][-1 - index.rounds :]
    index.add(rows[orders[0]], ids)
    for order in orders[1:]:
        for chunk in cut(len(rows), CHUNK):
            index.upsert(rows[order[chunk]], ids[chunk])
    return ids, rows[orders[-1]]


def move_on(index: Growing, rows: Rows, rng: Generator) -> Stored:
    """The first half is replaced by the second: nothing stays of what the index has learned from."""
    half = len(rows) // 2
    ids = np.arange(half)
    index.add(rows[:half], ids)
    for chunk in cut(half, CHUNK):
        index.upsert(rows[half:][chunk], ids[chunk])
    return ids, rows[half : 2 * half]


GROWTHS = {
    growth.name: growth
    for growth in (
        Growth("one-batch", one_batch, adds_in_order=True),
        Growth("chunks-20", partial(chunks, size=20), most=4000, adds_in_order=True),
        Growth("chunks-200", partial(chunks, size=200), adds_in_order=True),
        Growth("chunks-2000", partial(chunks, size=2000), adds_in_order=True),
        Growth("random-200", partial(in_random_order, size=200)),
        Growth("save-load", partial(chunks, size=CHUNK, reopened=3), adds_in_order=True),
        Growth("one-by-one", partial(chunks, size=1), most=3000, adds_in_order=True, slow=True),
        Growth("remove-and-add", remove_and_add, most=4000, slow=True),
        Growth("upsert-everywhere", upsert_everywhere, most=3000, slow=True),
        Growth("move-on", move_on, most=6000),
    )
}

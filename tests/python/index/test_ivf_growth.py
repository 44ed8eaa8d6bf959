"""Lists that grow too long are split, so that searches cost what they do in an index built at once."""

from __future__ import annotations

import numpy as np
import pytest
from truth import clustered, exact, recall

import lookalike as la


def crowd(count: int, seed: int) -> np.ndarray:
    """Vectors near one point."""
    rng = np.random.default_rng(seed)
    return (clustered(1, 32)[0] + 0.3 * rng.normal(size=(count, 32))).astype(np.float32)


@pytest.mark.parametrize("batch", [20_000, 7_000, 1_000])
def test_a_crowd_costs_what_it_costs_when_it_is_there_from_the_beginning(batch: int) -> None:
    spread, near = clustered(5_000, 32), crowd(20_000, 1)
    index, built = la.IVF(), la.IVF()
    index.add(spread)
    for first in range(0, len(near), batch):
        index.add(near[first : first + batch])
    built.add(np.concatenate([spread, near]))
    assert len(index) == len(built) == 25_000
    flat = exact(built)
    for queries in (clustered(200, 32, seed=7), crowd(200, 8)):
        assert recall(index, flat, queries) >= recall(built, flat, queries) - 0.02
        assert index.stats(queries)["distances"] <= 2 * built.stats(queries)["distances"]


def test_lists_are_split_unless_their_number_was_asked_for() -> None:
    free, fixed = la.IVF(), la.IVF(nlist=212)
    for index in (free, fixed):
        index.add(clustered(5_000, 32))
        assert index.nlist == 212
        for seed in range(4):  # fewer than there were: then all lists are learned anew
            index.add(crowd(1_000, seed))
    # Among 9,000 rows a list is split when it is longer than 127, into parts of 25 rows or more at first.
    assert 212 + 4_000 // 127 < free.nlist < 212 + 4_000 // 25 and fixed.nlist == 212
    queries = crowd(100, 9)
    assert free.stats(queries, nprobe=32)["distances"] < 0.9 * fixed.stats(queries, nprobe=32)["distances"]


def test_equal_vectors_are_added_as_fast_as_others() -> None:
    index = la.IVF()
    index.add(clustered(5_000, 32))
    same = np.full((500, 32), 0.5, np.float32)
    for _ in range(20):
        index.add(same)
    assert index.nlist <= 213
    assert index.search(same[0], k=10).distances.tolist() == [0] * 10
    assert index.check().unreachable == 0


def test_replacing_everything_learns_anew() -> None:
    rows, others = clustered(3000, 24), clustered(3000, 24, seed=5) + 40
    index, fresh = la.IVF(), la.IVF()
    index.add(rows)
    index.upsert(others, ids=np.arange(3000))
    fresh.add(others)
    queries = clustered(200, 24, seed=6) + 40
    assert index.search(queries, nprobe=2).ids.tolist() == fresh.search(queries, nprobe=2).ids.tolist()
    assert index.__reduce__()[1] == fresh.__reduce__()[1]

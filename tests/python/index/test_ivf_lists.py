"""Data of too few vectors, or too few different ones, for as many lists as are asked for."""

from __future__ import annotations

import numpy as np
import pytest
from truth import clustered, exact, recall, uniform

import lookalike as la

DATA = {
    "constant": np.full((2000, 24), 0.7, np.float32),
    "zeros": np.zeros((2000, 24), np.float32),
    "two vectors": np.repeat(clustered(2, 24), 1000, axis=0),
    "duplicates": np.tile(clustered(150, 24), (14, 1)),
    "two dims": uniform(2000, 2),
    "one line": np.linspace(-1, 1, 2000, dtype=np.float32)[:, None] * np.ones(24, np.float32),
    "one outlier": np.concatenate([clustered(1999, 24), np.full((1, 24), 1e6, np.float32)]),
}


@pytest.mark.parametrize("codes", ["f32", "u4", "rabitq"])
@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
@pytest.mark.parametrize("data", DATA)
def test_more_lists_than_there_are_kinds_of_vectors(data: str, metric: str, codes: str) -> None:
    rows, queries = DATA[data], DATA[data][::20]
    index = la.IVF(metric=metric, codes=codes, nlist=1024)
    index.add(rows[:-100])
    index.add(rows[-100:])
    hits = index.search(queries, k=20, nprobe=1024)
    assert (hits.counts == 20).all() and all(len(set(row)) == 20 for row in hits.ids.tolist())
    assert np.isfinite(hits.distances).all() and (np.diff(hits.distances) >= 0).all()
    # A bit of each of two coordinates, or of those of one line, tells hardly any vectors apart.
    if codes != "rabitq" or data not in ("two dims", "one line"):
        assert recall(index, exact(index), queries, nprobe=1024) >= 0.9
    index.remove(range(0, len(rows), 3))
    index.upsert(rows[:50], range(1, 51))
    index.optimize()
    assert index.check().unreachable == 0 and index.check().deleted == 0
    assert index.search(rows[7], k=len(rows)).counts == len(index)


@pytest.mark.parametrize("nlist", [1, 2, 1025, 5000])
def test_one_vector_at_a_time(nlist: int) -> None:
    """Through having fewer vectors than lists, and as many."""
    rows = clustered(1100, 12)
    index = la.IVF(nlist=nlist)
    for i in range(1100):
        index.add(rows[i])
        if i in (0, 1, 1023, 1024, 1025):
            ids, distances = index.search(rows[i], k=3)
            assert ids[0] == i and distances[0] == 0 and len(index) == i + 1
    assert index.nlist == nlist and index.check().unreachable == 0
    assert recall(index, exact(index), rows[::10], nprobe=nlist) == 1


@pytest.mark.parametrize("count", [1, 2, 1023, 1024, 1025, 1500])
def test_fewer_vectors_than_lists_are_searched_exactly(count: int) -> None:
    rows = clustered(count, 12)
    index = la.IVF(nlist=1500, codes="u4")
    index.add(rows)
    found, true = index.search(rows[:100], k=5), exact(index).search(rows[:100], k=5)
    assert found.distances.tolist() == true.distances.tolist() or count >= 1500
    assert index.stats()["lists"] == (40 if count >= 1500 else 0) and index.nlist == 1500


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_the_same_bytes_where_lists_are_learned_along_leading_directions(metric: str) -> None:
    rows = clustered(2500, 160)
    made = []
    for threads in (1, 2, 3):
        index = la.IVF(metric=metric, nlist=60)
        index.add(rows[:1100], threads=threads)
        index.add(rows[1100:], threads=threads)
        made.append(index.__reduce__()[1][0])
    assert made[0] == made[1] == made[2]

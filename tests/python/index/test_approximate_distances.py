"""The distances that HNSW and IVF return are those of Flat, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from truth import clustered, effort, exact, recall

import lookalike as la

DTYPES = [np.float32, np.float16, np.uint8, np.int8]
METRICS = ["l2", "ip", "cosine"]


def near_duplicates(count: int, dim: int, seed: int = 0) -> np.ndarray:
    """Few vectors and many more that nearly equal one of them."""
    centres = np.random.default_rng(99).normal(size=(40, dim))
    rng = np.random.default_rng(seed)
    return (centres[rng.integers(0, 40, count)] + 1e-4 * rng.normal(size=(count, dim))).astype(np.float32)


def built(kind: type, rows: np.ndarray, chunks: int = 1, **how) -> la.HNSW | la.IVF:
    index = kind(**how)
    for chunk in np.array_split(rows, chunks):
        index.add(chunk)
    return index


def check_distances(index: la.HNSW | la.IVF, flat: la.Flat, queries: np.ndarray, **how) -> None:
    """What was found lies as far as Flat has it, nearest first, and is found again at that distance."""
    hits = index.search(queries, k=10, **how)
    everything = flat.search(queries, k=len(flat))
    for i, found in enumerate(hits.ids):
        places = [int(np.flatnonzero(everything.ids[i] == one)[0]) for one in found]
        assert places == sorted(places), "not in Flat's order"
        assert np.array_equal(hits.distances[i], everything.distances[i][places])
    for query, found, distances in list(zip(queries, hits.ids, hits.distances, strict=True))[:4]:
        for one, distance in zip(found, distances, strict=True):
            assert one in index.range(query, float(distance), where=how.get("where")).ids


@pytest.mark.parametrize("data", [clustered, near_duplicates])
@pytest.mark.parametrize("metric", METRICS)
def test_of_floats(approximate, metric: str, data) -> None:
    index = built(approximate, data(3000, 77), chunks=3, metric=metric)
    check_distances(index, exact(index), data(30, 77, seed=1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("metric", METRICS)
def test_of_every_element(approximate, metric: str, dtype) -> None:
    for dim in (24, 300):  # scanned and walked over as they are, and by codes
        index = built(approximate, clustered(2500, dim, dtype=dtype), metric=metric)
        flat = exact(index)
        check_distances(index, flat, clustered(30, dim, seed=1, dtype=dtype))
        check_distances(index, flat, clustered(30, dim, seed=2))


def test_of_bits(approximate) -> None:
    rows, queries = (np.packbits(clustered(n, 256, seed) > 0.2, axis=1) for n, seed in ((3000, 0), (30, 1)))
    index = built(approximate, rows, metric="hamming")
    check_distances(index, exact(index), queries)


@pytest.mark.parametrize(
    ("codes", "keep"),
    [("f32", "auto"), ("f16", "none"), ("u8", "auto"), ("u4", "f16"), ("u2", "auto"), ("rabitq", "f16")],
)
@pytest.mark.parametrize("metric", METRICS)
def test_of_every_code(approximate, metric: str, codes: str, keep: str) -> None:
    index = built(approximate, clustered(2500, 96), metric=metric, codes=codes, keep=keep)
    check_distances(index, exact(index), clustered(30, 96, seed=1))


@pytest.mark.parametrize("value", [10, 100, 2**31 - 1])
def test_at_every_effort(approximate, value: int) -> None:
    index = built(approximate, clustered(3000, 77), metric="cosine")
    check_distances(index, exact(index), clustered(20, 77, seed=1), **effort(index, value))


def test_under_filters(approximate) -> None:
    index = built(approximate, clustered(4000, 77), metric="cosine")
    flat, queries = exact(index), clustered(20, 77, seed=1)
    for where in (range(0, 4000, 2), range(0, 4000, 100), range(5, 25)):
        check_distances(index, flat, queries, where=np.array(where))


@pytest.mark.parametrize("metric", METRICS)
def test_alone_together_and_on_threads(approximate, metric: str) -> None:
    index = built(approximate, clustered(3000, 77), metric=metric)
    queries = clustered(65, 77, seed=1)
    together = index.search(queries, k=10)
    for threads in (1, 2, 3):
        on_threads = index.search(queries, k=10, threads=threads)
        assert np.array_equal(on_threads.ids, together.ids)
        assert np.array_equal(on_threads.distances, together.distances)
    for query, ids, distances in zip(queries, together.ids, together.distances, strict=True):
        alone = index.search(query, k=10)
        assert np.array_equal(alone.ids, ids)
        assert np.array_equal(alone.distances, distances)


@pytest.mark.parametrize("mmap", [False, True])
def test_after_loading(approximate, tmp_path: Path, mmap: bool) -> None:
    index = built(approximate, clustered(3000, 77), metric="cosine")
    queries = clustered(30, 77, seed=1)
    before = index.search(queries, k=10)
    index.save(tmp_path / "index")
    loaded = la.load(tmp_path / "index", mmap=mmap)
    check_distances(loaded, exact(index), queries)
    assert np.array_equal(loaded.search(queries, k=10).distances, before.distances)


def test_near_duplicates_under_cosine_are_told_apart(approximate) -> None:
    rows = near_duplicates(4000, 64)
    index = built(approximate, rows, metric="cosine")
    queries = rows[::40]
    hits = index.search(queries, k=1)
    assert np.mean(hits.ids[:, 0] == np.arange(0, 4000, 40)) >= 0.95
    assert np.all(hits.distances >= 0)
    assert np.all(hits.distances[hits.ids[:, 0] == np.arange(0, 4000, 40)] == 0)
    assert recall(index, exact(index), queries, k=10) >= 0.95

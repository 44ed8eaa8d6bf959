"""Data that approximate indexes lose rows in: duplicates, constants, zeros, two dimensions, thousands."""

from __future__ import annotations

import numpy as np
import pytest
from truth import clustered, exact, recall, uniform

import lookalike as la


def check_all_found(
    index: la.HNSW | la.IVF, rows: np.ndarray, floor: float = 0.95, found: float = 1.0
) -> None:
    """Every row, or so large a share, finds something at its own place, and no row is out of reach."""
    state = index.check()
    assert state.unreachable == 0 and state.recall >= floor
    flat = exact(index)
    some = rows[:: max(1, len(rows) // 500)]
    near, truth = index.search(some, k=1).distances, flat.search(some, k=1).distances
    assert np.isclose(near, truth, rtol=1e-5, atol=1e-5).mean() >= found
    assert recall(index, flat, some) >= floor


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.3])
def test_nothing_but_one_vector(approximate, metric: str, value: float) -> None:
    rows = np.full((3000, 20), value, np.float32)
    index = approximate(metric=metric)
    index.add(rows)
    check_all_found(index, rows)
    ids = index.search(rows[0], k=50).ids
    assert len(set(ids.tolist())) == 50


@pytest.mark.parametrize("codes", ["f32", "u4", "rabitq"])
def test_many_copies_among_others(approximate, codes: str) -> None:
    others = clustered(4000, 96)
    rows = np.concatenate([others[:2000], np.repeat(others[:1] + 1, 10_000, axis=0), others[2000:]])
    index = approximate(codes=codes)
    index.add(rows)
    # Four bits cannot tell the copies from what lies close to them, and a few rows there stay hidden.
    found = 0.98 if codes == "u4" else 1.0
    check_all_found(index, others, found=found)
    ids, distances = index.search(others[0] + 1, k=20)
    assert (distances == 0).all() and ((ids >= 2000) & (ids < 12_000)).all() and len(set(ids.tolist())) == 20
    assert (index.search(others[::10], k=1).distances <= 1e-6).mean() >= found


def test_every_row_several_times(approximate) -> None:
    rows = np.repeat(clustered(400, 40), 8, axis=0)
    index = approximate()
    index.add(rows)
    check_all_found(index, rows)
    distances = index.search(rows[::8], k=8).distances
    assert (distances == 0).mean() > 0.95


@pytest.mark.parametrize("rows", [0, 1, 2, 511, 512, 513, 600])
def test_few_rows_are_searched_exactly_or_nearly(approximate, rows: int) -> None:
    data = clustered(rows, 40)
    index = approximate()
    index.add(data)
    state = index.check()
    assert state.rows == rows and state.unreachable == 0 and state.recall >= 0.99
    found = index.search(clustered(20, 40, seed=1), k=5)
    assert (found.counts == min(rows, 5)).all()
    if rows:
        assert index.search(data[-1], k=1).ids.tolist() == [rows - 1]


def test_zero_vectors_under_cosine(approximate) -> None:
    rows = clustered(3000, 40)
    rows[::3] = 0
    index = approximate(metric="cosine")
    index.add(rows)
    flat, queries = exact(index), clustered(200, 40, seed=1)
    assert recall(index, flat, queries) >= 0.95
    assert (index.search(np.zeros(40), k=10).distances == 1).all()
    assert index.check().unreachable == 0


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_few_dimensions(approximate, metric: str, dim: int) -> None:
    rows = uniform(4000, dim)
    index = approximate(metric=metric)
    index.add(rows)
    assert recall(index, exact(index), uniform(200, dim, seed=1)) >= 0.95


@pytest.mark.parametrize("dim", [1300, 4096])
@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_many_dimensions(approximate, metric: str, dim: int) -> None:
    rows = clustered(1500, dim)
    index = approximate(metric=metric)
    index.add(rows)
    assert recall(index, exact(index), clustered(100, dim, seed=1)) >= 0.95
    assert index.codes in ("u8", "u4", "u2")


def test_lengths_of_every_size_under_inner_product(approximate) -> None:
    rows = clustered(3000, 40) * np.exp(np.random.default_rng(1).normal(size=(3000, 1)) * 2).astype(
        np.float32
    )
    index = approximate(metric="ip")
    index.add(rows[:1000] * 1e-3)
    index.add(rows[1000:])
    assert recall(index, exact(index), clustered(200, 40, seed=1)) >= 0.95


@pytest.mark.parametrize("scale", [1e-18, 1e-6, 1e6, 1e15])
@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_any_scale(approximate, metric: str, scale: float) -> None:
    rows, queries = clustered(2000, 40) * np.float32(scale), clustered(100, 40, seed=1) * np.float32(scale)
    index = approximate(metric=metric)
    index.add(rows)
    found, true = index.search(queries), exact(index).search(queries)
    assert la.evaluate.recall(found.ids, true.ids) >= 0.95


def test_far_from_the_origin(approximate) -> None:
    rows = clustered(3000, 40) + np.float32(1000)
    index = approximate()
    index.add(rows)
    found, true = index.search(rows[::10]), exact(index).search(rows[::10])
    assert la.evaluate.recall(found.ids, true.ids) >= 0.95


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_sorted_data(approximate, metric: str) -> None:
    """Rows that come cluster by cluster, as files in a folder do."""
    rows = clustered(5000, 40)
    rows = rows[np.argsort(rows[:, 0])]
    index = approximate(metric=metric)
    for start in range(0, 5000, 500):
        index.add(rows[start : start + 500])
    assert recall(index, exact(index), clustered(200, 40, seed=1)) >= 0.95
    assert index.check().unreachable <= 0.001 * 5000
    index.optimize()
    assert index.check().unreachable == 0

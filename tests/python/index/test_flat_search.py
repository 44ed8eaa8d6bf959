from __future__ import annotations

import numpy as np
import pytest
from oracle import check_nearest, distances, tolerance

import lookalike as la

METRICS = ["l2", "ip", "cosine"]
DTYPES = [np.float32, np.float16, np.uint8, np.int8]


def vectors(rng, n: int, dim: int, dtype) -> np.ndarray:
    low = 0 if dtype == np.uint8 else -100
    return rng.uniform(low, 100, size=(n, dim)).astype(dtype)


@pytest.mark.parametrize("dim", [1, 3, 16, 67, 784])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("metric", METRICS)
def test_finds_what_numpy_finds(metric: str, dtype, dim: int) -> None:
    rng = np.random.default_rng(dim)
    rows, queries = vectors(rng, 300, dim, dtype), vectors(rng, 9, dim, dtype)
    index = la.Flat(metric=metric)
    index.add(rows)
    ids, found = index.search(queries, k=7)
    assert ids.dtype == np.int64 and found.dtype == np.float32 and ids.shape == found.shape == (9, 7)
    exact = distances(queries, rows, metric)
    check_nearest(ids, found, exact, range(300), 7, tolerance(queries, rows, metric))


@pytest.mark.parametrize("query_dtype", [*DTYPES, np.float64])
@pytest.mark.parametrize("row_dtype", DTYPES)
@pytest.mark.parametrize("metric", METRICS)
def test_queries_of_any_dtype_meet_rows_of_any(metric: str, row_dtype, query_dtype) -> None:
    rng = np.random.default_rng(5)
    rows, queries = vectors(rng, 200, 24, row_dtype), vectors(rng, 5, 24, query_dtype)
    queries = queries.astype(np.float32) if query_dtype == np.float64 else queries
    index = la.Flat(metric=metric)
    index.add(rows)
    ids, found = index.search(queries.astype(query_dtype), k=4)
    exact = distances(queries, rows, metric)
    check_nearest(ids, found, exact, range(200), 4, tolerance(queries, rows, metric))


def test_hamming_counts_bits() -> None:
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 256, (150, 13), dtype=np.uint8)
    index = la.Flat(metric="hamming")
    index.add(rows)
    ids, found = index.search(rows[:6], k=5)
    exact = distances(rows[:6], rows, "hamming")
    assert (found == np.sort(exact, axis=1)[:, :5]).all()
    check_nearest(ids, found, exact, range(150), 5, 0)
    assert index.codes == "bits" and index.dim == 13


def test_integers_are_exact_to_the_last_bit() -> None:
    rng = np.random.default_rng(2)
    rows = rng.integers(0, 256, (400, 784)).astype(np.float32)
    index = la.Flat()
    index.add(rows)
    assert index.codes == "u8"
    _, found = index.search(rows[:20], k=3)
    exact = np.sort(distances(rows[:20], rows, "l2"), axis=1)[:, :3]
    assert (found == exact.astype(np.float32)).all()


def test_no_cancellation_far_from_the_origin() -> None:
    rng = np.random.default_rng(3)
    rows = (1e4 + rng.normal(size=(500, 32)) * 1e-2).astype(np.float32)
    index = la.Flat(codes="f32")
    index.add(rows)
    ids, found = index.search(rows[:50], k=2)
    assert (ids[:, 0] == np.arange(50)).all() and (found[:, 0] == 0).all()
    exact = np.sort(distances(rows[:50], rows, "l2"), axis=1)[:, 1]
    np.testing.assert_allclose(found[:, 1], exact, rtol=1e-6)


def test_equal_distances_keep_insertion_order() -> None:
    index = la.Flat()
    index.add(np.ones((50, 4), np.float32), ids=np.arange(50)[::-1].copy())
    assert index.search(np.ones(4), k=50).ids.tolist() == list(range(49, -1, -1))


def test_evaluate_recall_refuses_ragged_ids() -> None:
    with pytest.raises(la.InvalidArgument, match="found_ids"):
        la.evaluate.recall([[1], [1, 2]], [[1, 2], [1, 2]], k=2)


def test_evaluate_recall() -> None:
    assert la.evaluate.recall([[1, 2], [3, 4]], [[1, 9], [4, 3]], k=2) == 0.75
    assert la.evaluate.recall([1, -1], [1, -1], k=2) == 1.0
    assert la.evaluate.recall([["a", None]], [["a", "b"]], k=2) == 0.5
    assert la.evaluate.recall([[1, 1]], [[1, 2]], k=2) == 0.5
    assert la.evaluate.recall([[8]], [[9]], k=1, found_distances=[[2.0]], true_distances=[[2.0]]) == 1
    with pytest.raises(la.InvalidArgument):
        la.evaluate.recall([[1]], [[1], [2]])


def test_info() -> None:
    info = la.info()
    assert info.isa in info.isas and info.threads >= 1 and info.version == la.__version__

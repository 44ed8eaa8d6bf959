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


def test_a_zero_vector_has_cosine_zero() -> None:
    index = la.Flat(metric="cosine")
    index.add([[0, 0], [1, 0]])
    assert index.search([2.5, 0], k=2).distances.tolist() == [0, 1]
    assert index.search([0.0, 0], k=2).distances.tolist() == [1, 1]


@pytest.mark.parametrize("string", [False, True])
def test_shapes_and_padding(string: bool) -> None:
    index = la.Flat()
    index.add(np.eye(3), ids=["a", "b", "c"] if string else None)
    padding = None if string else -1
    one = index.search([1, 0, 0], k=5)
    assert one.ids.shape == one.distances.shape == (5,)
    assert one.ids[3:].tolist() == [padding] * 2 and np.isinf(one.distances[3:]).all()
    assert one.counts == 3
    many = index.search(np.eye(3)[:2], k=5)
    assert many.ids.shape == (2, 5) and many.counts.tolist() == [3, 3]
    none = index.search(np.empty((0, 3)), k=5)
    assert none.ids.shape == none.distances.shape == (0, 5)
    assert index.search([], k=5).ids.shape == (0, 5)
    assert index.search(np.empty(0, np.float32), k=5).ids.shape == (0, 5)


def test_an_empty_index_answers_with_padding() -> None:
    for index in (la.Flat(), la.Flat(dim=3)):
        ids, found = index.search([1, 2, 3], k=2)
        assert ids.tolist() == [-1, -1] and np.isinf(found).all()
        near = index.range([1, 2, 3], radius=9)
        assert near.ids.size == 0 and near.offsets.tolist() == [0, 0]


def test_k_beyond_the_index_costs_no_gigabytes() -> None:
    index = la.Flat()
    index.add(np.eye(3))
    assert index.search([1, 0, 0], k=65536).counts == 3
    with pytest.raises(la.InvalidArgument, match=r"k is 65537, but the index holds 3"):
        index.search([1, 0, 0], k=65537)


def test_scores_are_larger_for_nearer() -> None:
    rows = np.array([[1.5, 0], [0, 2.5]])
    for metric, expected in [("ip", [3, 0]), ("cosine", [1, 0]), ("l2", [-0.25, -10.25])]:
        index = la.Flat(metric=metric)
        index.add(rows)
        np.testing.assert_allclose(index.search([2, 0], k=2).scores, expected)
        assert index.search([2, 0], k=3).scores[2] == -np.inf


class TestWhere:
    @pytest.fixture
    def index(self) -> la.Flat:
        index = la.Flat()
        index.add(np.arange(10, dtype=np.float32)[:, None])
        return index

    @pytest.mark.parametrize(
        "where",
        [
            [7, 3, 99],
            (7, 3),
            {3, 7},
            np.array([3, 7], np.int16),
            np.isin(np.arange(10), [3, 7]),
            [i in (3, 7) for i in range(10)],
            lambda id: id in (3, 7),
        ],
    )
    def test_every_way_to_say_it(self, index: la.Flat, where) -> None:
        hits = index.search([4.2], k=3, where=where)
        assert hits.ids.tolist() == [3, 7, -1]
        assert index.range([4.2], radius=9, where=where).ids.tolist() == [3, 7]

    @pytest.mark.parametrize("where", [[], np.array([]), np.zeros(10, bool), lambda id: False, [77]])
    def test_nothing_admitted(self, index: la.Flat, where) -> None:
        assert index.search([4], k=2, where=where).counts == 0

    def test_a_callable_is_asked_once_an_id(self, index: la.Flat) -> None:
        asked = []
        index.search(np.zeros((5, 1)), k=2, where=lambda id: asked.append(id) or True)
        assert asked == list(range(10))

    def test_masks_follow_insertion_order_after_removals(self, index: la.Flat) -> None:
        index.remove([0, 5])
        mask = index.ids >= 8
        assert len(mask) == 8
        assert index.search([0], k=3, where=mask).ids.tolist() == [8, 9, -1]

    def test_refusals(self, index: la.Flat) -> None:
        with pytest.raises(la.InvalidArgument, match=r"mask of 9 values, but the index holds 10"):
            index.search([1], where=np.ones(9, bool))
        with pytest.raises(la.InvalidArgument, match="where"):
            index.search([1], where=[0.5])
        with pytest.raises(la.InvalidArgument, match="int ids"):
            index.search([1], where=["a"])
        with pytest.raises(ZeroDivisionError):
            index.search([1], where=lambda id: 1 // 0)


@pytest.mark.parametrize("metric", METRICS)
def test_range_is_ragged_and_complete(metric: str) -> None:
    rng = np.random.default_rng(4)
    rows, queries = rng.normal(size=(300, 8)).astype(np.float32), rng.normal(size=(12, 8)).astype(np.float32)
    index = la.Flat(metric=metric)
    index.add(rows)
    exact = distances(queries, rows, metric)
    radius = float(np.quantile(exact, 0.1))
    near = index.range(queries, radius)
    assert len(near) == 12 and near.offsets[0] == 0 and near.offsets[-1] == len(near.ids)
    for query, hits in enumerate(near):
        assert set(hits.ids.tolist()) == set(np.flatnonzero(exact[query] <= radius).tolist())
        assert (np.diff(hits.distances) >= 0).all()
    assert near.counts.tolist() == [(row <= radius).sum() for row in exact]
    assert near[-1].ids.tolist() == near[11].ids.tolist()
    with pytest.raises(IndexError):
        near[12]
    assert index.range(queries, float("inf")).counts.tolist() == [300] * 12
    assert index.range(queries, -1e30).counts.tolist() == [0] * 12
    with pytest.raises(la.InvalidArgument, match="radius"):
        index.range(queries, float("nan"))


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

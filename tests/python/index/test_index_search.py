"""What searching any index gives back: shapes, padding, filters, ranges. Few vectors: exact."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import distances

import lookalike as la

METRICS = ["l2", "ip", "cosine"]


def test_a_zero_vector_has_cosine_zero(kind) -> None:
    index = kind(metric="cosine")
    index.add([[0, 0], [1, 0]])
    assert index.search([2.5, 0], k=2).distances.tolist() == [0, 1]
    assert index.search([0.0, 0], k=2).distances.tolist() == [1, 1]


@pytest.mark.parametrize("string", [False, True])
def test_shapes_and_padding(kind, string: bool) -> None:
    index = kind()
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


def test_an_empty_index_answers_with_padding(kind) -> None:
    for index in (kind(), kind(dim=3)):
        ids, found = index.search([1, 2, 3], k=2)
        assert ids.tolist() == [-1, -1] and np.isinf(found).all()
        near = index.range([1, 2, 3], radius=9)
        assert near.ids.size == 0 and near.offsets.tolist() == [0, 0]


def test_k_beyond_the_index_costs_no_gigabytes(kind) -> None:
    index = kind()
    index.add(np.eye(3))
    assert index.search([1, 0, 0], k=65536).counts == 3
    with pytest.raises(la.InvalidArgument, match=r"k is 65537, but the index holds 3"):
        index.search([1, 0, 0], k=65537)


def test_scores_are_larger_for_nearer(kind) -> None:
    rows = np.array([[1.5, 0], [0, 2.5]])
    for metric, expected in [("ip", [3, 0]), ("cosine", [1, 0]), ("l2", [-0.25, -10.25])]:
        index = kind(metric=metric)
        index.add(rows)
        np.testing.assert_allclose(index.search([2, 0], k=2).scores, expected)
        assert index.search([2, 0], k=3).scores[2] == -np.inf


class TestWhere:
    @pytest.fixture
    def index(self, kind) -> la.Flat | la.HNSW:
        index = kind()
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
    def test_every_way_to_say_it(self, index, where) -> None:
        hits = index.search([4.2], k=3, where=where)
        assert hits.ids.tolist() == [3, 7, -1]
        assert index.range([4.2], radius=9, where=where).ids.tolist() == [3, 7]

    @pytest.mark.parametrize("where", [[], np.array([]), np.zeros(10, bool), lambda id: False, [77]])
    def test_nothing_admitted(self, index, where) -> None:
        assert index.search([4], k=2, where=where).counts == 0

    @pytest.mark.parametrize(
        "where", [np.ma.masked_array(np.ones(10, bool), np.arange(10) > 3), np.ma.masked_equal([3, 7], 7)]
    )
    def test_masked_values_are_refused(self, index, where) -> None:
        for call in (lambda: index.search([4], where=where), lambda: index.range([4], 9, where=where)):
            with pytest.raises(la.InvalidArgument, match="where holds masked values"):
                call()

    def test_masked_arrays_that_mask_nothing_are_arrays(self, index) -> None:
        where = np.ma.masked_array(np.arange(10) < 2, False)
        assert index.search([4], k=3, where=where).ids.tolist() == [1, 0, -1]

    def test_a_callable_is_asked_once_an_id(self, index) -> None:
        asked = []
        index.search(np.zeros((5, 1)), k=2, where=lambda id: asked.append(id) or True)
        assert asked == list(range(10))

    def test_masks_follow_insertion_order_after_removals(self, index) -> None:
        index.remove([0, 5])
        mask = index.ids >= 8
        assert len(mask) == 8
        assert index.search([0], k=3, where=mask).ids.tolist() == [8, 9, -1]

    def test_refusals(self, index) -> None:
        with pytest.raises(la.InvalidArgument, match=r"mask of 9 values, but the index holds 10"):
            index.search([1], where=np.ones(9, bool))
        with pytest.raises(la.InvalidArgument, match="where"):
            index.search([1], where=[0.5])
        with pytest.raises(la.InvalidArgument, match=r"^where came as str, .* int ids"):
            index.search([1], where=["a"])
        with pytest.raises(ZeroDivisionError):
            index.search([1], where=lambda id: 1 // 0)


@pytest.mark.parametrize("metric", METRICS)
def test_range_is_ragged_and_complete(kind, metric: str) -> None:
    rng = np.random.default_rng(4)
    rows, queries = rng.normal(size=(300, 8)).astype(np.float32), rng.normal(size=(12, 8)).astype(np.float32)
    index = kind(metric=metric)
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
    for no_query in (slice(0, 2), 1.0, "1"):
        with pytest.raises(TypeError, match="as an integer"):
            near[no_query]
    assert index.range(queries, float("inf")).counts.tolist() == [300] * 12
    assert index.range(queries, -1e30).counts.tolist() == [0] * 12
    with pytest.raises(la.InvalidArgument, match="radius"):
        index.range(queries, float("nan"))

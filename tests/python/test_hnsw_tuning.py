"""ef, recall, tune, check and stats."""

from __future__ import annotations

import io

import numpy as np
import pytest
from truth import clustered, exact, recall, uniform

import lookalike as la
from lookalike.tuning import least_effort, wilson

ROWS = uniform(6000, 20)
QUERIES = uniform(500, 20, seed=1)


@pytest.fixture(scope="module")
def shared() -> la.HNSW:
    """An index nobody changes or tunes."""
    index = la.HNSW(M=6, ef_construction=60)
    index.add(ROWS)
    return index


@pytest.fixture
def index(shared) -> la.HNSW:
    return la.load(io.BytesIO(shared.__reduce__()[1][0]))


def test_more_effort_finds_more(shared) -> None:
    flat = exact(shared)
    reached = [recall(shared, flat, QUERIES, ef=ef) for ef in (10, 40, 160, 640)]
    assert reached == sorted(reached) and reached[0] < 0.9 and reached[-1] > 0.99
    low, high = (shared.search(QUERIES, k=10, ef=ef) for ef in (1, 10))
    assert np.array_equal(low.ids, high.ids), "an ef below k acts as k"
    assert recall(shared, flat, QUERIES[:50], ef=10**6) == 1


@pytest.mark.parametrize("target", [0.5, 0.9, 0.99, 0.998])
def test_tune_reaches_what_was_asked(index, target: float) -> None:
    state = index.tune(recall=target)
    assert state.recall >= target and state.interval[0] <= state.recall <= state.interval[1]
    assert state.rows == 6000 and state.unreachable == 0
    held_out = recall(index, exact(index), QUERIES)
    assert held_out >= target - 0.02, "queries that were not measured fare no worse"
    assert np.array_equal(index.search(QUERIES).ids, index.search(QUERIES, ef=index.ef).ids)
    assert np.array_equal(index.search(QUERIES).ids, index.search(QUERIES, recall=target).ids)
    if target == 0.9:
        assert state.recall < 0.93, "and no more is spent than is needed"
        assert index.check() == state


def test_what_was_tuned_is_kept_in_the_file(index) -> None:
    index.tune(recall=0.99)
    high = index.ef
    index.tune(recall=0.9)
    assert 16 <= index.ef < high
    file = io.BytesIO()
    index.save(file)
    other = la.load(io.BytesIO(file.getvalue()))
    assert other.ef == index.ef
    for target in (0.85, 0.9, 0.99):
        assert np.array_equal(
            other.search(QUERIES, recall=target).ids, index.search(QUERIES, recall=target).ids
        )
    assert np.array_equal(other.search(QUERIES, recall=0.99).ids, index.search(QUERIES, ef=high).ids)
    again = io.BytesIO()
    other.save(again)
    assert again.getvalue() == file.getvalue()


def test_a_recall_nobody_measured_is_refused(index) -> None:
    with pytest.raises(la.InvalidArgument, match=r"call tune\(recall=0.9\)"):
        index.search(QUERIES, recall=0.9)
    index.tune(recall=0.9)
    with pytest.raises(la.InvalidArgument, match=r"call tune\(recall=0.9999\)"):
        index.search(QUERIES, recall=0.9999)
    with pytest.raises(la.InvalidArgument, match="only one of them"):
        index.search(QUERIES, recall=0.9, ef=50)


def test_old_measurements_go_when_the_index_contradicts_them(index) -> None:
    index.tune(recall=0.95)
    before = index.ef
    index.add(uniform(12_000, 20, seed=2))
    state = index.tune(recall=0.95)
    assert index.ef > before and state.recall >= 0.95
    assert recall(index, exact(index), QUERIES, recall=0.95) >= 0.93


def test_queries_of_the_users_own(index) -> None:
    far = QUERIES * 3
    near = index.tune(recall=0.95, queries=ROWS[:300] + 1e-3)
    cheap = index.ef
    state = index.tune(recall=0.95, queries=far)
    assert state.recall >= 0.95 and near.recall >= 0.95 and index.ef != cheap
    assert recall(index, exact(index), far) >= 0.95 - 0.01
    assert index.tune(queries=far[0]).recall >= 0.95


@pytest.mark.parametrize("value", [0, -0.5, 1.01, "high", None, float("nan"), [0.9]])
def test_tune_refuses_what_is_no_recall(index, value) -> None:
    with pytest.raises(la.InvalidArgument, match="recall"):
        index.tune(recall=value)


def test_tune_refuses_unusable_queries(index) -> None:
    for queries in (np.empty((0, 20)), []):
        with pytest.raises(la.InvalidArgument, match="queries"):
            index.tune(queries=queries)
    with pytest.raises(la.DimensionMismatch):
        index.tune(queries=np.ones((3, 7)))
    with pytest.raises(la.InvalidArgument, match="nan"):
        index.tune(queries=np.full((3, 20), np.nan))
    assert index.ef == la.HNSW().ef


@pytest.mark.parametrize("rows", [0, 1, 2, 9, 300, 700])
def test_small_indexes_can_be_tuned(rows: int) -> None:
    index = la.HNSW()
    index.add(ROWS[:rows])
    usual = index.ef
    state = index.tune(recall=0.95)
    assert state.recall >= 0.95 and state.rows == rows and index.ef == usual
    assert index.search(QUERIES[0], k=3, recall=0.95).counts == min(rows, 3)
    assert index.tune(recall=0.9, queries=QUERIES).recall >= 0.95


@pytest.mark.parametrize("rows", [0, 10, 1000])
def test_what_a_tiny_index_needs_tells_nothing_of_a_large_one(rows: int) -> None:
    index = la.HNSW()
    index.add(ROWS[:rows])
    index.tune(recall=0.95)
    if rows:
        hits = index.search(QUERIES, k=10, recall=0.999)
        assert np.array_equal(hits.distances, exact(index).search(QUERIES, k=10).distances)
    index.add(ROWS[rows:])
    with pytest.raises(la.InvalidArgument, match="no measured ef"):
        index.search(QUERIES, recall=0.95)
    index.tune(recall=0.95)
    assert recall(index, exact(index), QUERIES, recall=0.95) >= 0.93


@pytest.mark.parametrize("seed", range(6))
def test_equal_vectors_stand_for_one_another(seed: int) -> None:
    """However kernels round a cosine of 1, and where the one entry of the graph is what is asked for."""
    index = la.HNSW(metric="cosine")
    index.add(np.tile(np.random.default_rng(seed).normal(size=300), (1000, 1)))
    assert index.check().recall == 1


def test_stats_are_the_same_on_any_threads(shared) -> None:
    one, two = (shared.stats(QUERIES, ef=40, threads=threads) for threads in (1, 2))
    assert one == two and 0 < one["hops"] < one["distances"]


def test_check_counts_what_is_there(index) -> None:
    index.remove(range(600))
    state = index.check()
    assert state.rows == 5400 and state.deleted == pytest.approx(0.1) and state.unreachable == 0
    assert state.bytes == index.nbytes and state.interval[0] < state.recall <= state.interval[1]
    assert abs(state.recall - recall(index, exact(index), QUERIES)) < 0.03
    assert index.check() == state, "the same queries are drawn again"


def test_stats_count_the_work(shared) -> None:
    few, many = shared.stats(QUERIES, ef=16), shared.stats(QUERIES, ef=128)
    assert set(few) == {"hops", "distances", "reranked", "bytes"}
    assert 10 <= few["hops"] <= few["distances"] < many["distances"] < 6000
    assert few["hops"] < many["hops"] and few["bytes"] < many["bytes"]
    assert 10 <= few["reranked"] <= 16
    assert shared.stats(QUERIES[0], k=5)["hops"] > 0 and shared.stats()["distances"] > 0
    assert shared.stats() == shared.stats(threads=1)
    assert la.HNSW().stats()["hops"] == 0


def test_what_an_index_was_made_with() -> None:
    index = la.HNSW(8, "cosine", M=12, ef_construction=77, codes="u8", keep="f16", seed=9)
    assert (index.dim, index.metric, index.codes, index.keep) == (8, "cosine", "u8", "f16")
    assert (index.M, index.ef_construction, index.seed, index.ef) == (12, 77, 9, 64)
    assert repr(index) == "HNSW(dim=8, metric='cosine', codes='u8', keep='f16', M=12, rows=0, bytes=0)"
    other = la.load(io.BytesIO(index.__reduce__()[1][0]))
    assert repr(other) == repr(index) and (other.ef_construction, other.seed) == (77, 9)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("M", [0, 1, 513, 2.5, "16", True, None]),
        ("ef_construction", [0, -1, 65537, 1.5, None]),
        ("seed", [-1, 2**63, 0.5, None]),
        ("codes", ["u2", 8, None]),
        ("keep", ["u2", "u4", 8, None]),
    ],
)
def test_bad_construction(name: str, values) -> None:
    for value in values:
        with pytest.raises(la.InvalidArgument, match=f"^{name} "):
            la.HNSW(**{name: value})


@pytest.mark.parametrize(
    "words",
    [
        {"codes": "u4", "keep": "none"},
        {"codes": "auto", "keep": "none"},
        {"codes": "f32", "keep": "f16"},
        {"codes": "f16", "keep": "u8"},
        {"metric": "hamming", "keep": "u8"},
        {"metric": "hamming", "keep": "none"},
        {"metric": "hamming", "codes": "u4"},
    ],
)
def test_words_that_do_not_go_together(words) -> None:
    with pytest.raises(la.InvalidArgument, match=r"keep|metric"):
        la.HNSW(**words)


@pytest.mark.parametrize("ef", [0, -1, 2.0, "64", True, 2**31, [10]])
def test_bad_ef(shared, ef) -> None:
    for call in (lambda: shared.search(QUERIES, ef=ef), lambda: shared.stats(QUERIES, ef=ef)):
        with pytest.raises(la.InvalidArgument, match=r"^ef is "):
            call()


def test_the_interval_of_wilson() -> None:
    low, high = wilson(1.0, 100)
    assert high == 1 and low == pytest.approx(0.96301, abs=1e-5)
    low, high = wilson(0.5, 100)
    assert (low, high) == (pytest.approx(0.40383, abs=1e-5), pytest.approx(0.59617, abs=1e-5))
    assert wilson(0.0, 10)[0] == 0


def test_the_interval_holds_the_truth() -> None:
    """Recall over fresh queries lies inside it about as often as it says, and more often is no fault."""
    index = la.HNSW(M=6, ef_construction=60)
    index.add(clustered(4000, 40))
    low, high = index.check().interval
    truth = recall(index, exact(index), clustered(4000, 40, seed=1))
    assert low - 0.01 <= truth <= high + 0.01


def test_least_effort_gives_up_at_the_last() -> None:
    measured = least_effort(lambda effort: 0.5, 0.9, 10, 100)
    assert measured == [(0.5, 10), (0.5, 20), (0.5, 40), (0.5, 80), (0.5, 100)]
    assert least_effort(lambda effort: 1.0, 0.9, 10, 100) == [(1.0, 10)]

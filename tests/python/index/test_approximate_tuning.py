"""ef and nprobe, recall, tune, check and stats."""

from __future__ import annotations

import io

import numpy as np
import pytest
from truth import clustered, effort, exact, recall, uniform

import lookalike as la
from lookalike.index.tuning import least_effort, wilson

ROWS = uniform(6000, 20)
QUERIES = uniform(500, 20, seed=1)


# Efforts from the least to more than there is to do.
EFFORTS = {la.HNSW: (10, 40, 160, 640, 10**6), la.IVF: (3, 12, 48, 192, 10**6)}


def weak(kind: type) -> la.HNSW | la.IVF:
    """An index that needs effort."""
    return la.HNSW(M=6, ef_construction=60) if kind is la.HNSW else la.IVF()


def usual(index: la.HNSW | la.IVF) -> int:
    """The effort of searches that name none."""
    return index.ef if isinstance(index, la.HNSW) else index.nprobe


@pytest.fixture(scope="module", params=[la.HNSW, la.IVF], ids=["hnsw", "ivf"])
def shared(request: pytest.FixtureRequest) -> la.HNSW | la.IVF:
    """An index nobody changes or tunes."""
    index = weak(request.param)
    index.add(ROWS)
    return index


@pytest.fixture
def index(shared) -> la.HNSW | la.IVF:
    return la.load(io.BytesIO(shared.__reduce__()[1][0]))


def test_more_effort_finds_more(shared) -> None:
    flat = exact(shared)
    *some, most = EFFORTS[type(shared)]
    reached = [recall(shared, flat, QUERIES, **effort(shared, value)) for value in some]
    assert reached == sorted(reached) and reached[0] < 0.9 and reached[-1] > 0.99
    assert recall(shared, flat, QUERIES[:50], **effort(shared, most)) == 1


def test_an_ef_below_k_acts_as_k() -> None:
    index = weak(la.HNSW)
    index.add(ROWS)
    low, high = (index.search(QUERIES, k=10, ef=ef) for ef in (1, 10))
    assert np.array_equal(low.ids, high.ids)


def test_an_nprobe_of_few_vectors_still_finds_k() -> None:
    index = la.IVF(nlist=1000)
    index.add(ROWS)
    assert (index.search(QUERIES, k=50, nprobe=1).counts == 50).all()
    beyond = [index.search(QUERIES, nprobe=nprobe).ids for nprobe in (1000, 1001, 2**31 - 1)]
    assert np.array_equal(beyond[0], beyond[1]) and np.array_equal(beyond[0], beyond[2])


@pytest.mark.parametrize("target", [0.5, 0.9, 0.99, 0.998])
def test_tune_reaches_what_was_asked(index, target: float) -> None:
    state = index.tune(recall=target)
    assert state.recall >= target and state.interval[0] <= state.recall <= state.interval[1]
    assert state.rows == 6000 and state.unreachable == 0
    held_out = recall(index, exact(index), QUERIES)
    # Lists lie around the very vectors that effort is measured with, 20 of them a list here.
    slack = 0.05 if isinstance(index, la.IVF) else 0.02
    assert held_out >= target - slack, "queries that were not measured fare no worse"
    assert np.array_equal(index.search(QUERIES).ids, index.search(QUERIES, **effort(index, usual(index))).ids)
    assert np.array_equal(index.search(QUERIES).ids, index.search(QUERIES, recall=target).ids)
    if target == 0.9:
        assert state.recall < 0.93, "and no more is spent than is needed"
        assert index.check() == state


def test_what_was_tuned_is_kept_in_the_file(index) -> None:
    index.tune(recall=0.99)
    high = usual(index)
    index.tune(recall=0.9)
    assert 1 <= usual(index) < high
    file = io.BytesIO()
    index.save(file)
    other = la.load(io.BytesIO(file.getvalue()))
    assert usual(other) == usual(index)
    for target in (0.85, 0.9, 0.99):
        assert np.array_equal(
            other.search(QUERIES, recall=target).ids, index.search(QUERIES, recall=target).ids
        )
    assert np.array_equal(
        other.search(QUERIES, recall=0.99).ids, index.search(QUERIES, **effort(index, high)).ids
    )
    again = io.BytesIO()
    other.save(again)
    assert again.getvalue() == file.getvalue()


def test_a_recall_nobody_measured_is_measured_when_it_is_asked_for(index) -> None:
    before = usual(index)
    assert recall(index, exact(index), QUERIES, recall=0.99) >= 0.97
    assert recall(index, exact(index), QUERIES, recall=1) >= 0.995
    assert usual(index) == before, "the default stays as it is"
    with pytest.raises(la.InvalidArgument, match="only one of them"):
        index.search(QUERIES, recall=0.9, **effort(index, 50))


def test_codes_alone_cannot_measure_recall() -> None:
    index = la.IVF(codes="u4", keep="none")
    index.add(ROWS)
    with pytest.raises(la.InvalidArgument, match="without the vectors"):
        index.search(QUERIES, recall=0.9)


def test_old_measurements_go_when_the_index_contradicts_them(index) -> None:
    index.tune(recall=0.95)
    before = usual(index)
    index.add(uniform(12_000, 20, seed=2))
    state = index.tune(recall=0.95)
    assert usual(index) > before and state.recall >= 0.95
    assert recall(index, exact(index), QUERIES, recall=0.95) >= 0.93


def test_queries_of_the_users_own(index) -> None:
    far = QUERIES * 3
    near = index.tune(recall=0.95, queries=ROWS[:300] + 1e-3)
    cheap = usual(index)
    state = index.tune(recall=0.95, queries=far)
    assert state.recall >= 0.95 and near.recall >= 0.95 and usual(index) != cheap
    assert recall(index, exact(index), far) >= 0.95 - 0.01
    assert index.tune(queries=far[0]).recall >= 0.95


@pytest.mark.parametrize("value", [0, -0.5, 1.01, "high", None, float("nan"), [0.9]])
def test_tune_refuses_what_is_no_recall(index, value) -> None:
    with pytest.raises(la.InvalidArgument, match="recall"):
        index.tune(recall=value)


def test_tune_refuses_unusable_queries(index) -> None:
    before = usual(index)
    for queries in (np.empty((0, 20)), []):
        with pytest.raises(la.InvalidArgument, match="queries"):
            index.tune(queries=queries)
    with pytest.raises(la.DimensionMismatch):
        index.tune(queries=np.ones((3, 7)))
    with pytest.raises(la.InvalidArgument, match="nan"):
        index.tune(queries=np.full((3, 20), np.nan))
    assert usual(index) == before


@pytest.mark.parametrize("rows", [0, 1, 2, 9, 300, 700, 1000])
def test_small_indexes_can_be_tuned(approximate, rows: int) -> None:
    index = approximate()
    index.add(ROWS[:rows])
    before = usual(index)
    state = index.tune(recall=0.95)
    assert state.recall >= 0.95 and state.rows == rows and usual(index) == before
    assert index.search(QUERIES[0], k=3, recall=0.95).counts == min(rows, 3)
    assert index.tune(recall=0.9, queries=QUERIES).recall >= 0.95


@pytest.mark.parametrize("rows", [0, 10, 1000])
def test_what_a_tiny_index_needs_tells_nothing_of_a_large_one(approximate, rows: int) -> None:
    index = approximate()
    index.add(ROWS[:rows])
    index.tune(recall=0.95)
    if rows:
        hits = index.search(QUERIES, k=10, recall=0.999)
        assert np.array_equal(hits.distances, exact(index).search(QUERIES, k=10).distances)
    index.add(ROWS[rows:])
    assert recall(index, exact(index), QUERIES) >= 0.93
    index.tune(recall=0.95)
    assert recall(index, exact(index), QUERIES, recall=0.95) >= 0.93


@pytest.mark.parametrize("seed", range(6))
def test_equal_vectors_stand_for_one_another(approximate, seed: int) -> None:
    """However kernels round a cosine of 1, and where the one entry of the graph is what is asked for."""
    index = approximate(metric="cosine")
    index.add(np.tile(np.random.default_rng(seed).normal(size=300), (1500, 1)))
    assert index.check().recall == 1


def test_stats_are_the_same_on_any_threads(shared) -> None:
    one, two = (shared.stats(QUERIES, threads=threads, **effort(shared, 40)) for threads in (1, 2))
    assert one == two and 0 < one["reranked"] < one["distances"]


def test_check_counts_what_is_there(index) -> None:
    index.remove(range(600))
    state = index.check()
    assert state.rows == 5400 and state.deleted == pytest.approx(0.1) and state.unreachable == 0
    assert state.bytes == index.nbytes and state.interval[0] < state.recall <= state.interval[1]
    assert abs(state.recall - recall(index, exact(index), QUERIES)) < 0.03
    assert index.check() == state, "the same queries are drawn again"


def test_stats_count_the_work(shared) -> None:
    steps, *rest = shared.stats()
    assert steps == ("hops" if isinstance(shared, la.HNSW) else "lists")
    assert rest == ["distances", "reranked", "bytes"]
    few, many = (shared.stats(QUERIES, **effort(shared, value)) for value in (16, 128))
    assert 10 <= few[steps] <= few["distances"] < many["distances"] < 6000
    assert few[steps] < many[steps] and few["bytes"] < many["bytes"]
    assert 10 <= few["reranked"] <= 64
    assert shared.stats(QUERIES[0], k=5)[steps] > 0 and shared.stats()["distances"] > 0
    assert shared.stats() == shared.stats(threads=1)
    assert type(shared)().stats() == dict.fromkeys([steps, *rest], 0)


def test_stats_of_lists_count_lists() -> None:
    index = la.IVF(nlist=30)
    index.add(ROWS)
    all_of_them = index.stats(QUERIES, nprobe=100)
    assert (all_of_them["lists"], all_of_them["distances"]) == (30, 6000)
    assert index.stats(QUERIES, nprobe=7)["lists"] == 7


def test_what_a_graph_was_made_with() -> None:
    index = la.HNSW(8, "cosine", M=12, ef_construction=77, codes="u8", keep="f16", seed=9)
    assert (index.dim, index.metric, index.codes, index.keep) == (8, "cosine", "u8", "f16")
    assert (index.M, index.ef_construction, index.seed, index.ef) == (12, 77, 9, 64)
    assert repr(index) == "HNSW(dim=8, metric='cosine', codes='u8', keep='f16', M=12, rows=0, bytes=0)"
    other = la.load(io.BytesIO(index.__reduce__()[1][0]))
    assert repr(other) == repr(index) and (other.ef_construction, other.seed) == (77, 9)


def test_what_lists_were_made_with() -> None:
    index = la.IVF(8, "cosine", nlist=12, codes="u8", keep="f16", seed=9)
    assert (index.dim, index.metric, index.codes, index.keep) == (8, "cosine", "u8", "f16")
    assert (index.nlist, index.seed, index.nprobe, la.IVF().nlist) == (12, 9, 32, None)
    assert repr(index) == "IVF(dim=8, metric='cosine', codes='u8', keep='f16', nlist=12, rows=0, bytes=0)"
    other = la.load(io.BytesIO(index.__reduce__()[1][0]))
    assert repr(other) == repr(index) and other.seed == 9
    index.add(ROWS[:, :8])
    assert index.nlist == 12 and la.load(io.BytesIO(index.__reduce__()[1][0])).nlist == 12


@pytest.mark.parametrize(
    ("kinds", "name", "values"),
    [
        ([la.HNSW], "M", [0, 1, 513, 2.5, "16", True, None]),
        ([la.HNSW], "ef_construction", [0, -1, 65537, 1.5, None]),
        ([la.IVF], "nlist", [0, -1, 2**20 + 1, 1.5, "16", True]),
        ([la.HNSW, la.IVF], "seed", [-1, 2**63, 0.5, None]),
        ([la.HNSW, la.IVF], "codes", ["u3", 8, None]),
        ([la.HNSW, la.IVF], "keep", ["u2", "u4", 8, None]),
    ],
)
def test_bad_construction(kinds, name: str, values) -> None:
    for kind in kinds:
        for value in values:
            with pytest.raises(la.InvalidArgument, match=f"^{name} "):
                kind(**{name: value})


@pytest.mark.parametrize(
    "words",
    [
        {"codes": "auto", "keep": "none"},
        {"codes": "f32", "keep": "f16"},
        {"codes": "f16", "keep": "u8"},
        {"metric": "hamming", "keep": "u8"},
        {"metric": "hamming", "keep": "none"},
        {"metric": "hamming", "codes": "u4"},
    ],
)
def test_words_that_do_not_go_together(approximate, words) -> None:
    with pytest.raises(la.InvalidArgument, match=r"keep|metric"):
        approximate(**words)


@pytest.mark.parametrize("codes", ["u4", "rabitq"])
def test_a_graph_needs_more_than_codes(codes: str) -> None:
    with pytest.raises(la.InvalidArgument, match="keep='none' leaves only codes that are vectors"):
        la.HNSW(codes=codes, keep="none")


@pytest.mark.parametrize("value", [0, -1, 2.0, "64", True, 2**31, [10]])
def test_bad_effort(shared, value) -> None:
    for call in (shared.search, shared.stats):
        with pytest.raises(la.InvalidArgument, match=r"^(ef|nprobe) is "):
            call(QUERIES, **effort(shared, value))


def test_the_interval_of_wilson() -> None:
    low, high = wilson(1.0, 100)
    assert high == 1 and low == pytest.approx(0.96301, abs=1e-5)
    low, high = wilson(0.5, 100)
    assert (low, high) == (pytest.approx(0.40383, abs=1e-5), pytest.approx(0.59617, abs=1e-5))
    assert wilson(0.0, 10)[0] == 0


def test_the_interval_holds_the_truth(approximate) -> None:
    """Recall over fresh queries lies inside it about as often as it says, and more often is no fault."""
    index = weak(approximate)
    index.add(clustered(4000, 40))
    low, high = index.check().interval
    truth = recall(index, exact(index), clustered(4000, 40, seed=1))
    assert low - 0.01 <= truth <= high + 0.01


def test_least_effort_gives_up_at_the_last() -> None:
    measured = least_effort(lambda effort: 0.5, 0.9, 10, 100)
    assert measured == [(0.5, 10), (0.5, 20), (0.5, 40), (0.5, 80), (0.5, 100)]
    assert least_effort(lambda effort: 1.0, 0.9, 10, 100) == [(1.0, 10)]

"""Graphs and lists that change: the same on any threads, no loss under churn, whole when interrupted."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest
from test_threads import run_together
from truth import clustered, effort, exact, recall

import lookalike as la


def file_of(index: la.HNSW | la.IVF) -> bytes:
    return index.__reduce__()[1][0]


CASES = [
    ("l2", np.float32, "auto"),
    ("ip", np.float32, "u4"),
    ("cosine", np.float16, "rabitq"),
    ("l2", np.uint8, "auto"),
]


@pytest.mark.parametrize(("metric", "dtype", "codes"), CASES)
def test_the_same_calls_give_the_same_bytes(approximate, metric: str, dtype, codes: str) -> None:
    rows, more = clustered(3000, 48, dtype=dtype), clustered(800, 48, seed=1, dtype=dtype)

    def make(threads: int, seed: int) -> la.HNSW | la.IVF:
        index = approximate(metric=metric, codes=codes, seed=seed)
        index.add(rows[:2500], threads=threads)
        index.add(rows[2500:], threads=threads)
        index.upsert(more, range(100, 900), threads=threads)
        index.remove(range(0, 1000, 2))
        index.add(more[:300], threads=threads)
        index.remove(range(1, 1000, 2))
        return index

    first = make(1, seed=5)
    for threads in (2, 3):
        assert file_of(make(threads, seed=5)) == file_of(first)
    assert file_of(make(2, seed=6)) != file_of(first)
    one, two = (first.search(more, k=5, threads=threads) for threads in (1, 2))
    assert np.array_equal(one.ids, two.ids) and np.array_equal(one.distances, two.distances)
    single = first.search(more[7], k=5)
    assert np.array_equal(single.ids, one.ids[7]) and np.array_equal(single.distances, one.distances[7])


def self_missed(index: la.HNSW | la.IVF) -> float:
    """The share of vectors that are not their own nearest, equally near ones apart."""
    ids = index.ids
    found, distances = index.search(index[ids], k=1)
    return float(((found[:, 0] != ids) & (distances[:, 0] > 1e-6)).mean())


@pytest.mark.parametrize(("dim", "codes"), [(24, "auto"), (96, "u4"), (96, "f32")])
def test_churn_costs_neither_recall_nor_memory(approximate, dim: int, codes: str) -> None:
    rng = np.random.default_rng(0)
    rows, queries = clustered(44_000, dim), clustered(500, dim, seed=1)
    index = approximate(codes=codes)
    index.add(rows[:4000])
    before = np.mean([recall(index, exact(index), queries), index.check().recall])
    size = index.nbytes
    for start in range(4000, 24_000, 2000):
        index.remove(rng.permutation(index.ids)[:2000])
        index.add(rows[start : start + 2000])
        assert len(index) == 4000 and index.nbytes <= 1.35 * size
    after = np.mean([recall(index, exact(index), queries), index.check().recall])
    assert after >= before - 0.005 and self_missed(index) <= 0.001
    index.optimize()
    assert index.check().deleted == 0 and index.nbytes <= 1.05 * size


def test_rounds_of_upserts_cost_no_recall(approximate) -> None:
    rng = np.random.default_rng(0)
    rows, queries = clustered(24_000, 40), clustered(500, 40, seed=1)
    index = approximate()
    index.add(rows[:4000])
    before, size = recall(index, exact(index), queries), index.nbytes
    for start in range(4000, 24_000, 2000):
        ids = rng.permutation(4000)[:2000]
        index.upsert(rows[start : start + 2000], ids)
        assert np.array_equal(index[ids], rows[start : start + 2000]) and list(index) == list(range(4000))
    assert recall(index, exact(index), queries) >= before - 0.005
    assert self_missed(index) <= 0.001 and index.nbytes <= 1.05 * size


def test_one_at_a_time_is_as_good_as_all_at_once(approximate) -> None:
    rows, queries = clustered(3000, 32), clustered(300, 32, seed=1)
    index, whole = approximate(), approximate()
    whole.add(rows)
    index.add(rows[:1000])
    for i in range(1000, 3000):
        index.add(rows[i])
        assert i % 100 or index.search(rows[i], k=1).ids.tolist() == [i]
    flat = exact(index)
    assert recall(index, flat, queries) >= recall(whole, flat, queries) - 0.005
    assert index.check().unreachable == 0


def test_growing_from_nothing_and_back(approximate) -> None:
    rows = clustered(4000, 32)
    index = approximate()
    for start in range(0, 4000, 400):
        index.add(rows[start : start + 400])
    assert recall(index, exact(index), rows[::20]) >= 0.95
    for start in range(0, 4000, 400):
        assert index.search(rows[start + 399], k=1).ids.tolist() == [start + 399]
        assert index.remove(range(start, start + 400)) == 400
        assert len(index) == 3600 - start
        if len(index):
            assert index.check().recall >= 0.95 and index.search(rows[start], k=20).ids.min() >= start + 400
    index.add(rows)
    assert recall(index, exact(index), rows[::20]) >= 0.95


def test_a_removed_vector_is_gone_at_once(approximate) -> None:
    rows = clustered(3000, 32)
    index = approximate()
    index.add(rows)
    for i in range(600):
        nearest = int(index.search(rows[i], k=1).ids[0])
        del index[nearest]
        assert (
            nearest not in index.search(rows[i], k=10).ids
            and nearest not in index.search(rows[i], k=10, where=index.ids).ids
        )
    index.add(rows[:1], ids=[77_777])
    assert index.search(rows[0], k=1).ids.tolist() == [77_777]


@pytest.mark.parametrize("change", ["add", "upsert"])
def test_ctrl_c_leaves_the_rows_as_they_were(approximate, change: str) -> None:
    rows = clustered(60_000, 64)
    index = la.HNSW(ef_construction=400) if approximate is la.HNSW else la.IVF(nlist=2000)
    index.add(rows[:2000])
    kept, before = index[range(2000)], index.check()
    calls = {
        "add": lambda: index.add(rows[2000:]),
        "upsert": lambda: index.upsert(rows[2000:], range(5000, 63_000)),
    }
    pressed = []

    def press() -> None:
        pressed.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(0.5 if approximate is la.HNSW else 0.15, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        calls[change]()
    took = time.perf_counter() - pressed[0]
    timer.join()
    assert took < 1.0  # 0.2 s on a quiet machine
    assert list(index) == list(range(2000)) and np.array_equal(index[range(2000)], kept)
    assert index.check().unreachable == 0 and index.check().recall >= before.recall - 0.02
    index.add(rows[2000:3000])
    assert index.search(rows[2500], k=1).distances.tolist() == [0]
    index.tune(recall=0.97)
    assert recall(index, exact(index), rows[:3000:10]) >= 0.95


@pytest.mark.parametrize("question", ["search", "range", "stats", "tune"])
def test_ctrl_c_stops_what_only_reads(approximate, question: str) -> None:
    rows = clustered(4000, 64)
    index = approximate()
    index.add(rows)
    many = np.tile(rows, (10, 1))
    calls = {
        "search": lambda: index.search(many, where=range(3900), **effort(index, 3000)),
        "range": lambda: index.range(many, 1e9),
        "stats": lambda: index.stats(many, **effort(index, 3000)),
        "tune": lambda: index.tune(recall=1, queries=many),
    }
    pressed = []

    def press() -> None:
        pressed.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(0.3, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        calls[question]()
        timer.join()
    assert time.perf_counter() - pressed[0] < 1.0
    timer.join()


def test_cancelled_halfway_leaves_the_rows_as_they_were(approximate, monkeypatch) -> None:
    monkeypatch.setattr(approximate, "_chunk_bytes", 1 << 19)
    rows = clustered(20_000, 48)
    index = approximate()
    index.add(rows[:2000])
    with pytest.raises(la.Cancelled):
        index.add(rows[2000:], progress=lambda done, total: done < 9000)
    assert list(index) == list(range(2000))
    assert index.check().unreachable == 0 and recall(index, exact(index), rows[:2000:10]) >= 0.95


def test_chunks_are_as_good_as_all_at_once(approximate, monkeypatch) -> None:
    monkeypatch.setattr(approximate, "_chunk_bytes", 1 << 20)
    rows, queries = clustered(20_000, 48), clustered(300, 48, seed=1)
    index, whole, seen = approximate(), approximate(), []
    index.add(rows, progress=lambda done, total: seen.append(done))
    whole.add(rows)
    assert len(seen) > 1
    flat = exact(index)
    assert recall(index, flat, queries) >= recall(whole, flat, queries) - 0.005


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_readers_are_right_while_a_writer_adds(approximate, metric: str) -> None:
    """Distances prove the ids; rows that are there before and after are found meanwhile."""
    rows = clustered(12_000, 32)
    index = approximate(metric=metric)
    index.add(rows[:3000])
    flat = la.Flat(metric=metric)
    flat.add(rows)
    done = threading.Event()

    def write() -> None:
        try:
            for start in range(3000, 12_000, 1500):
                index.add(rows[start : start + 1500])
                index.upsert(rows[start : start + 100], range(start, start + 100))
                index.remove(range(start + 100, start + 1400))
        finally:
            done.set()

    def read() -> None:
        rng, rounds, missed = np.random.default_rng(threading.get_ident()), 0, 0
        while not done.is_set() or rounds < 20:
            asked = rng.integers(0, 3000, 8)
            ids, found = index.search(rows[asked], k=6)
            assert (ids >= 0).all() and all(len(set(row)) == 6 for row in ids.tolist())
            for query, row, distances in zip(asked, ids, found, strict=True):
                # Ids count rows: whatever is found must be at the distance of the row it names.
                true = flat.search(rows[query], k=6, where=row)
                np.testing.assert_allclose(distances, true.distances, rtol=1e-4, atol=1e-5)
            missed += int((ids[:, 0] != asked).sum())
            rounds += 1
        assert missed <= 0.02 * 8 * rounds

    run_together(write, read, read)
    assert index.check().unreachable == 0
    assert recall(index, exact(index), rows[:3000:10]) >= 0.95


@pytest.mark.parametrize("string", [False, True])
def test_a_long_batch_lets_others_in(approximate, string: bool) -> None:
    rows = clustered(3000, 32)
    ids = [f"n{i}" for i in range(3000)] if string else list(range(3000))
    index = approximate()
    index.add(rows, ids)
    many, much = np.tile(rows, (20, 1)), effort(index, 200 if approximate is la.HNSW else 60)
    batches = []
    searcher = threading.Thread(target=lambda: batches.append(index.search(many, k=10, threads=1, **much)))
    searcher.start()
    time.sleep(0.1)
    index.upsert(rows[:1], ids[:1])  # what it was, so that answers stay
    index.search(rows[0], k=1)
    assert searcher.is_alive(), "a writer, and a reader behind it, waited for the whole batch"
    searcher.join()
    found, distances = batches[0]
    for part in (slice(0, 500), slice(1020, 1030), slice(59_000, 60_000)):
        same = index.search(many[part], k=10, **much)
        assert np.mean(same.ids == found[part]) > 0.999 and found.shape == (60_000, 10)
        np.testing.assert_allclose(np.sort(same.distances), np.sort(distances[part]), rtol=0.1, atol=1e-5)

"""One index, many threads; one process, then two."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from oracle import distances

import lookalike as la


def run_together(*bodies) -> None:
    """Run every body in a thread of its own and raise what any of them raised."""
    errors: list[BaseException] = []

    def guarded(body) -> None:
        try:
            body()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(body,), daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]


@pytest.mark.parametrize(("metric", "string"), [("l2", False), ("ip", True), ("cosine", False)])
def test_readers_never_see_half_a_change(kind, metric: str, string: bool) -> None:
    """A vector's first element is its id, whatever happens to it: any mixture would show."""
    rng = np.random.default_rng(0)
    name = (lambda i: f"n{i}") if string else int
    index = kind(metric=metric)

    def rows(ids) -> np.ndarray:
        block = rng.normal(size=(len(ids), 6)).astype(np.float32)
        block[:, 0] = ids
        return block

    index.add(rows(range(100)), ids=[name(i) for i in range(100)])
    done = threading.Event()

    def write() -> None:
        try:
            for step in range(200):
                fresh = range(100 + 40 * step, 140 + 40 * step)
                index.add(rows(fresh), ids=[name(i) for i in fresh])
                again = [*fresh[:10], *range(5)]
                index.upsert(rows(again), ids=[name(i) for i in again])
                index.remove([name(i) for i in fresh[10:]])
                if step % 10 == 9:
                    index.optimize()
        finally:
            done.set()

    def read() -> None:
        local = np.random.default_rng(threading.get_ident() % 2**32)
        while not done.is_set():
            ids, found = index.search(local.normal(size=(3, 6)).astype(np.float32) * 50, k=8)
            assert np.isfinite(found).all() and (np.diff(found, axis=1) >= 0).all()
            assert all(len(set(row)) == 8 for row in ids.tolist())
            keep = [name(i) for i in range(100)]
            assert index[keep][:, 0].tolist() == list(range(100))
            assert name(3) in index and 100 <= len(index) <= 100 + 40 * 200
            assert index.range(np.zeros(6), -1e9).counts.tolist() == [0]

    run_together(write, read, read, read)
    assert len(index) == 100 + 10 * 200
    assert index[list(index)][:, 0].tolist() == [int(str(id).lstrip("n")) for id in index]


def test_writers_take_turns(kind) -> None:
    index = kind()

    def write(start: int) -> None:
        for i in range(200):
            index.add([[start + i, 1.5]], ids=[start + i])

    run_together(*(lambda start=start: write(start) for start in (0, 1000, 2000, 3000)))
    assert len(index) == 800 and all(index[id][0] == id for id in index)


def test_a_stream_of_readers_does_not_starve_a_writer(kind) -> None:
    rng = np.random.default_rng(0)
    rows = rng.random((20_000, 64), dtype=np.float32)
    index = kind()
    index.add(rows)
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            index.search(rows[:16], k=5)

    def write() -> None:
        try:
            for _ in range(20):
                index.add(rows[:1])
        finally:
            done.set()

    run_together(read, read, read, write)
    assert len(index) == 20_020


@pytest.mark.parametrize("question", ["search", "range"])
def test_a_long_batch_lets_others_in(kind, question: str) -> None:
    rows = np.random.default_rng(5).random((8000, 64), dtype=np.float32)
    index = kind()
    index.add(rows, threads=2)
    many = np.tile(rows, (6, 1))
    ask = {
        "search": lambda queries: index.search(queries, k=10, threads=1),
        "range": lambda queries: index.range(queries, 2.0, threads=1),
    }[question]
    answers = []
    searcher = threading.Thread(target=lambda: answers.append(ask(many)))
    searcher.start()
    time.sleep(0.1)
    start = time.perf_counter()
    index.upsert(rows[:1], [0])  # what it was, so that answers stay
    index.search(rows[0], k=1)
    waited = time.perf_counter() - start
    searcher.join()
    whole = time.perf_counter() - start
    assert waited < whole / 2, "a writer, and a reader behind it, waited for the batch"
    found = answers[0]
    if question == "search":
        assert (
            found.ids.shape == (len(many), 10)
            and np.mean(found.ids[:, 0] == np.arange(len(many)) % 8000) > 0.99
        )
    else:
        assert np.array_equal(found.counts, np.diff(found.offsets)) and len(found.counts) == len(many)
        for first in (0, 250, 47_990):
            part = slice(found.offsets[first], found.offsets[first + 10])
            same = ask(many[first : first + 10])
            assert np.array_equal(found.ids[part], same.ids) and len(same.ids) >= 10
            assert np.array_equal(found.distances[part], same.distances)


def test_tuning_lets_others_in() -> None:
    rows = np.random.default_rng(6).random((20_000, 64), dtype=np.float32)
    index = la.HNSW(M=8, ef_construction=40)
    index.add(rows)

    tuning = threading.Event()
    tuning.set()

    def tune() -> None:
        with pytest.raises(la.InvalidArgument, match="has changed"):
            index.tune(queries=np.tile(rows, (10, 1)))
        tuning.clear()

    def change() -> None:
        while tuning.is_set():
            start = time.perf_counter()
            index.upsert(rows[:1], [0])
            assert time.perf_counter() - start < 1, "a writer waited until all the truth was found"
            time.sleep(0.05)

    run_together(tune, change)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_any_number_of_threads_and_any_grouping_give_the_same(metric: str, dtype) -> None:
    rng = np.random.default_rng(1)
    rows = (rng.random((5000, 96)) * 255).astype(dtype)
    queries = (rng.random((130, 96)) * 255).astype(dtype)
    index = la.Flat(metric=metric)
    index.add(rows, threads=2)
    one = index.search(queries, k=20, threads=1)
    for other in (index.search(queries, k=20, threads=2), index.search(queries, k=20, threads=5)):
        assert np.array_equal(one.ids, other.ids) and np.array_equal(one.distances, other.distances)
    for i in (0, 7, 129):
        single = index.search(queries[i], k=20)
        assert np.array_equal(one.ids[i], single.ids) and np.array_equal(one.distances[i], single.distances)
    same = la.Flat(metric=metric)
    same.add(rows, threads=1)
    assert np.array_equal(same.search(queries, k=20).distances, one.distances)
    near = [index.range(queries, float(one.distances[0, 5]), threads=n) for n in (1, 3)]
    assert np.array_equal(near[0].ids, near[1].ids) and np.array_equal(near[0].distances, near[1].distances)


@pytest.mark.parametrize("work", ["add", "search"])
def test_the_gil_is_free_while_we_work(work: str) -> None:
    rng = np.random.default_rng(2)
    rows = rng.random((100_000, 128), dtype=np.float32)
    index = la.Flat()
    index.add(rows)
    bodies = {"add": lambda: la.Flat().add(rows), "search": lambda: index.search(rows[:2000], k=10)}
    done = threading.Event()
    busy = [0.0]

    def call() -> None:
        start = time.perf_counter()
        while time.perf_counter() - start < 0.5:
            bodies[work]()
        busy[0] = time.perf_counter() - start
        done.set()

    ticks = []

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    run_together(call, tick)
    # Were the lock held, the ticks would come in between calls only.
    longest = np.diff(ticks).max()
    assert len(ticks) > 20 and longest < 0.5 * busy[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_searches_and_adds_after_parallel_work(kind) -> None:
    rng = np.random.default_rng(3)
    rows = rng.random((20_000, 64), dtype=np.float32)
    index = kind()
    index.add(rows)
    expected = index.search(rows[:500], k=5).ids
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(30)
            same = np.array_equal(index.search(rows[:500], k=5).ids, expected)
            index.add(rows[:10])
            os._exit(0 if same and len(index) == 20_010 else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert len(index) == 20_000 and np.array_equal(index.search(rows[:500], k=5).ids, expected)


def test_changing_an_index_from_its_own_progress_callback_is_fine(kind) -> None:
    index = kind()
    index.add(np.ones((5, 3)), progress=lambda done, total: index.search(np.ones(3)).counts >= 0)
    assert len(index) == 5


def test_changing_an_index_while_it_writes_itself_is_refused(kind) -> None:
    index = kind()
    index.add(np.ones((5, 3)))

    class Meddler:
        def write(self, piece) -> int:
            index.add(np.ones((1, 3)))
            return len(piece)

    with pytest.raises(la.Unsupported, match="in the middle of changing"):
        index.save(Meddler())
    assert len(index) == 5
    index.add(np.ones((1, 3)))


def test_threads_may_come_and_go(kind) -> None:
    index = kind()
    index.add(np.eye(16))
    for _ in range(50):
        run_together(lambda: index.search(np.eye(16), k=3, threads=2))


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_what_speeds_up_large_indexes_changes_no_answer(metric: str) -> None:
    """Large batches and `optimize` prepare shortcuts; before and after them answers are the same bits."""
    rng = np.random.default_rng(4)
    shape = rng.normal(size=(12, 256))
    rows = (rng.normal(size=(20_000, 12)) @ shape + rng.normal(size=(20_000, 256)) / 4).astype(np.float32)
    queries = (rng.normal(size=(600, 12)) @ shape).astype(np.float32)
    index = la.Flat(metric=metric)
    index.add(rows)
    first = [index.search(query, k=10) for query in queries[:20]]
    batch = index.search(queries, k=10)
    index.upsert(rows[:5], ids=range(5))
    again = index.search(queries, k=10, threads=1)
    index.optimize()
    for i, hits in enumerate(first):
        later = index.search(queries[i], k=10)
        for other in (batch, again):
            assert np.array_equal(hits.ids, other.ids[i]) and np.array_equal(
                hits.distances, other.distances[i]
            )
        assert np.array_equal(hits.ids, later.ids) and np.array_equal(hits.distances, later.distances)
    exact = np.concatenate([distances(query, rows, metric) for query in queries[:20]])
    within = 4e-7 * np.abs(exact).max()
    np.testing.assert_allclose(batch.distances[:20], np.sort(exact, axis=1)[:, :10], rtol=0, atol=within)

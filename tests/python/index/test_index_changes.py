"""Ids, and everything that changes an index."""

from __future__ import annotations

import copy
import signal
import threading

import numpy as np
import pytest

import lookalike as la


def test_automatic_ids_continue_above_the_largest(kind) -> None:
    index = kind()
    index.add(np.eye(3))
    index.add(np.eye(3)[:1], ids=[40])
    index.add(np.eye(3)[:2])
    assert index.ids.tolist() == [0, 1, 2, 40, 41, 42]
    index.remove([42])
    index.add(np.eye(3)[:1])
    assert index.ids.tolist() == [0, 1, 2, 40, 41, 43], "an id that was given away is not given again"
    index.add(np.eye(3)[:1], ids=[-7])
    assert -7 in index


def test_no_automatic_ids_beyond_the_last_or_among_strings(kind) -> None:
    index = kind()
    index.add([[1]], ids=[2**63 - 1])
    with pytest.raises(la.InvalidArgument, match="above the largest id"):
        index.add([[2]])
    index.add([[2]], ids=[-(2**63)])
    assert index[-(2**63)].tolist() == [2]
    words = kind()
    words.add([[1]], ids=["a"])
    with pytest.raises(la.InvalidArgument, match="str ids"):
        words.add([[2]])


@pytest.mark.parametrize(
    "ids",
    [["é", "", "a\0b", "日本語"], np.array(["x", "yy", "z", "w"]), np.array(["x", "y", "z", "w"], object),
     ("p", "q", "r", "s"), [5, 3, 2**62, -4], range(10, 50, 10), np.array([4, 3, 2, 1], np.uint8)],
)  # fmt: skip
def test_ids_of_every_kind_come_back(kind, ids) -> None:
    index = kind()
    rows = np.arange(8, dtype=np.float32).reshape(4, 2) + 0.5
    index.add(rows, ids)
    wanted = list(ids.tolist() if isinstance(ids, np.ndarray) else ids)
    assert list(index) == index.ids.tolist() == wanted
    assert index.search(rows, k=1).ids[:, 0].tolist() == wanted
    for i, id in enumerate(wanted):
        assert id in index and (index[id] == rows[i]).all()
    assert (index[wanted[::-1]] == rows[::-1]).all()
    assert index[[]].shape == (0, 2)


def test_upsert_replaces_in_place_and_appends(kind) -> None:
    index = kind()
    index.add([[0.5, 0], [1.5, 0], [2.5, 0]], ids=["a", "b", "c"])
    index.upsert([[9.5, 9], [7.5, 7]], ids=["b", "d"])
    assert list(index) == ["a", "b", "c", "d"]
    assert index["b"].tolist() == [9.5, 9] and index["d"].tolist() == [7.5, 7]
    assert index.search([9.5, 9], k=1).ids[0] == "b"
    with pytest.raises(la.InvalidArgument, match=r"ids\[1\] is 'b', which ids\[0\]"):
        index.upsert([[1, 1], [2, 2]], ids=["b", "b"])
    fresh = kind(metric="cosine")
    fresh.upsert([[3, 4]], ids=[5])
    fresh.upsert([[4, 3]], ids=[5])
    assert fresh.search([4, 3], k=1).distances[0] == pytest.approx(0, abs=1e-6) and len(fresh) == 1


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_removals_take_effect_at_once_and_memory_comes_back(metric: str) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1000, 16)).astype(np.float32)
    index = la.Flat(metric=metric)
    index.add(rows)
    before = index.nbytes
    assert index.remove(np.arange(0, 200)) == 200
    assert index.check().deleted == pytest.approx(0.2) and len(index) == 800
    assert index.search(rows[:200], k=800).ids.min() >= 200
    assert index.remove(range(200, 300)) == 100
    assert index.check().deleted == 0 and index.nbytes <= 0.71 * before
    assert index.ids.tolist() == list(range(300, 1000))
    del index[999]
    assert index.remove([500, 500]) == 1
    index.optimize()
    assert index.check() == la.Check(698, 0.0, 1.0, (1.0, 1.0), 0, index.nbytes)
    assert (index[998] == rows[998]).all() and 999 not in index
    index.add(rows[:1], ids=[500])
    assert list(index)[-1] == 500 and (index[500] == rows[0]).all()


def test_memory_is_constant_under_churn() -> None:
    rng = np.random.default_rng(1)
    index = la.Flat()
    index.add(rng.normal(size=(2000, 8)), ids=[f"{i}" for i in range(2000)])
    for round in range(10):
        old = list(index)[:1000]
        index.remove(old)
        index.add(rng.normal(size=(1000, 8)), ids=[f"{round}/{id}" for id in old])
        assert len(index) == 2000
    assert index.check().deleted <= 0.25 and index.nbytes < 2000 * (8 * 4 + 8 + 60)


def test_emptied_and_filled_again(kind) -> None:
    index = kind()
    index.add(np.eye(3) + 0.5)
    index.remove(index.ids)
    assert len(index) == 0 and index.codes == "auto" and index.search(np.eye(3)[0]).counts == 0
    index.add(np.eye(3))
    assert index.codes == "u8" and list(index) == [3, 4, 5]


def test_what_a_user_looks_at() -> None:
    index = la.Flat()
    assert repr(index) == "Flat(dim=None, metric='l2', codes='auto', rows=0, bytes=0)"
    index.add(np.zeros((3, 4), np.uint8))
    assert repr(index) == f"Flat(dim=4, metric='l2', codes='u8', rows=3, bytes={index.nbytes})"
    assert (index.dim, index.metric, index.codes, index.nbytes) == (4, "l2", "u8", 3 * 4 + 3 * 8)
    assert not la.Flat() and index


def test_vectors_handed_out_are_copies(kind) -> None:
    index = kind()
    index.add(np.eye(3))
    index[0][:] = 9
    index.ids[:] = 9
    assert index[0].tolist() == [1, 0, 0] and list(index) == [0, 1, 2]
    twin = copy.deepcopy(index)
    twin.remove([0])
    assert 0 in index and 0 not in copy.copy(twin)


class TestProgress:
    @pytest.fixture
    def rows(self, kind) -> np.ndarray:
        """Several chunks of them."""
        count = 300_000 if kind is la.Flat else 20_000
        return np.random.default_rng(0).random((count, 40), dtype=np.float32)

    def test_counts_up_to_the_total(self, kind, rows, monkeypatch) -> None:
        index, seen = kind(), []
        monkeypatch.setattr(kind, "_chunk_bytes", 1 << 20)
        index.add(rows, progress=lambda done, total: seen.append((done, total)))
        assert len(seen) > 1 and seen[-1] == (len(rows), len(rows)) and seen == sorted(seen)
        assert index.ids.tolist() == list(range(len(rows)))

    def test_false_takes_everything_out_again(self, kind, rows) -> None:
        index = kind()
        index.add(rows[:2], ids=[7, 8])
        with pytest.raises(la.Cancelled):
            index.add(rows, progress=lambda done, total: done < total * 2 // 3)
        assert list(index) == [7, 8]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
    def test_whatever_stops_it(self, kind, rows, error) -> None:
        def stop(done: int, total: int) -> None:
            raise error

        index = kind()
        with pytest.raises(error):
            index.add(rows[:5], ids=list("abcde"), progress=stop)
        assert len(index) == 0

    def test_bad_rows_after_good_chunks(self, kind, rows) -> None:
        rows[-1, -1] = np.nan
        index = kind()
        with pytest.raises(la.InvalidArgument, match="nan"):
            index.add(rows, progress=lambda done, total: None)
        assert len(index) == 0

    def test_what_is_wrong_is_named_by_its_place_in_the_whole(self, kind, rows) -> None:
        last = len(rows) - 1
        index, seen = kind(), []
        index.add(rows[:1], ids=[last])
        ids = np.arange(len(rows))
        for wrong, words in (
            (ids, rf"^ids\[{last}\] is {last}, which is in the index already"),
            (ids % last, rf"^ids\[{last}\] is 0, which ids\[0\] is already"),
            (ids[1:], "one id per vector"),
            ([str(i) for i in ids], "int ids"),
        ):
            with pytest.raises(la.InvalidArgument, match=words):
                index.add(rows, ids=wrong, progress=lambda done, total: seen.append(done))
        rows[last - 1, 3] = np.inf
        with pytest.raises(la.InvalidArgument, match=rf"^vectors\[{last - 1}, 3\] is inf"):
            index.add(rows, progress=lambda done, total: seen.append(done))
        assert not seen and list(index) == [last]

    @pytest.mark.parametrize("dim", [None, 40])
    def test_a_first_addition_that_is_cancelled_leaves_nothing_behind(self, kind, rows, dim) -> None:
        index = kind(dim)
        with pytest.raises(la.Cancelled):
            index.add(rows, ids=[f"n{i}" for i in range(len(rows))], progress=lambda done, total: False)
        assert (index.dim, index.codes, len(index)) == (dim, "auto", 0)
        other = np.arange(120).reshape(3, 40)[:, : dim or 7]
        index.add(other)
        assert index.ids.tolist() == [0, 1, 2] and np.array_equal(index[[0, 1, 2]], other)

    def test_later_ones_leave_the_kind_of_ids(self, kind, rows) -> None:
        index = kind()
        index.add(rows[:2], ids=["a", "b"])
        index.remove(["a", "b"])
        with pytest.raises(la.Cancelled):
            index.add(rows[:3], ids=list("cde"), progress=lambda done, total: False)
        assert index.dim == 40 and len(index) == 0
        with pytest.raises(la.InvalidArgument, match="str ids"):
            index.add(rows[:1])

    def test_true_draws_on_stderr(self, kind, capsys) -> None:
        index = kind()
        index.add(np.eye(3), progress=True)
        captured = capsys.readouterr()
        assert "3/3" in captured.err and captured.out == ""

    def test_other_things_are_refused(self, kind) -> None:
        with pytest.raises(la.InvalidArgument, match="progress"):
            kind().add(np.eye(3), progress=3)


def test_ctrl_c_stops_a_large_batch_and_leaves_a_valid_index() -> None:
    rng = np.random.default_rng(0)
    rows = rng.random((60_000, 256), dtype=np.float32)
    index = la.Flat()
    index.add(rows)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(100):
            index.search(rows, k=10)
    timer.join()
    assert index.search(rows[5], k=1).ids[0] == 5
    index.add(rows[:1])
    assert len(index) == 60_001

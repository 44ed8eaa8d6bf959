"""Recall with no argument given, on data and growth that nobody raced: ten nearest, exact truth."""

from __future__ import annotations

import numpy as np
import pytest
from truth import exact, recall

import lookalike as la


def floats(values) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)


def grown(kind: type, chunks: list[np.ndarray], metric: str = "l2") -> la.HNSW | la.IVF:
    index = kind(metric=metric)
    for chunk in chunks:
        index.add(chunk)
    return index


def cut(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [rows[i : i + size] for i in range(0, len(rows), size)]


def finds_itself(index: la.HNSW | la.IVF, rows: np.ndarray) -> float:
    hits = index.search(rows, k=1)
    return float(np.mean((hits.ids[:, 0] == np.arange(len(rows))) | (hits.distances[:, 0] == 0)))


def test_a_topic_a_day(approximate) -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(30, 64)) * 2
    days = [floats(c + rng.normal(size=(400, 64))) for c in centres]
    queries = floats(np.concatenate([c + rng.normal(size=(7, 64)) for c in centres]))
    index = grown(approximate, days)
    assert recall(index, exact(index), queries) >= 0.95
    assert finds_itself(index, np.concatenate(days)) >= 0.999


@pytest.mark.parametrize("shift", [3, 5])
def test_a_region_that_comes_later_goes_and_comes_again(approximate, shift: int) -> None:
    rng = np.random.default_rng(1)
    near, far = floats(rng.normal(size=(2000, 16))), floats(rng.normal(size=(2000, 16)) + shift)
    queries = floats(rng.normal(size=(200, 16)) + np.repeat([0, shift], 100)[:, None])
    index = grown(approximate, [near, far])
    assert recall(index, exact(index), queries) >= 0.93
    index.remove(range(2000, 4000))
    index.add(far)
    assert recall(index, exact(index), queries) >= 0.93


@pytest.mark.parametrize("dim", [512, 768])
def test_codes_that_a_few_rows_taught(dim: int) -> None:
    rng = np.random.default_rng(2)
    rows, queries = floats(rng.random((2000, dim))), floats(rng.random((200, dim)))
    index = grown(la.HNSW, [rows[:512], *cut(rows[512:], 200)])
    assert recall(index, exact(index), queries) >= 0.95 and finds_itself(index, rows) >= 0.999


@pytest.mark.parametrize("order", ["as they come", "growing"])
def test_long_rows_under_inner_products(order: str) -> None:
    rng = np.random.default_rng(3)
    rows, queries = floats(rng.normal(size=(3000, 256)) + 3), floats(rng.normal(size=(200, 256)) + 3)
    if order == "growing":
        rows = rows[np.argsort(np.linalg.norm(rows, axis=1))]
    index = grown(la.HNSW, cut(rows, 20), "ip")
    assert recall(index, exact(index), queries) >= 0.95


@pytest.mark.parametrize("longest", [1, 1e4])
def test_lengths_that_vary_under_inner_products(approximate, longest: float) -> None:
    rng = np.random.default_rng(4)
    rows = floats(rng.normal(size=(4000, 64)) * rng.lognormal(sigma=0.8, size=(4000, 1)))
    rows[7] *= longest
    index = grown(approximate, cut(rows, 500), "ip")
    assert recall(index, exact(index), floats(rng.normal(size=(200, 64)))) >= 0.94


@pytest.mark.parametrize(("distinct", "times", "size"), [(300, 10, 3000), (300, 10, 200), (100, 50, 5000)])
def test_copies(approximate, distinct: int, times: int, size: int) -> None:
    rng = np.random.default_rng(5)
    base = floats(rng.normal(size=(distinct, 64)))
    rows = np.repeat(base, times, axis=0)
    rng.shuffle(rows)
    index = grown(approximate, cut(rows, size))
    assert recall(index, exact(index), base) >= 0.95


def test_data_without_structure(approximate) -> None:
    rng = np.random.default_rng(6)
    rows, queries = floats(rng.normal(size=(6000, 128))), floats(rng.normal(size=(200, 128)))
    index = grown(approximate, [rows])
    assert recall(index, exact(index), queries) >= 0.95
    assert finds_itself(index, rows) >= 0.995
    state = index.check()
    assert state.promised == 0.95 and state.recall >= 0.94 and state.lost <= 0.005
    assert "promised 0.95" in repr(index)


def test_islands(approximate) -> None:
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(20, 64)) * 10
    rows, queries = (
        floats(centres[rng.integers(0, 20, n)] + 0.3 * rng.normal(size=(n, 64))) for n in (8000, 200)
    )
    index = grown(approximate, [rows])
    assert recall(index, exact(index), queries) >= 0.95


def test_a_promise_is_saved_and_measured_again_as_rows_change(approximate, tmp_path) -> None:
    rng = np.random.default_rng(8)
    index = grown(approximate, [floats(rng.normal(size=(3000, 64)))])
    first = index._core.promise
    assert first["effort"] > 0 and first["rows"] == 3000 and first["changed"] == 0
    index.save(tmp_path / "index.look")
    assert la.load(tmp_path / "index.look")._core.promise == first
    index.add(floats(rng.normal(size=(500, 64))))
    assert index._core.promise == first | {"changed": 500}, "not yet a third"
    index.add(floats(rng.normal(size=(500, 64))))
    assert index._core.promise["rows"] == 4000 and index._core.promise["changed"] == 0

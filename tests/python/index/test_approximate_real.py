"""Recall on real data, where there is any: default settings, none of them chosen for a data set."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from truth import exact, recall

import lookalike as la

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("LOOKALIKE_DATA", ROOT.parent / "shared" / "data")) / "vectors"
CASES = [
    ("fashion-mnist-784", "u8", "l2"),
    ("sift-128", "u8", "l2"),
    ("sift-128", "u8", "cosine"),
    ("cnn-1280", "f16", "cosine"),
    ("cnn-1280", "f16", "ip"),
]
FLOOR = {la.HNSW: 0.95, la.IVF: 0.85}
# Lists stay where the first rows put them, 24 rows a list here, and fit those best.
LOSS = {la.HNSW: 0.005, la.IVF: 0.02}


def load(name: str, part: str, dtype: str, count: int) -> np.ndarray:
    path = FOLDER / f"{name}_{part}_{dtype}.npy"
    if not path.is_file():
        pytest.skip(f"no {path.name}: LOOKALIKE_DATA names no folder that holds vectors/")
    return np.array(np.load(path, mmap_mode="r")[:count])


@pytest.mark.parametrize(("name", "dtype", "metric"), CASES)
def test_defaults_find_nearly_all(approximate, name: str, dtype: str, metric: str) -> None:
    rows, queries = load(name, "base", dtype, 10_000), load(name, "query", dtype, 300)
    index = approximate(metric=metric)
    index.add(rows)
    flat = exact(index)
    reached = recall(index, flat, queries)
    assert reached >= FLOOR[approximate], f"recall@10 is {reached:.4f}"
    state = index.tune(recall=0.99)
    assert state.recall >= 0.99 and state.unreachable == 0
    assert recall(index, flat, queries, recall=0.99) >= 0.98
    for share in (0.5, 0.1, 0.01, 0.001):
        mask = np.random.default_rng(0).random(len(rows)) < share
        assert recall(index, flat, queries, where=mask) >= 0.95


@pytest.mark.parametrize(("name", "dtype", "metric"), CASES[:4])
def test_churn_costs_no_recall(approximate, name: str, dtype: str, metric: str) -> None:
    rng = np.random.default_rng(0)
    rows, queries = load(name, "base", dtype, 8_000), load(name, "query", dtype, 500)
    half = len(rows) // 2
    index = approximate(metric=metric)
    index.add(rows[:half])
    before = recall(index, exact(index), queries)
    for _ in range(6):
        inside = index.ids
        free = np.setdiff1d(np.arange(len(rows)), inside)
        index.remove(rng.permutation(inside)[: half // 2])
        fresh = rng.permutation(free)[: half // 2]
        index.add(rows[fresh], fresh)
    flat = exact(index)
    assert len(index) == half and recall(index, flat, queries) >= before - LOSS[approximate]
    inside = index.ids
    own = index.search(rows[inside], k=1).distances[:, 0]
    assert (own > flat.search(rows[inside], k=1).distances[:, 0] + 1e-5).mean() <= 0.001

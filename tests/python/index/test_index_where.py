"""Filters: exact where few rows pass, and no hole in between."""

from __future__ import annotations

import numpy as np
import pytest
from truth import clustered, exact, recall

import lookalike as la

FLOOR = 0.95
ROWS = clustered(20_000, 32)
QUERIES = clustered(100, 32, seed=1)


@pytest.fixture(scope="module", params=[la.HNSW, la.IVF], ids=["hnsw", "ivf"])
def index(request: pytest.FixtureRequest) -> la.HNSW | la.IVF:
    index = request.param()
    index.add(ROWS)
    return index


@pytest.fixture(scope="module")
def flat(index) -> la.Flat:
    return exact(index)


@pytest.mark.parametrize("share", [0.5, 0.3, 0.1, 0.03, 0.01, 0.001, 0.0003])
@pytest.mark.parametrize("k", [10, 50])
def test_some_pass(index, flat, share: float, k: int) -> None:
    mask = np.random.default_rng(3).random(20_000) < share
    assert recall(index, flat, QUERIES, k, where=mask) >= FLOOR
    assert mask[index.search(QUERIES, k, where=mask).ids].all() or mask.sum() < k


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_only_the_far_ones_pass(index, flat, share: float) -> None:
    for query in QUERIES[:20]:
        order = flat.search(query, k=20_000).ids
        mask = np.zeros(20_000, bool)
        mask[order[-int(20_000 * share) :]] = True
        assert recall(index, flat, query[None], where=mask) >= FLOOR


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_one_corner_passes(index, flat, share: float) -> None:
    """What passes lies together, and most queries elsewhere."""
    near = flat.search(ROWS[77], k=int(20_000 * share)).ids
    assert recall(index, flat, QUERIES, where=near) >= FLOOR


def test_all_but_one_and_only_one(index, flat) -> None:
    nearest = flat.search(QUERIES, k=1).ids[:, 0]
    for query, id in zip(QUERIES, nearest.tolist(), strict=True):
        assert id not in index.search(query, where=index.ids != id).ids
        assert index.search(query, k=3, where=[id]).ids.tolist() == [id, -1, -1]

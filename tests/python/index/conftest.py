from __future__ import annotations

import pytest

import lookalike as la


@pytest.fixture(params=[la.Flat, la.HNSW, la.IVF], ids=["flat", "hnsw", "ivf"])
def kind(request: pytest.FixtureRequest) -> type:
    """A kind of index: what takes this holds for all of them."""
    return request.param


@pytest.fixture(params=[la.HNSW, la.IVF], ids=["hnsw", "ivf"])
def approximate(request: pytest.FixtureRequest) -> type:
    """A kind of index that may miss a neighbour."""
    return request.param

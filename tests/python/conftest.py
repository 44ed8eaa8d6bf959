from __future__ import annotations

import pytest

import lookalike as la


@pytest.fixture(params=[la.Flat, la.HNSW], ids=["flat", "hnsw"])
def kind(request: pytest.FixtureRequest) -> type:
    """A kind of index: what takes this holds for all of them."""
    return request.param

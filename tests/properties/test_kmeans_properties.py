"""Whatever the vectors: assignments are nearest, inertia is what it says, nothing depends on threads."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lookalike as la

ELEMENTS = {
    "bytes": st.integers(0, 4).map(float),
    "floats": st.floats(-1e3, 1e3, width=32),
    "any": st.floats(-(2.0**60), 2.0**60, width=32),
}


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    shape = draw(st.tuples(st.integers(1, 60), st.integers(1, 20)))
    return draw(hnp.arrays(np.float32, shape, elements=ELEMENTS[draw(st.sampled_from(sorted(ELEMENTS)))]))


def squares(X: np.ndarray, centers: np.ndarray) -> np.ndarray:
    difference = X.astype(np.float64)[:, None] - centers.astype(np.float64)[None]
    return (difference**2).sum(axis=2)


@settings(max_examples=150, deadline=None)
@given(matrices(), st.data())
def test_clusterings_are_what_they_say(X: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(X)))
    init = data.draw(st.sampled_from(["k-means++", "random"]))
    balanced = data.draw(st.sampled_from([None, 1.0, 1.5]))
    options = {
        "init": init,
        "balanced": balanced,
        "random_state": data.draw(st.integers(0, 9)),
        "max_iter": 10,
    }
    one, two = (la.KMeans(k, threads=threads, **options).fit(X) for threads in (1, 2))
    assert one.cluster_centers_.tobytes() == two.cluster_centers_.tobytes()
    assert np.array_equal(one.labels_, two.labels_) and one.inertia_ == two.inertia_
    exact = squares(X, one.cluster_centers_)
    assert np.isfinite(one.cluster_centers_).all()
    own = exact[np.arange(len(X)), one.labels_]
    assert np.isclose(one.inertia_, own.sum(), rtol=1e-9, atol=0)
    nearest = one.predict(X)
    assert (exact[np.arange(len(X)), nearest] <= exact.min(axis=1) * (1 + 1e-12)).all()
    lengths = np.bincount(one.labels_, minlength=k)
    if balanced is None:
        assert np.array_equal(nearest, one.labels_)
        distinct = len(np.unique(X + 0.0, axis=0))
        assert (lengths > 0).sum() <= distinct
    else:
        assert lengths.max() <= max(np.ceil(len(X) / k), balanced * len(X) / k)


@settings(max_examples=60, deadline=None)
@given(matrices(), st.integers(0, 5))
def test_more_iterations_cost_no_more(X: np.ndarray, seed: int) -> None:
    k = max(1, len(X) // 3)
    costs = [
        la.KMeans(k, init="random", tol=0, random_state=seed, max_iter=n).fit(X).inertia_
        for n in (1, 2, 4, 8)
    ]
    scale = float((X.astype(np.float64) ** 2).sum())
    assert all(later <= earlier * (1 + 1e-6) + 1e-9 * scale for earlier, later in itertools.pairwise(costs))

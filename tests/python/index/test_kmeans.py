"""KMeans against Lloyd's iterations as numpy does them, and at the door."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from truth import clustered

import lookalike as la


def squares(X: np.ndarray, centers: np.ndarray) -> np.ndarray:
    X, centers = X.astype(np.float64), centers.astype(np.float64)
    return np.stack([((X - center) ** 2).sum(axis=1) for center in centers], axis=1)


def lloyd(X: np.ndarray, centers: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    for _ in range(iterations):
        labels = squares(X, centers).argmin(axis=1)
        means = [X[labels == c].astype(np.float64).mean(axis=0) for c in range(len(centers))]
        centers = np.array(means, np.float32)
    return centers, squares(X, centers).argmin(axis=1)


# The last is large enough for vectors to be outlined.
@pytest.mark.parametrize(("n", "dim", "k"), [(200, 1, 3), (500, 2, 20), (900, 33, 40), (4000, 48, 300)])
def test_same_as_lloyd(n: int, dim: int, k: int) -> None:
    X = clustered(n, dim)
    start = X[:: n // k][:k]
    for iterations in (1, 5):
        centers, labels = lloyd(X, start, iterations)
        found = la.KMeans(k, init=start, max_iter=iterations, tol=0).fit(X)
        assert np.array_equal(found.labels_, labels)
        np.testing.assert_allclose(found.cluster_centers_, centers, rtol=1e-6, atol=1e-7)
        assert found.inertia_ == pytest.approx(squares(X, centers).min(axis=1).sum(), rel=1e-6)
        assert found.n_iter_ == iterations


def test_fitted_attributes_agree() -> None:
    X = clustered(3000, 64)
    kmeans = la.KMeans(100, max_iter=50).fit(X)
    exact = squares(X, kmeans.cluster_centers_)
    assert np.array_equal(kmeans.labels_, exact.argmin(axis=1))
    assert np.array_equal(kmeans.predict(X), kmeans.labels_)
    assert kmeans.inertia_ == pytest.approx(exact.min(axis=1).sum(), rel=1e-12)
    assert kmeans.score(X) == pytest.approx(-kmeans.inertia_, rel=1e-5)
    np.testing.assert_allclose(kmeans.transform(X), np.sqrt(exact), rtol=1e-5, atol=1e-4)
    assert kmeans.labels_.dtype == np.int32 and kmeans.cluster_centers_.dtype == np.float32
    assert kmeans.cluster_centers_.shape == (100, 64) and kmeans.n_features_in_ == 64
    assert np.array_equal(pickle.loads(pickle.dumps(kmeans)).predict(X[:50]), kmeans.labels_[:50])


BYTES = """
import sys, hashlib, numpy as np, lookalike as la
X = np.load(sys.argv[1])
for init in ("random", "k-means++"):
    for balanced in (None, 1.2):
        found = la.KMeans(200, init=init, max_iter=12, balanced=balanced, threads=int(sys.argv[2])).fit(X)
        whole = found.cluster_centers_.tobytes() + found.labels_.tobytes() + repr(found.inertia_).encode()
        print(hashlib.sha256(whole).hexdigest())
print(la.info().isa)
"""


def test_the_same_bytes_on_every_instruction_set_and_for_any_threads(tmp_path) -> None:
    np.save(tmp_path / "X.npy", clustered(6000, 80))
    printed = set()
    for isa in la.info().isas:
        for threads in ("1", "2"):
            command = [sys.executable, "-c", BYTES, str(tmp_path / "X.npy"), threads]
            done = subprocess.run(
                command, env={**os.environ, "LOOKALIKE_ISA": isa}, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            *hashes, ran = done.stdout.split()
            assert ran == isa and len(set(hashes)) == 4
            printed.add(tuple(hashes))
    assert len(printed) == 1


def test_beginnings() -> None:
    X = clustered(2000, 20)
    one, other = (la.KMeans(50, init="random", random_state=s, max_iter=3).fit(X) for s in (0, 1))
    assert not np.array_equal(one.cluster_centers_, other.cluster_centers_)
    free = [la.KMeans(50, random_state=None, max_iter=2).fit(X).inertia_ for _ in range(2)]
    assert free[0] != free[1]
    many = la.KMeans(50, init="random", n_init=5, max_iter=3).fit(X)
    assert many.inertia_ <= one.inertia_
    few = la.KMeans(50, init="random", n_init=1, max_iter=3).fit(X)
    assert few.inertia_ == one.inertia_


def test_spreading_beats_chance_on_clusters_apart() -> None:
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(40, 8)) * 100)[rng.integers(0, 40, 4000)] + rng.normal(size=(4000, 8))
    spread, random = (
        np.median([la.KMeans(40, init=init, random_state=s).fit(X).inertia_ for s in range(9)])
        for init in ("k-means++", "random")
    )
    assert spread < random / 2


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.uint8, np.int8, np.int64])
def test_every_dtype_and_layout(dtype) -> None:
    X = np.round(clustered(600, 24) * 20).clip(0, 100).astype(dtype)
    expected = la.KMeans(12).fit(X.astype(np.float32))
    for layout in (X, np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X[::-1][::-1], X.tolist()):
        found = la.KMeans(12).fit(layout)
        assert np.array_equal(found.labels_, expected.labels_)
        assert np.array_equal(found.cluster_centers_, expected.cluster_centers_)
        assert np.array_equal(found.predict(layout), expected.labels_)


def test_balanced() -> None:
    X = np.concatenate([clustered(3000, 16), clustered(1, 16).repeat(1000, axis=0)])
    for balanced in (1, 1.3, 3.0):
        found = la.KMeans(64, balanced=balanced, max_iter=20).fit(X)
        assert np.bincount(found.labels_, minlength=64).max() <= np.ceil(4000 / 64 * balanced)
        own = ((X - found.cluster_centers_[found.labels_]).astype(np.float64) ** 2).sum()
        assert found.inertia_ == pytest.approx(own, rel=1e-6)
    with pytest.raises(la.InvalidArgument, match=r"balanced is 0\.5"):
        la.KMeans(3, balanced=0.5).fit(X)


def test_fewer_distinct_vectors_than_clusters() -> None:
    X = np.repeat(np.arange(5, dtype=np.float32)[:, None], 40, axis=0)
    for init in ("k-means++", "random"):
        found = la.KMeans(12, init=init).fit(X)
        assert found.inertia_ == 0
        assert len(set(found.labels_.tolist())) == 5
        assert set(found.cluster_centers_[:, 0].tolist()) == set(range(5))
        assert np.array_equal(found.predict(X), found.labels_)
    assert la.KMeans(3).fit(np.ones((3, 4))).inertia_ == 0
    assert la.KMeans(1).fit([[7.0]]).cluster_centers_.tolist() == [[7.0]]


def test_no_cluster_stays_empty_where_vectors_differ() -> None:
    X = clustered(500, 6)
    start = np.full((30, 6), 1e6, np.float32)
    start[0] = 0
    found = la.KMeans(30, init=start).fit(X)
    assert np.bincount(found.labels_, minlength=30).min() > 0


REFUSED = [
    ({"n_clusters": 0}, [[1.0]], "n_clusters is 0; it must be between 1"),
    ({"n_clusters": 2.0}, [[1.0]], r"n_clusters is 2\.0; it must be an int"),
    ({"n_clusters": 3}, [[1.0], [2.0]], "X holds 2 vectors for n_clusters=3"),
    ({"n_clusters": 1}, [[1.0, np.nan]], r"X\[0, 1\] is nan"),
    ({"n_clusters": 1}, [[1.0, np.inf]], r"X\[0, 1\] is inf"),
    ({"n_clusters": 1}, [1.0, 2.0], r"X has one axis, shape \(2,\)"),
    ({"n_clusters": 1}, np.ones((1, 2, 2)), "X have 3 axes"),
    ({"n_clusters": 1}, np.ones((3, 0)), "X has vectors of dim 0"),
    ({"n_clusters": 1}, [["a"]], "X have dtype"),
    ({"n_clusters": 1, "init": "best"}, [[1.0]], "init is 'best'; it must be 'k-means"),
    ({"n_clusters": 1, "init": [[1.0, 2.0]]}, [[1.0]], "init is of dim 2 where X is of dim 1"),
    ({"n_clusters": 2, "init": [[1.0]]}, [[1.0], [2.0]], "init holds 1 centroids for n_clusters=2"),
    ({"n_clusters": 1, "init": [[np.nan]]}, [[1.0]], r"init\[0, 0\] is nan"),
    ({"n_clusters": 1, "max_iter": 0}, [[1.0]], "max_iter is 0"),
    ({"n_clusters": 1, "n_init": 0}, [[1.0]], "n_init is 0"),
    ({"n_clusters": 1, "tol": -1}, [[1.0]], "tol is -1; it must be a number of at least 0"),
    ({"n_clusters": 1, "tol": "little"}, [[1.0]], "tol is 'little'"),
    ({"n_clusters": 1, "random_state": -1}, [[1.0]], "random_state is -1"),
    ({"n_clusters": 1, "random_state": "x"}, [[1.0]], "random_state is 'x'"),
    ({"n_clusters": 1, "threads": 0}, [[1.0]], "threads is 0"),
]


@pytest.mark.parametrize(("parameters", "X", "message"), REFUSED)
def test_bad_input(parameters: dict, X: object, message: str) -> None:
    with pytest.raises(la.InvalidArgument, match=message):
        la.KMeans(**parameters).fit(X)


def test_bad_questions() -> None:
    kmeans = la.KMeans(2)
    for ask in (kmeans.predict, kmeans.transform, kmeans.score):
        with pytest.raises(la.InvalidArgument, match="call fit first"):
            ask([[1.0]])
    kmeans.fit([[1.0], [2.0]])
    for ask in (kmeans.predict, kmeans.transform, kmeans.score):
        with pytest.raises(
            la.DimensionMismatch, match="X is of dim 2 where the vectors fitted were of dim 1"
        ):
            ask([[1.0, 2.0]])
    with pytest.raises(la.InvalidArgument, match=r"X\[0, 0\] is nan"):
        kmeans.predict([[np.nan]])
    assert kmeans.predict(np.empty((0, 1))).shape == (0,)
    assert kmeans.transform(np.empty((0, 1))).shape == (0, 2)
    with pytest.raises(la.InvalidArgument, match="has no parameter 'k'"):
        kmeans.set_params(k=3)


def test_scikit_learn_takes_it_for_one_of_its_own() -> None:
    base, pipeline = pytest.importorskip("sklearn.base"), pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = clustered(400, 10)
    kmeans = la.KMeans(7, max_iter=20, init=X[:7])
    copy = base.clone(kmeans)
    assert copy.n_clusters == 7 and not hasattr(copy, "labels_")
    assert base.is_clusterer(kmeans)
    steps = pipeline.make_pipeline(preprocessing.StandardScaler(), la.KMeans(7))
    labels = steps.fit(X).predict(X)
    assert np.array_equal(labels, steps[-1].labels_)
    assert steps.transform(X).shape == (400, 7)
    sklearn = pytest.importorskip("sklearn.cluster").KMeans(7, init=X[:7], n_init=1, max_iter=20, tol=0)
    sklearn.fit(X)
    ours = kmeans.set_params(tol=0).fit(X)
    assert np.array_equal(ours.labels_, sklearn.labels_)
    assert ours.inertia_ == pytest.approx(sklearn.inertia_, rel=1e-5)


@pytest.mark.parametrize("dim", [8, 256])
def test_ctrl_c(dim: int) -> None:
    X = np.random.default_rng(0).normal(size=(100_000, dim)).astype(np.float32)
    pressed: list[float] = []

    def press() -> None:
        time.sleep(0.7)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    kmeans = la.KMeans(2000, max_iter=1000, tol=0)
    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt):
        kmeans.fit(X)
    assert time.monotonic() - pressed[0] < 0.5  # 0.2 where nobody else works
    assert not hasattr(kmeans, "labels_")


def test_others_run_meanwhile() -> None:
    X = clustered(40_000, 64)
    started, turns = threading.Event(), 0
    worker = threading.Thread(target=lambda: (started.set(), la.KMeans(500, max_iter=10, tol=0).fit(X)))
    worker.start()
    started.wait()
    while worker.is_alive():
        turns += 1
        time.sleep(0.001)
    assert turns > 20

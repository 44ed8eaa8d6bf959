"""Clusters by k-means."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._checks import as_integer, as_number, as_threads, must_be
from ..errors import DimensionMismatch, InvalidArgument
from .vectors import as_vectors

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SEED_STEP = 0x9E3779B97F4A7C15  # between the seeds of several beginnings
BLOCK = 1 << 24  # products at once in transform


class KMeans:
    """Cluster vectors around centroids that have the least sum of squared distances to them, nearly.

    The conventions are scikit-learn's: the constructor keeps its arguments as they are, and `fit`
    checks them; what `fit` finds ends in an underscore; an instance goes into pipelines and can be cloned.
    Every assignment is exact. The same seed gives the same bytes, whatever the number of threads and the
    instruction set.

    Parameters
    ----------
    n_clusters : int
        At least 1, and at most as many as there are vectors to fit.
    n_init : int
        How many beginnings are tried; the one with the least inertia is kept.
    max_iter : int
        At most so many iterations, each of which assigns all vectors and moves the centroids to the means.
    tol : float
        Iterations end when the squares of all centroids' moves sum to at most `tol` times the mean variance
        of a coordinate.
    init : {"k-means++", "random"} or array_like, shape (n_clusters, dim)
        Where centroids begin: on vectors that lie far from one another (of a sample, where there are more
        than 16 vectors a cluster and 16384 in all), on any vectors, or where you say.
    random_state : int or None
        The seed; None for a different one every time.
    balanced : float, optional
        No cluster has more than so many times the mean of vectors (at least 1; rounded up where the vectors
        cannot be dealt out otherwise). What is too much for one goes to the nearest with room, so `labels_`
        may differ from what `predict` says.
    threads : int, optional
        All CPUs this process may use when left out.

    Attributes
    ----------
    cluster_centers_ : ndarray of float32, shape (n_clusters, dim)
        With fewer distinct vectors than clusters, some centroids are equal, and the later ones' clusters
        empty.
    labels_ : ndarray of int32, shape (n,)
        The cluster of every vector fitted; of equally near ones the first.
    inertia_ : float
        The sum of squared distances of the vectors from the centroids of their clusters.
    n_iter_ : int
        Iterations that were run.
    n_features_in_ : int
        The dim of the vectors fitted.

    Examples
    --------
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> kmeans = la.KMeans(n_clusters=2).fit(X)
    >>> kmeans.cluster_centers_[kmeans.labels_[[0, 3]]]
    array([[ 1.,  2.],
           [10.,  2.]], dtype=float32)
    >>> kmeans.inertia_
    16.0
    >>> bool(kmeans.predict([[0, 0]])[0] == kmeans.labels_[0])
    True
    """

    cluster_centers_: NDArray[np.float32]
    labels_: NDArray[np.int32]
    inertia_: float
    n_iter_: int
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        n_init: int = 1,
        max_iter: int = 300,
        tol: float = 1e-4,
        init: str | ArrayLike = "k-means++",
        random_state: int | None = 0,
        balanced: float | None = None,
        threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.init = init
        self.random_state = random_state
        self.balanced = balanced
        self.threads = threads

    def fit(self, X: ArrayLike, y: object = None) -> KMeans:  # noqa: N803 (scikit-learn's name)
        """Find centroids for vectors.

        Parameters
        ----------
        X : array_like, shape (n, dim)
            Finite float32, float64, float16, uint8 or int8, in any layout; float64 is rounded to float32.
        y
            Ignored; scikit-learn's pipelines pass it.

        Returns
        -------
        KMeans
            Itself.

        Raises
        ------
        InvalidArgument
            For vectors that are not finite or fewer than clusters, and for unusable parameters.
        DimensionMismatch
            Where the `init` is of another dim.

        Examples
        --------
        >>> la.KMeans(n_clusters=1).fit([[0, 2], [2, 4]]).cluster_centers_
        array([[1., 3.]], dtype=float32)
        """
        vectors = _matrix(X, "X")
        clusters = as_integer(self.n_clusters, "n_clusters", 1, 2**31 - 1)
        starts = as_integer(self.n_init, "n_init", 1, 2**31 - 1)
        iterations = as_integer(self.max_iter, "max_iter", 1, 2**31 - 1)
        tolerance = _at_least(self.tol, "tol", 0.0)
        imbalance = 0.0 if self.balanced is None else _at_least(self.balanced, "balanced", 1.0)
        threads, seed, start = as_threads(self.threads), self._seed(), self._start(clusters)
        if len(vectors) < clusters:
            raise InvalidArgument(
                f"X holds {len(vectors)} vectors for n_clusters={clusters}; it must hold as many at least"
            )
        if vectors.shape[1] == 0:
            raise InvalidArgument("X has vectors of dim 0; it must be at least 1")
        if not isinstance(start, str):
            starts = 1  # every beginning would be the same
        best = None
        for turn in range(starts):
            turn_seed = (seed + turn * SEED_STEP) % 2**64
            found = _core.kmeans(
                vectors, clusters, iterations, tolerance, turn_seed, imbalance, start, threads
            )
            if best is None or found[2] < best[2]:
                best = found
        assert best is not None
        self.cluster_centers_ = best[0]
        self.labels_ = best[1].view(np.int32)
        self.inertia_, self.n_iter_ = best[2:]
        self.n_features_in_ = vectors.shape[1]
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int32]:  # noqa: N803
        """Return the nearest centroid of each vector; of equally near ones the first.

        Parameters
        ----------
        X : array_like, shape (n, dim)
            As for `fit`.

        Returns
        -------
        ndarray of int32, shape (n,)

        Raises
        ------
        InvalidArgument
            Before `fit`, and for vectors that are not finite.
        DimensionMismatch
            For vectors of another dim than those fitted.

        Examples
        --------
        >>> kmeans = la.KMeans(2, init=[[0, 0], [9, 9]]).fit([[0, 1], [1, 0], [9, 8]])
        >>> kmeans.predict([[8, 8], [2, 2]])
        array([1, 0], dtype=int32)
        """
        return self._nearest(X)[0]

    def fit_predict(self, X: ArrayLike, y: object = None) -> NDArray[np.int32]:  # noqa: N803
        """Return the cluster of every vector of X, having found clusters for them: `labels_`.

        Examples
        --------
        >>> la.KMeans(2, init=[[0], [9]]).fit_predict([[1], [8], [2]])
        array([0, 1, 0], dtype=int32)
        """
        return self.fit(X).labels_

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """Return the Euclidean distance of each vector from each centroid.

        Returns
        -------
        ndarray of float32, shape (n, n_clusters)

        Examples
        --------
        >>> kmeans = la.KMeans(2, init=[[0, 0], [6, 8]]).fit([[0, 0], [6, 8]])
        >>> kmeans.transform([[3, 4], [0, 0]])
        array([[ 5.,  5.],
               [ 0., 10.]], dtype=float32)
        """
        vectors, centers = self._known(X), self.cluster_centers_.astype(np.float64)
        origin = centers.mean(axis=0)  # squares around it are small, and lose least
        centers -= origin
        squares = np.einsum("ij,ij->i", centers, centers)
        distances = np.empty((len(vectors), len(centers)), np.float32)
        step = max(1, BLOCK // max(centers.shape))
        for first in range(0, len(vectors), step):
            block = vectors[first : first + step].astype(np.float64) - origin
            found = np.einsum("ij,ij->i", block, block)[:, None] + squares - 2 * block @ centers.T
            distances[first : first + step] = np.sqrt(np.maximum(found, 0))
        return distances

    def fit_transform(self, X: ArrayLike, y: object = None) -> NDArray[np.float32]:  # noqa: N803
        """Return the distances of the vectors of X from centroids found for them.

        Examples
        --------
        >>> la.KMeans(1).fit_transform([[0], [4]])
        array([[2.],
               [2.]], dtype=float32)
        """
        return self.fit(X).transform(X)

    def score(self, X: ArrayLike, y: object = None) -> float:  # noqa: N803
        """Return minus the sum of squared distances of vectors from their nearest centroids.

        Examples
        --------
        >>> la.KMeans(1).fit([[0], [4]]).score([[0], [4]])
        -8.0
        """
        return -float(self._nearest(X)[1].sum(dtype=np.float64))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return what the constructor was given.

        Examples
        --------
        >>> la.KMeans(3).get_params()["n_clusters"]
        3
        """
        return {name: getattr(self, name) for name in inspect.signature(KMeans).parameters}

    def set_params(self, **params: Any) -> KMeans:
        """Change what the constructor was given.

        Raises
        ------
        InvalidArgument
            For a name that is no parameter.

        Examples
        --------
        >>> la.KMeans().set_params(n_clusters=3)
        KMeans(n_clusters=3)
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise InvalidArgument(f"KMeans has no parameter {name!r}; it has {', '.join(known)}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Show the parameters that are not the default."""
        defaults = inspect.signature(KMeans).parameters
        own = (
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if _differs(value, defaults[name].default)
        )
        return f"KMeans({', '.join(own)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "cluster_centers_")

    def __sklearn_tags__(self) -> Any:
        # Only scikit-learn asks for it, so that it is there.
        tags = import_module("sklearn.utils")
        return tags.Tags(
            estimator_type="clusterer",
            target_tags=tags.TargetTags(required=False),
            transformer_tags=tags.TransformerTags(preserves_dtype=["float32"]),
        )

    def _known(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        if not self.__sklearn_is_fitted__():
            raise InvalidArgument("this KMeans has no centroids yet; call fit first")
        vectors = _matrix(X, "X")
        if vectors.shape[1] != self.n_features_in_:
            raise DimensionMismatch(
                f"X is of dim {vectors.shape[1]} where the vectors fitted were of dim {self.n_features_in_}"
            )
        return vectors

    def _nearest(self, X: ArrayLike) -> tuple[NDArray[np.int32], NDArray[np.float32]]:  # noqa: N803
        vectors = self._known(X)
        labels, squares = _core.nearest_centroids(self.cluster_centers_, vectors, as_threads(self.threads))
        return labels.view(np.int32), squares

    def _seed(self) -> int:
        if self.random_state is None:
            return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        return as_integer(self.random_state, "random_state", 0, 2**64 - 1)

    def _start(self, clusters: int) -> str | NDArray[Any]:
        if isinstance(self.init, str):
            if self.init not in ("k-means++", "random"):
                raise must_be("init", self.init, "'k-means++', 'random' or an array")
            return self.init
        centers = _matrix(self.init, "init")
        if len(centers) != clusters:
            raise InvalidArgument(f"init holds {len(centers)} centroids for n_clusters={clusters}")
        return centers


def _matrix(values: ArrayLike, name: str) -> NDArray[Any]:
    vectors = as_vectors(values, name, "l2")
    if vectors.ndim != 2:
        raise InvalidArgument(
            f"{name} has one axis, shape {vectors.shape}; it must have shape (n, dim), a row a vector"
        )
    return vectors


def _at_least(value: Any, name: str, least: float) -> float:
    return as_number(value, name, f"a number of at least {least:g}", least=least, most=sys.float_info.max)


def _differs(value: Any, default: Any) -> bool:
    return type(value) is not type(default) or value != default

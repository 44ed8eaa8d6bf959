"""Exact search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import files
from ._core import Flat as Core
from .adding import add_in_chunks
from .arguments import as_dim, as_k, as_radius, as_threads, as_word, check_recall
from .errors import InvalidArgument
from .filters import as_where
from .health import Check
from .hits import Hits, RangeHits
from .ids import HIGHEST, LOWEST, as_id, as_ids
from .vectors import F32, as_vectors

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import ArrayLike, NDArray

    Ids = ArrayLike | set[int] | set[str] | range
    Where = Ids | Callable[[Any], bool] | None
    Progress = bool | Callable[[int, int], bool | None] | None

ndarray = np.ndarray


class Flat:
    """An index that measures every vector: exact, and with nothing to train or tune.

    Distances are float32 and smaller is nearer for every metric. Equal distances are ordered by insertion.
    Results do not depend on the number of threads. One thread may change the index while others search it; a
    change that fails changes nothing.

    Parameters
    ----------
    dim : int, optional
        Elements of a vector, 1 to 65536; taken from the first vectors when left out. For "hamming" it counts
        bytes.
    metric : {"l2", "ip", "cosine", "hamming"}
        "l2" is the squared Euclidean distance, "ip" minus the inner product, "cosine" 1 minus the cosine,
        "hamming" the number of bits that differ between vectors of packed bits (uint8, see `numpy.packbits`).
        The cosine with a zero vector counts as 0.
    codes : {"auto", "f32", "f16", "u8", "s8", "bits"}
        How vectors are stored. "auto" loses nothing: uint8, int8 and float16 arrays are kept as they come,
        float vectors of integers in [0, 255] or [-128, 127] become u8 or s8, and the whole index turns to f32
        when vectors come that do not fit. "u8" and "s8" refuse what does not fit; "f16" rounds to the nearest
        half and refuses magnitudes above 65504.

    Raises
    ------
    InvalidArgument
        For an unknown word, or words that do not go together.

    Examples
    --------
    >>> index = la.Flat(metric="cosine")
    >>> index.add([[1, 0], [0, 1], [1, 1]], ids=["right", "up", "both"])
    >>> ids, distances = index.search([2, 0.1], k=2)
    >>> ids
    array(['right', 'both'], dtype=object)
    >>> index
    Flat(dim=2, metric='cosine', codes='u8', rows=3, bytes=53)
    """

    __slots__ = ("__weakref__", "_core", "_metric")
    _core: Core

    def __init__(self, dim: int | None = None, metric: str = "l2", *, codes: str = "auto") -> None:
        self._core = Core(as_dim(dim), as_word(metric, "metric"), as_word(codes, "codes"))
        self._metric = metric

    @classmethod
    def _wrap(cls, core: Core) -> Flat:
        index = cls.__new__(cls)
        index._core = core
        index._metric = core.metric
        return index

    # -- changing it

    def add(
        self,
        vectors: ArrayLike,
        ids: Ids | None = None,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> None:
        """Add vectors under new ids: all of them or, if anything is wrong, none.

        Parameters
        ----------
        vectors : array_like, shape (n, dim) or (dim,)
            Arrays of real numbers in any layout, lists, or anything that speaks DLPack, such as a tensor on
            the CPU. float64 is rounded to float32; other integers must be exactly float32 values. No vectors:
            nothing happens.
        ids : array_like of int or str, shape (n,), optional
            int64, except -1, or str; one kind an index, chosen by the first add. Left out: they count on from
            the largest id the index ever had, starting at 0.
        threads : int, optional
            All CPUs this process may use when left out.
        progress : bool or callable, optional
            True draws a bar on stderr; a callable gets ``(done, total)`` after every few thousand vectors. If
            it returns False, or Ctrl-C is pressed, what this call added is taken out again.

        Raises
        ------
        DimensionMismatch
            Where the vectors are of another dim than the index.
        InvalidArgument
            For values that are not finite or that the codes cannot hold, and for ids that repeat, are stored
            already or are of the wrong kind.
        Cancelled
            Where `progress` returned False.

        Examples
        --------
        >>> index = la.Flat()
        >>> index.add(np.eye(3))
        >>> index.add([[1, 1, 1]])
        >>> index.ids
        array([0, 1, 2, 3])
        """
        array = as_vectors(vectors, "vectors", self._metric)
        known = None if ids is None else as_ids(ids)
        count = as_threads(threads)
        if progress is None or progress is False:
            self._core.add(array, known, count)
        else:
            add_in_chunks(self._core, array, known, count, progress)

    def upsert(self, vectors: ArrayLike, ids: Ids, *, threads: int | None = None) -> None:
        """Add vectors, replacing those whose ids are stored already, in one step.

        A replaced vector keeps its place in insertion order.

        Parameters
        ----------
        vectors : array_like, shape (n, dim) or (dim,)
            As for `add`.
        ids : array_like of int or str, shape (n,)
            Each once.
        threads : int, optional
            All CPUs this process may use when left out.

        Raises
        ------
        DimensionMismatch, InvalidArgument
            As for `add`; nothing is changed then.

        Examples
        --------
        >>> index = la.Flat()
        >>> index.add([[0, 0], [1, 1]], ids=["a", "b"])
        >>> index.upsert([[5, 5], [7, 7]], ids=["a", "c"])
        >>> index["a"], list(index)
        (array([5, 5], dtype=uint8), ['a', 'b', 'c'])
        """
        array = as_vectors(vectors, "vectors", self._metric)
        self._core.upsert(array, as_ids(ids), as_threads(threads))

    def remove(self, ids: Ids) -> int:
        """Remove vectors and return how many they were.

        Their memory comes back when more than a quarter of the rows are removed ones, or at `optimize`.

        Parameters
        ----------
        ids : int, str or array_like of them
            An id given twice counts once.

        Raises
        ------
        UnknownId
            Where an id is not stored; nothing is removed then.

        Examples
        --------
        >>> index = la.Flat()
        >>> index.add(np.eye(4))
        >>> index.remove([0, 2])
        2
        >>> index.ids
        array([1, 3])
        """
        return self._core.remove(as_ids(ids))

    def __delitem__(self, id: int | str) -> None:
        """Remove one vector. Raises `UnknownId`."""
        self._core.remove(as_ids(as_id(id)))

    def optimize(self) -> None:
        """Give back the memory of removed vectors and unused capacity.

        Examples
        --------
        >>> index = la.Flat()
        >>> index.add(np.eye(8))
        >>> index.remove([3])
        1
        >>> index.optimize()
        >>> index.check().deleted
        0.0
        """
        self._core.optimize()

    # -- asking it

    def search(
        self,
        queries: ArrayLike,
        k: int = 10,
        *,
        where: Where = None,
        recall: float | None = None,
        threads: int | None = None,
    ) -> Hits:
        """Return the k nearest vectors of each query.

        Parameters
        ----------
        queries : array_like, shape (dim,) or (n, dim)
            As the vectors of `add`.
        k : int
            At least 1. Fewer vectors than k: ids are padded with -1 or None and distances with inf. A k above
            both 65536 and ``len(index)`` is refused.
        where : optional
            Which vectors may be found: an array of ids (those not stored are passed over), a boolean mask
            over insertion order, or a callable, called once for every id. ``index.ids % 2 == 0`` is such a
            mask.
        recall : float, optional
            What indexes that approximate should reach; here every answer is exact.
        threads : int, optional
            All CPUs this process may use when left out; a single query runs on the calling thread.

        Returns
        -------
        Hits
            Of shape (k,) for one query and (n, k) for several.

        Raises
        ------
        DimensionMismatch
            Where the queries are of another dim than the index.
        InvalidArgument
            For queries that are not finite, and for an unusable k or where.

        Examples
        --------
        >>> index = la.Flat()
        >>> index.add([[0, 0], [1, 0], [0, 3]])
        >>> index.search([0.9, 0], k=2).ids
        array([1, 0])
        >>> index.search([[0, 0], [0, 2]], k=1, where=lambda id: id != 0).ids
        array([[1],
               [2]])
        """
        # The first test spares the commonest call a microsecond.
        if not (
            type(queries) is ndarray
            and queries.dtype is F32
            and (flags := queries.flags).c_contiguous
            and flags.aligned
            and 0 < queries.ndim < 3
        ):
            queries = as_vectors(queries, "queries", self._metric)
        if not (type(k) is int and 0 < k < 65536):
            k = as_k(k)
        if where is not None:
            where = as_where(where, self._core.ids)
        if recall is not None:
            check_recall(recall)
        ids, distances = self._core.search(queries, k, where, 0 if threads is None else as_threads(threads))
        return Hits(ids, distances, self._metric)

    def range(
        self, queries: ArrayLike, radius: float, *, where: Where = None, threads: int | None = None
    ) -> RangeHits:
        """Return everything at a distance of at most `radius` from each query, nearest first.

        Parameters
        ----------
        queries : array_like, shape (dim,) or (n, dim)
            As the vectors of `add`.
        radius : float
            In the metric's distances: squared for "l2", minus the inner product for "ip".
        where, threads : optional
            As for `search`.

        Returns
        -------
        RangeHits
            Ragged: query i found ``ids[offsets[i]:offsets[i + 1]]``.

        Raises
        ------
        DimensionMismatch, InvalidArgument
            As for `search`.

        Examples
        --------
        >>> index = la.Flat()
        >>> index.add([[0], [1], [5]])
        >>> near = index.range([[0]], radius=1)
        >>> near.ids, near.distances
        (array([0, 1]), array([0., 1.], dtype=float32))
        """
        array = as_vectors(queries, "queries", self._metric)
        found = self._core.range(
            array, as_radius(radius), as_where(where, self._core.ids), as_threads(threads)
        )
        return RangeHits(*found, self._metric)

    def __getitem__(self, id: int | str | Ids) -> NDArray[Any]:
        """Return one id's vector, or several ids' as rows, as they are stored. Raises `UnknownId`."""
        if isinstance(id, (int, str, np.integer)):
            single: NDArray[Any] = self._core.get(as_ids(as_id(id)))[0]
            return single
        return self._core.get(as_ids(id))

    def __contains__(self, id: object) -> bool:
        if isinstance(id, str):
            return self._core.contains(id)
        return (
            isinstance(id, (int, np.integer))
            and LOWEST <= int(id) <= HIGHEST
            and self._core.contains(int(id))
        )

    def __len__(self) -> int:
        return len(self._core)

    def __iter__(self) -> Iterator[Any]:
        """Yield the ids in insertion order."""
        return iter(self._core.ids().tolist())

    def __repr__(self) -> str:
        core = self._core
        words = f"dim={self.dim}, metric={self._metric!r}, codes={core.codes!r}"
        return f"Flat({words}, rows={len(core)}, bytes={core.nbytes})"

    @property
    def ids(self) -> NDArray[Any]:
        """A copy of the ids in insertion order: int64, or str objects."""
        return self._core.ids()

    @property
    def dim(self) -> int | None:
        """Elements of a vector (bytes, for "hamming"); None until the first add when it was left out."""
        return self._core.dim or None

    @property
    def metric(self) -> str:
        """The metric's name."""
        return self._metric

    @property
    def codes(self) -> str:
        """What vectors are stored as; what was asked for while there are none."""
        return self._core.codes

    @property
    def nbytes(self) -> int:
        """Bytes of vectors, norms and ids, removed ones that still take room included."""
        return self._core.nbytes

    def check(self) -> Check:
        """Return the index's state of health.

        Examples
        --------
        >>> index = la.Flat()
        >>> index.add(np.eye(5))
        >>> index.remove([1])
        1
        >>> index.check()
        Check(rows=4, deleted=0.2, recall=1.0, interval=(1.0, 1.0), unreachable=0, bytes=65)
        """
        core = self._core
        return Check(len(core), core.removed_share, 1.0, (1.0, 1.0), 0, core.nbytes)

    # -- keeping it

    def save(self, file: files.PathOrFile) -> None:
        """Write the index to a file, atomically: after a crash the old file is there or the new one, whole.

        Parameters
        ----------
        file : str, PathLike or binary file object
            A file object is written to as it stands, so it is atomic only as far as it is.

        Raises
        ------
        IoError
            Where the operating system refuses; an old file is as it was.

        Examples
        --------
        >>> import io
        >>> index, file = la.Flat(), io.BytesIO()
        >>> index.add(np.eye(2), ids=["a", "b"])
        >>> index.save(file)
        >>> la.load(io.BytesIO(file.getvalue()))["b"]
        array([0, 1], dtype=uint8)
        """
        files.save(self._core, file)

    def close(self) -> None:
        """Let go of the vectors, and of the file an index loaded with ``mmap=True`` is mapped from.

        Called by ``with`` as well; the index cannot be used afterwards.

        Examples
        --------
        >>> with la.Flat(dim=2) as index:
        ...     index.add([[1, 2]])
        >>> len(index)
        Traceback (most recent call last):
        ...
        lookalike.errors.InvalidArgument: the index is closed
        """
        object.__setattr__(self, "_core", _Closed())

    def __enter__(self) -> Flat:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        return files.restore, (files.dump(self._core),)


class _Closed:
    """Stands where the core of an index was."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        raise InvalidArgument("the index is closed")

    def __len__(self) -> int:
        raise InvalidArgument("the index is closed")


files.register(Core, Flat._wrap)

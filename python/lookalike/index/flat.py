"""Exact search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._checks import as_dim, as_k, as_recall, as_threads, as_word
from .._core import Flat as Core
from . import files
from .filters import as_where
from .health import Check
from .hits import Hits
from .index import Index
from .vectors import as_queries

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .index import Where


class Flat(Index):
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

    __slots__ = ()
    _core: Core

    def __init__(self, dim: int | None = None, metric: str = "l2", *, codes: str = "auto") -> None:
        self._core = Core(as_dim(dim), as_word(metric, "metric"), as_word(codes, "codes"))
        self._metric = metric

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

        What another thread changes meanwhile, the later queries of a long batch see, but for one with a
        `where`: writers wait for that.

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
        queries = as_queries(queries, self._metric)
        if not (type(k) is int and 0 < k < 65536):
            k = as_k(k)
        if where is not None:
            where = as_where(where, self._core.ids)
        if recall is not None:
            as_recall(recall)
        ids, distances = self._core.search(queries, k, where, 0 if threads is None else as_threads(threads))
        return Hits(ids, distances, self._metric)

    def tune(self, recall: float = 0.95, queries: ArrayLike | None = None) -> Check:
        """Return `check`: every search is exact, so any recall is reached and there is nothing to tune.

        Here so that indexes can be exchanged for one another.

        Parameters
        ----------
        recall : float
            In (0, 1].
        queries : array_like, optional
            Ignored.

        Raises
        ------
        InvalidArgument
            For a recall that is none.

        Examples
        --------
        >>> index = la.Flat()
        >>> index.add(np.eye(5))
        >>> index.tune(recall=0.99).recall
        1.0
        """
        as_recall(recall)
        return self.check()

    def check(self) -> Check:
        """Return the index's state of health.

        Examples
        --------
        >>> index = la.Flat()
        >>> index.add(np.eye(5))
        >>> index.remove([1])
        1
        >>> state = index.check()
        >>> state.rows, state.deleted, state.recall, state.bytes
        (4, 0.2, 1.0, 65)
        """
        core = self._core
        return Check(len(core), core.removed_share, 1.0, (1.0, 1.0), 0, core.nbytes)


files.register(Core, Flat._wrap)

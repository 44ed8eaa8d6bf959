"""Approximate search by a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._checks import as_dim, as_integer, as_word
from .._core import HNSW as Core  # noqa: N811 (the paper's name)
from . import files
from .approximate import Approximate, K

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .hits import Hits
    from .index import Where

WIDEST = 1 << 16  # that is tried before tuning gives up


class HNSW(Approximate):
    """An index that searches a proximity graph: approximate, and fast however many vectors there are.

    The graph is flat: one layer, pruned as in Vamana, and entered at selected points; name and parameters are
    those of hierarchical graphs. A search follows edges towards the query, estimates distances by short codes
    of the vectors it visits, and keeps the `ef` nearest; a larger `ef` finds more of the true neighbours. As
    it grows, the index measures on its own vectors which `ef` finds 95 % of the ten nearest; queries unlike
    those may need more: `tune` it with some. The nearest are reranked by what is kept of them, so
    distances are exactly those of a `Flat` of the same vectors, to the last bit; only which neighbours are
    found is approximate. A few hundred vectors, and the few that a strict `where` leaves, are searched
    exactly, and so is `range`.

    Vectors can be found as soon as `add` returns, are gone as soon as `remove` returns, and the graph is
    repaired as they go. One thread may change the index while others search it. A change that fails changes
    nothing; but once Ctrl-C stops an `upsert` or a `remove`, vectors may be replaced or removed already, and
    stay so. The same calls with the same seed give the same index, byte for byte, on any number of threads.

    Parameters
    ----------
    dim : int, optional
        Elements of a vector, 1 to 65536; taken from the first vectors when left out. For "hamming" it counts
        bytes.
    metric : {"l2", "ip", "cosine", "hamming"}
        As for `Flat`.
    M : int
        A third of the edges a vector can have. More find more in hard data, and take more memory and time to
        build.
    ef_construction : int
        Neighbours considered when a vector is linked. More give a better graph, slower; 100 builds about
        twice as fast as 200.
    codes : {"auto", "f32", "f16", "u8", "s8", "u4", "u2", "rabitq", "bits"}
        What is walked over. "f32" and "f16": the vectors kept, as these. "u8", "s8": the vectors kept where
        they are bytes, else codes of 8 bits an element; "u4", "u2" and "rabitq": codes of 4, 2 and 1 bits.
        "auto" takes the vectors kept where they are short, else the shortest codes that rank a sample well.
    keep : {"auto", "f32", "f16", "u8", "s8", "none"}
        What is kept of the vectors, measures what a walk found, and is returned by ``index[id]``, as the
        codes of `Flat`: "auto" loses nothing, "f16" halves the memory of floats. "none": nothing beside the
        codes, which must be vectors then: "f32", "f16", "u8" or "s8".
    seed : int
        Of the little randomness there is, 0 to 2**63 - 1.

    Raises
    ------
    InvalidArgument
        For an unknown word, words that do not go together, and numbers out of range.

    References
    ----------
    Yu. A. Malkov and D. A. Yashunin, "Efficient and robust approximate nearest neighbor search using
    hierarchical navigable small world graphs", 2018. S. J. Subramanya et al., "DiskANN: fast accurate
    billion-point nearest neighbor search on a single node", 2019, for how edges are pruned.

    Examples
    --------
    >>> vectors = np.random.default_rng(0).normal(size=(2000, 16)).astype(np.float32)
    >>> index = la.HNSW(metric="cosine")
    >>> index.add(vectors)
    >>> index.search(vectors[7], k=1).ids
    array([7])
    >>> index.search(vectors[:3], k=5, ef=100).ids.shape
    (3, 5)
    >>> len(index), index.dim, index.M
    (2000, 16, 16)
    """

    __slots__ = ()
    _core: Core
    _chunk_bytes = 1 << 21
    _shown = ("dim", "metric", "codes", "keep", "M")
    _effort = "ef"
    _advice = "a larger M or ef_construction, or finer codes"

    def __init__(
        self,
        dim: int | None = None,
        metric: str = "l2",
        *,
        M: int = 16,  # noqa: N803 (the paper's name)
        ef_construction: int = 200,
        codes: str = "auto",
        keep: str = "auto",
        seed: int = 0,
    ) -> None:
        self._core = Core(
            as_dim(dim),
            as_word(metric, "metric"),
            as_word(codes, "codes"),
            as_word(keep, "keep"),
            as_integer(M, "M", 2, 512),
            as_integer(ef_construction, "ef_construction", 1, 1 << 16),
            as_integer(seed, "seed", 0, 2**63 - 1),
        )
        self._metric = metric

    def search(
        self,
        queries: ArrayLike,
        k: int = 10,
        *,
        ef: int | None = None,
        where: Where = None,
        recall: float | None = None,
        threads: int | None = None,
    ) -> Hits:
        """Return the k nearest vectors of each query that a walk finds.

        What another thread changes meanwhile, the later queries of a long batch see, but for one with a
        `where`: writers wait for that.

        Parameters
        ----------
        queries : array_like, shape (dim,) or (n, dim)
            As the vectors of `add`.
        k : int
            At least 1. Fewer vectors than k: ids are padded with -1 or None and distances with inf. A k above
            both 65536 and ``len(index)`` is refused.
        ef : int, optional
            How many of the nearest visited vectors are kept: effort. One below k acts as k. Left out: what
            the index measured to find 95 % of the ten nearest, or `tune` to reach its target, 64 at
            least unless `tune` found less; for more than some 40 neighbours, more in proportion. Where no ef
            suffices, every vector is measured.
        where : optional
            Which vectors may be found: an array of ids (those not stored are passed over), a boolean mask
            over insertion order, or a callable, called once for every id. k vectors are found wherever k are
            admitted, and exactly the right ones where few are.
        recall : float, optional
            Take the least ef measured to find this share of the true neighbours; not together with ef. Where
            none was, it is measured first, as `tune` does, and kept. An index of at most 1000 vectors is
            searched exactly, tuned or not.
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
            For queries that are not finite, and for an unusable k, ef, where or recall.

        Examples
        --------
        >>> vectors = np.random.default_rng(1).normal(size=(1000, 8)).astype(np.float32)
        >>> index = la.HNSW()
        >>> index.add(vectors)
        >>> ids, distances = index.search(vectors[[3, 14]], k=1, ef=32)
        >>> ids
        array([[ 3],
               [14]])
        >>> hits = index.search(vectors[3], k=5, where=index.ids >= 500)
        >>> bool((hits.ids >= 500).all()), hits.counts
        (True, 5)
        """
        return self._search(queries, k, ef, where, recall, threads)

    def stats(
        self,
        queries: ArrayLike | None = None,
        k: int = 10,
        *,
        ef: int | None = None,
        threads: int | None = None,
    ) -> dict[str, float]:
        """Return what a search does, as means over queries.

        Parameters
        ----------
        queries : array_like, shape (n, dim), optional
            Some of the index's own vectors when left out.
        k, ef, threads : optional
            As for `search`.

        Returns
        -------
        dict
            "hops": vectors whose edges were followed; "distances": vectors measured by their codes;
            "reranked": vectors measured again by what is kept of them; "bytes": what was read.

        Raises
        ------
        DimensionMismatch, InvalidArgument
            As for `search`.

        Examples
        --------
        >>> index = la.HNSW()
        >>> index.add(np.random.default_rng(4).normal(size=(2000, 8)))
        >>> low, high = index.stats(ef=16), index.stats(ef=128)
        >>> low["distances"] < high["distances"] < 2000
        True
        """
        return self._stats(queries, k, ef, threads)

    def _least(self) -> int:
        return 16  # searches that name no ef keep half as many again as k

    def _most(self) -> int:
        return min(len(self._core), WIDEST)

    # -- what it is

    @property
    def M(self) -> int:  # noqa: N802 (the paper's name)
        """A third of the edges a vector can have."""
        return self._core.M

    @property
    def ef_construction(self) -> int:
        """Neighbours considered when a vector is linked."""
        return self._core.ef_construction

    @property
    def ef(self) -> int:
        """The effort of searches for 10 neighbours that name neither ef nor recall."""
        return self._core.usual_effort(K)


files.register(Core, HNSW._wrap)

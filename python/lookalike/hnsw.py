"""Approximate search by a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import files
from ._core import HNSW as Core  # noqa: N811 (the paper's name)
from .arguments import as_dim, as_k, as_number, as_recall, as_threads, as_word
from .errors import InvalidArgument
from .filters import as_where
from .health import Check
from .hits import Hits
from .index import Index
from .tuning import effort_for, least_effort, merge, wilson
from .vectors import as_queries, as_vectors

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ._core import Probe
    from .index import Where

K = 10  # neighbours that recall is measured for
SAMPLE = 1000  # queries that it is measured with
LEAST = 16  # the smallest ef that is tried: searches that name none keep in mind half as much again as k
FEW = 1000  # rows: what so small an index needs tells nothing of what it will need when it has grown
MOST = 2**31 - 1  # that an ef can be
WIDEST = 1 << 16  # that is tried before tuning gives up


class HNSW(Index):
    """An index that walks a graph of near neighbours: approximate, and fast however many vectors there are.

    A search follows edges from vector to vector towards the query, measuring short codes of the vectors it
    meets, and keeps the `ef` nearest; more effort finds more of the true neighbours, and `tune` measures how
    much is enough. Hard data, such as vectors of many independent dimensions or, for "ip", of very different
    lengths, need more than the default ef: `tune` them. The nearest are measured again by what is kept of
    them, so distances are those of a `Flat` of the same vectors; only which neighbours are found is
    approximate. A few hundred vectors, and the few that a strict `where` leaves, are searched exactly, and so
    is `range`.

    Vectors can be found as soon as `add` returns, are gone as soon as `remove` returns, and the graph is
    mended as they go. One thread may change the index while others search it. A change that fails changes
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
    codes : {"auto", "f32", "f16", "u8", "s8", "u4", "rabitq", "bits"}
        What is walked over. "f32" and "f16": the vectors kept, as these. "u8", "s8": the vectors kept where
        they are bytes, else codes of 8 bits an element; "u4" and "rabitq": codes of 4 bits and of 1. "auto"
        takes the vectors kept where they are short, else the shortest codes that rank a sample well.
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
            as_number(M, "M", 2, 512),
            as_number(ef_construction, "ef_construction", 1, 1 << 16),
            as_number(seed, "seed", 0, 2**63 - 1),
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
            How many of the nearest vectors met are kept in mind: effort. One below k acts as k. Left out:
            what `tune` found last, else 64; or half as much again as k, where that is more.
        where : optional
            Which vectors may be found: an array of ids (those not stored are passed over), a boolean mask
            over insertion order, or a callable, called once for every id. k vectors are found wherever k are
            admitted, and exactly the right ones where few are.
        recall : float, optional
            Take the least ef that `tune` measured to find this share of the true neighbours; not together
            with ef. An index of at most 1000 vectors is searched exactly, tuned or not.
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
            For queries that are not finite, for an unusable k, ef or where, and for a recall that no ef was
            measured to reach.

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
        queries = as_queries(queries, self._metric)
        if not (type(k) is int and 0 < k < 65536):
            k = as_k(k)
        if recall is not None:
            ef = self._ef_for(recall, ef)
        elif ef is None:
            ef = 0
        elif not (type(ef) is int and 0 < ef < 65536):
            ef = as_number(ef, "ef", 1, MOST)
        if where is not None:
            where = as_where(where, self._core.ids)
        count = 0 if threads is None else as_threads(threads)
        ids, distances = self._core.search(queries, k, ef, where, count)
        return Hits(ids, distances, self._metric)

    def _ef_for(self, recall: float, ef: int | None) -> int:
        if ef is not None:
            raise InvalidArgument(f"recall is {recall!r} and ef is {ef!r}; only one of them can decide")
        target = as_recall(recall)
        if len(self._core) <= FEW:
            return FEW  # as wide as this, a search measures them all
        ef = effort_for(target, self._core.tuned)
        if ef is None:
            raise InvalidArgument(
                f"recall is {recall!r}, which no measured ef reaches; call tune(recall={recall!r}) first"
            )
        return ef

    # -- how good it is

    def tune(self, recall: float = 0.95, queries: ArrayLike | None = None) -> Check:
        """Find the least ef that reaches a recall, make it the default, and keep it for ``search(recall=)``.

        Recall@10 is measured, with exact search for the truth, on queries the index does not hold: those
        given, or 1000 of its own vectors drawn at random, each searched for as if it were not there. An ef
        reaches a recall if it found that share; the interval returned says how far luck may have helped.
        What is measured stays until another measurement contradicts it, and is saved with the index; but what
        was measured on at most 1000 vectors is not kept for ``search(recall=)``, for it tells nothing of a
        larger index. Tune again when the index has grown several times, or what it is asked has changed.

        Parameters
        ----------
        recall : float
            In (0, 1].
        queries : array_like, shape (n, dim), optional
            As the queries to come, a few hundred at least, and none of them stored.

        Returns
        -------
        Check
            As `check` returns it, with what was measured at the ef found.

        Raises
        ------
        InvalidArgument
            For a recall that no ef reaches, for unusable queries, and where another thread changed the index
            meanwhile. The default is as it was then.

        Examples
        --------
        >>> vectors = np.random.default_rng(2).normal(size=(3000, 16)).astype(np.float32)
        >>> index = la.HNSW()
        >>> index.add(vectors)
        >>> index.tune(recall=0.99).recall >= 0.99
        True
        >>> index.search(vectors[:5], recall=0.98).ids.shape
        (5, 10)
        """
        target = as_recall(recall)
        probe = self._probe(queries)
        core, rows = self._core, len(self._core)
        first = LEAST if rows > FEW else core.usual_ef(K)
        measured = least_effort(lambda ef: _share(probe, ef), target, first, max(first, min(rows, WIDEST)))
        ef = effort_for(target, measured)
        if ef is None:
            best, most = max(measured)
            raise InvalidArgument(
                f"recall is {recall!r}, but with an ef of {most} this index reaches {best:.4f}; "
                "build it with a larger M or ef_construction, or finer codes"
            )
        core.set_tuned(merge(core.tuned, measured) if rows > FEW else core.tuned, ef)
        return self._state(probe, ef)

    def check(self) -> Check:
        """Return the index's state of health; recall@10 is measured at the default ef.

        On 1000 of its own vectors, or all where they are fewer, each searched for as if it were not there.
        Takes as long as an exact search for them.

        Examples
        --------
        >>> index = la.HNSW()
        >>> index.add(np.random.default_rng(3).normal(size=(2000, 8)))
        >>> state = index.check()
        >>> state.rows, state.deleted, state.unreachable
        (2000, 0.0, 0)
        >>> state.recall > 0.95 and state.interval[0] < state.recall
        True
        """
        return self._state(self._probe(None), self._core.usual_ef(K))

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
        k = as_k(k)
        effort = 0 if ef is None else as_number(ef, "ef", 1, MOST)
        if queries is None:
            ids = self._core.ids()
            array = self[ids[:: max(1, len(ids) // 256)]]
        else:
            array = np.atleast_2d(as_vectors(queries, "queries", self._metric))
        return self._core.profile(array, k, effort, as_threads(threads))

    def _probe(self, queries: ArrayLike | None) -> Probe | None:
        """Return queries and their true neighbours, or None where there is nothing to find."""
        rows, core = len(self._core), self._core
        array = None if queries is None else np.atleast_2d(as_vectors(queries, "queries", self._metric))
        if array is not None and array.size == 0:
            raise InvalidArgument("queries are empty; at least one is needed to measure recall")
        if array is not None:
            return core.probe(array, min(K, rows), len(array), core.seed, 0) if rows else None
        return core.probe(None, min(K, rows - 1), min(rows, SAMPLE), core.seed, 0) if rows > 1 else None

    def _state(self, probe: Probe | None, ef: int) -> Check:
        core = self._core
        recall = _share(probe, ef)
        interval = wilson(recall, probe.count) if probe else (1.0, 1.0)
        return Check(len(core), core.removed_share, recall, interval, core.unreachable(), core.nbytes)

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
        return self._core.usual_ef(K)

    @property
    def keep(self) -> str:
        """What is kept of the vectors; what was asked for while there are none."""
        return self._core.keep

    @property
    def seed(self) -> int:
        """Of the little randomness there is."""
        return self._core.seed


def _share(probe: Probe | None, ef: int) -> float:
    """Return the share of the true neighbours that searches with this ef find."""
    if probe is None:
        return 1.0
    found, wanted = probe.recall(ef, 0)
    return found / wanted if wanted else 1.0


files.register(Core, HNSW._wrap)

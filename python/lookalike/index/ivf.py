"""Approximate search by inverted lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._checks import as_dim, as_integer, as_threads, as_word
from .._core import IVF as Core  # noqa: N811 (an abbreviation)
from .._core import IVFBuild
from ..errors import IoError
from . import files
from .approximate import Approximate, K
from .ids import as_ids

if TYPE_CHECKING:
    import os

    from numpy.typing import ArrayLike

    from .._progress import Progress
    from .building import Chunks
    from .hits import Hits
    from .index import Ids, Where

MOST_LISTS = 1 << 20


def _settings(
    metric: object, codes: object, keep: object, nlist: object, seed: object
) -> tuple[str, str, str, int, int]:
    return (
        as_word(metric, "metric"),
        as_word(codes, "codes"),
        as_word(keep, "keep"),
        0 if nlist is None else as_integer(nlist, "nlist", 1, MOST_LISTS),
        as_integer(seed, "seed", 0, 2**63 - 1),
    )


class IVF(Approximate):
    """An index that groups vectors around centroids: approximate, quickly built, small, and fast in batches.

    Every vector stands in the list of the centroid nearest it. A search scans the `nprobe` lists nearest
    the query, by short codes of the residuals (vector minus centroid); more lists
    hold more of the true neighbours, and the index measures by itself how many are enough. The nearest by
    codes are measured again by what is kept of the vectors, so distances are exactly those of a `Flat` of the
    same vectors, to the last bit; only which neighbours are found is approximate (see Notes for what keeps
    no vectors). A batch reads each list once for all queries that are near it. Fewer than 1024 vectors, or
    than `nlist`, and the few that a strict `where` leaves, are searched exactly, and so is `range`.

    Centroids and codes are learned as soon as there are so many, and again when three times as many have been
    added. Where `nlist` is left out, a list that grows to four times the usual length in between is split;
    equal vectors stay together. Vectors can be found as soon as `add` returns, and are gone as soon as
    `remove` returns. One thread may change the index while others search it. A change that fails changes
    nothing; but once Ctrl-C stops an `upsert`, vectors may be replaced already, and stay so. The same calls
    with the same seed give the same index, byte for byte, on any number of threads.

    Parameters
    ----------
    dim : int, optional
        Elements of a vector, 1 to 65536; taken from the first vectors when left out. For "hamming" it counts
        bytes.
    metric : {"l2", "ip", "cosine", "hamming"}
        As for `Flat`.
    nlist : int, optional
        How many lists there are, 1 to 1048576, and stay. Left out: about three times the square root of the
        number of vectors, more as lists are split.
    codes : {"auto", "f32", "f16", "u8", "s8", "u4", "u2", "rabitq", "bits"}
        What is scanned. "f32" and "f16": the vectors kept, as these. "u8", "s8": the vectors kept where they
        are bytes, else codes of 8 bits an element; "u4", "u2" and "rabitq": codes of 4, 2 and 1 bits. "auto"
        takes the vectors kept where they are at most 64 bytes or bits, else "u2", or "u4" where that would
        lose too many neighbours. Codes keep the principal directions that suffice to rank neighbours;
        "rabitq" keeps all.
    keep : {"auto", "f32", "f16", "u8", "s8", "none"}
        What is kept of the vectors, measures what a scan found, and is returned by ``index[id]``, as the
        codes of `Flat`: "auto" loses nothing, "f16" halves the memory of floats. "none": nothing beside the
        codes, which must be named: "f32", "f16", "u8" or "s8" are vectors themselves, "u4" and "rabitq" are
        not; see Notes.
    seed : int
        Of the little randomness there is, 0 to 2**63 - 1.

    Raises
    ------
    InvalidArgument
        For an unknown word, words that do not go together, and numbers out of range.

    Notes
    -----
    With ``keep="none"`` and ``codes="u4"`` an index takes at most about a fifth of what its vectors take as
    float32, once there are some thousands. Then the estimated distances are returned: within a few percent of
    the true ones, and so is the order of what is found. Vectors are kept until there are enough for lists,
    and then forgotten: lists and codes are learned once, from the vectors there are then, so add many at
    first. Later ones get codes of the same kind, and a list that grows too long is split by what the codes
    in it stand for. ``index[id]``, `range`, `tune`, `check` and `stats` without queries need vectors, and
    raise `InvalidArgument`; recall can be measured against a `Flat` by `lookalike.evaluate.recall`.
    Searches with a strict `where` scan as many lists as it takes. ``codes="rabitq"`` takes about half as
    much where vectors are many, is much coarser, and its lists are not split. Under "ip" no list is split
    once vectors have come that are more than twice as long as all there were when codes were learned; any
    10,000 times as long are refused.

    References
    ----------
    H. Jegou, M. Douze and C. Schmid, "Product quantization for nearest neighbor search", 2011, section 4, for
    inverted lists of residuals. J. Gao and C. Long, "RaBitQ: quantizing high-dimensional vectors with a
    theoretical error bound for approximate nearest neighbor search", 2024, for codes of one bit.

    Examples
    --------
    >>> vectors = np.random.default_rng(0).normal(size=(2000, 32)).astype(np.float32)
    >>> index = la.IVF(metric="cosine", nlist=50)
    >>> index.add(vectors)
    >>> index.search(vectors[7], k=1).ids
    array([7])
    >>> index.search(vectors[:3], k=5, nprobe=10).ids.shape
    (3, 5)
    >>> len(index), index.dim, index.nlist
    (2000, 32, 50)
    """

    __slots__ = ()
    _core: Core
    _shown = ("dim", "metric", "codes", "keep", "nlist")
    _effort = "nprobe"
    _advice = "finer codes"

    def __init__(
        self,
        dim: int | None = None,
        metric: str = "l2",
        *,
        nlist: int | None = None,
        codes: str = "auto",
        keep: str = "auto",
        seed: int = 0,
    ) -> None:
        self._core = Core(as_dim(dim), *_settings(metric, codes, keep, nlist, seed))
        self._metric = metric

    @staticmethod
    def build(
        vectors: Chunks,
        path: str | os.PathLike[str],
        *,
        ids: Ids | None = None,
        memory: int | str = "2GB",
        metric: str = "l2",
        nlist: int | None = None,
        codes: str = "auto",
        keep: str = "auto",
        seed: int = 0,
        threads: int | None = None,
        progress: Progress = None,
    ) -> IVF:
        """Build an index of more vectors than memory holds, as a file, and open that with ``mmap=True``.

        The file is the one that `add` of all vectors at once and `save` would write, byte by byte, where the
        sample that lists are learned from fits in `memory`; where it does not, the sample is smaller. While
        it is built, about twice its size is taken in its folder, and freed however that ends. Of vectors that
        take more than half of `memory` no recall is guaranteed: `tune` the index that is opened.

        Parameters
        ----------
        vectors : array, or iterable of arrays of shape (n, dim)
            A 2-D array, such as ``np.load(name, mmap_mode="r")``; or chunks of any length, such as a
            generator yields, each as the vectors of `add`. They are read once. At least one vector is needed.
        path : str or PathLike
            Where the file will be. One that is there is replaced when everything is done, not before.
        ids : array_like of int or str, shape (n,), optional
            As for `add`; they are held in memory. Left out: 0, 1, 2, ...
        memory : int or str
            Bytes, or a str such as "512MB" or "2GB" (powers of 1024), that building may hold: at least 32MB,
            and 24 bytes a vector beside four times the centroids and 12,288 vectors of floats. The caller's
            chunks and the ids come on top.
        metric, nlist, codes, keep, seed
            As for `IVF`.
        threads : int, optional
            All CPUs this process may use when left out.
        progress : bool or callable, optional
            True draws a bar on stderr; a callable gets ``(done, total)``, in vectors, while they are put into
            their lists, once all have been read. If it returns False, or Ctrl-C is pressed, there is no new
            file.

        Returns
        -------
        IVF
            As `load` with ``mmap=True`` returns it.

        Raises
        ------
        DimensionMismatch, InvalidArgument
            As for `add`, naming the chunk, and for too little memory. An old file is as it was, as it is
            after whatever the iterable raises.
        Cancelled
            Where `progress` returned False.
        IoError
            Where the operating system refuses.

        Examples
        --------
        >>> rng = np.random.default_rng(8)
        >>> chunks = (rng.normal(size=(1000, 32)).astype(np.float32) for _ in range(4))
        >>> with la.IVF.build(chunks, "large.look", memory="64MB", metric="cosine") as index:
        ...     len(index), index.dim
        (4000, 32)
        """
        from .building import append_all, as_memory, counter  # not before: `import lookalike` stays quick

        target, most, count = files.as_path(path), as_memory(memory), as_threads(threads)
        known = None if ids is None else as_ids(ids)
        try:
            build = IVFBuild(target, *_settings(metric, codes, keep, nlist, seed), most)
            report = counter(progress, build)
            append_all(build, vectors, metric, most, count)
            build.finish(known, count, report)
        except IoError as error:
            error.filename = target
            raise
        return IVF._wrap(files.open_core(target, mmap=True))

    def verify(self) -> None:
        """Read what was not read yet of the file an index loaded with ``mmap=True`` is mapped from.

        Such an index is open at once: its vectors, ids and lists are read, and could be found to be damaged,
        only as searches need them. Damage that no checksum was held against may give wrong answers; it cannot
        crash. This holds everything against its checksum, as the first change and `save` do.

        Raises
        ------
        CorruptFile
            Where the file was changed.

        Examples
        --------
        >>> index = la.IVF()
        >>> index.add(np.eye(3))
        >>> index.save("sound.look")
        >>> la.load("sound.look", mmap=True).verify()
        """
        self._core.verify()

    def search(
        self,
        queries: ArrayLike,
        k: int = 10,
        *,
        nprobe: int | None = None,
        where: Where = None,
        recall: float | None = None,
        threads: int | None = None,
    ) -> Hits:
        """Return the k nearest vectors of each query that a scan of the lists nearest it finds.

        What another thread changes meanwhile, the later queries of a long batch see, but for one with a
        `where`: writers wait for that.

        Parameters
        ----------
        queries : array_like, shape (dim,) or (n, dim)
            As the vectors of `add`.
        k : int
            At least 1. Fewer vectors than k: ids are padded with -1 or None and distances with inf. A k above
            both 65536 and ``len(index)`` is refused.
        nprobe : int, optional
            How many lists are scanned: effort. More than there are act as all. Left out: what the index
            measured to find 95 % of the ten nearest, or `tune` to reach its target, 32 at least unless
            `tune` found less; and more where those would hold fewer than four times k vectors. Where no
            nprobe suffices, every vector is measured. With ``keep="none"`` nothing can be measured: 32.
        where : optional
            Which vectors may be found: an array of ids (those not stored are passed over), a boolean mask
            over insertion order, or a callable, called once for every id. k vectors are found wherever k are
            admitted, and exactly the right ones where few are.
        recall : float, optional
            Take the least nprobe measured to find this share of the true neighbours; not together with
            nprobe. Where none was, it is measured first, as `tune` does, and kept. Of at most 1000 vectors,
            or without lists, all are scanned, tuned or not.
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
            For queries that are not finite, and for an unusable k, nprobe, where or recall. Without vectors,
            also where recall would have to be measured, and for queries longer than 1e18 or, under
            "cosine", shorter than 1e-15.

        Examples
        --------
        >>> vectors = np.random.default_rng(1).normal(size=(3000, 24)).astype(np.float32)
        >>> index = la.IVF()
        >>> index.add(vectors)
        >>> ids, distances = index.search(vectors[[3, 14]], k=1, nprobe=8)
        >>> ids
        array([[ 3],
               [14]])
        >>> hits = index.search(vectors[3], k=5, where=index.ids >= 500)
        >>> bool((hits.ids >= 500).all()), hits.counts
        (True, 5)
        """
        return self._search(queries, k, nprobe, where, recall, threads)

    def stats(
        self,
        queries: ArrayLike | None = None,
        k: int = 10,
        *,
        nprobe: int | None = None,
        threads: int | None = None,
    ) -> dict[str, float]:
        """Return what a search does, as means over queries.

        Parameters
        ----------
        queries : array_like, shape (n, dim), optional
            Some of the index's own vectors when left out.
        k, nprobe, threads : optional
            As for `search`.

        Returns
        -------
        dict
            "lists": lists scanned; "distances": vectors measured by their codes, or as they are kept where
            those are scanned; "reranked": vectors measured again by what is kept of them; "bytes": what was
            read. All are 0 while there are no lists.

        Raises
        ------
        DimensionMismatch, InvalidArgument
            As for `search`.

        Examples
        --------
        >>> index = la.IVF()
        >>> index.add(np.random.default_rng(4).normal(size=(4000, 24)))
        >>> low, high = index.stats(nprobe=4), index.stats(nprobe=16)
        >>> low["lists"], high["lists"], low["distances"] < high["distances"] < 4000
        (4.0, 16.0, True)
        """
        return self._stats(queries, k, nprobe, threads)

    def _least(self) -> int:
        # As many lists as hold a few times K: where they hold fewer, searches end in exact ones.
        return max(1, min(self._most(), 4 * K * self._most() // max(1, len(self._core))))

    def _most(self) -> int:
        return self._core.nlist

    # -- what it is

    @property
    def nlist(self) -> int | None:
        """How many lists there are; while there are none, the number given."""
        return self._core.nlist or None

    @property
    def nprobe(self) -> int:
        """How many lists searches scan that name neither nprobe nor recall."""
        return self._core.usual_effort(K)


files.register(Core, IVF._wrap)

"""What all indexes share: adding, removing, reading, range search and saving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from .._checks import as_radius, as_threads
from ..errors import InvalidArgument
from . import files
from .filters import as_where
from .hits import RangeHits
from .ids import HIGHEST, LOWEST, as_id, as_ids
from .vectors import as_vectors

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import ArrayLike, NDArray

    from .._core import _Index as Core
    from .._progress import Progress

    Ids = ArrayLike | set[int] | set[str] | range
    Where = Ids | Callable[[Any], bool] | None

Face = TypeVar("Face", bound="Index")


class Index:
    """Vectors under ids: how they are changed, read and saved. Subclasses add searching."""

    __slots__ = ("__weakref__", "_core", "_metric")
    _chunk_bytes: ClassVar[int] = 1 << 24  # of vectors, between two reports of progress
    _shown: ClassVar[tuple[str, ...]] = ("dim", "metric", "codes")
    _core: Core
    _metric: str

    @classmethod
    def _wrap(cls: type[Face], core: Any) -> Face:
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
            Arrays of real numbers in any layout, lists, or any DLPack object, such as a tensor on
            the CPU. float64 is rounded to float32; other integers must be exactly float32 values. No vectors:
            nothing happens.
        ids : array_like of int or str, shape (n,), optional
            int64, except -1, or str; one kind an index, chosen by the first add. Left out: they count on from
            the largest id the index ever had, starting at 0.
        threads : int, optional
            All CPUs this process may use when left out.
        progress : bool or callable, optional
            True draws a bar on stderr; a callable gets ``(done, total)`` after every few thousand vectors. If
            it returns False, or Ctrl-C is pressed, what this call added is taken out again, and an index
            that never held anything is as it was made.

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
            from .adding import add_in_chunks  # not before it is needed: `import lookalike` stays quick

            add_in_chunks(self._core, array, known, count, progress, self._chunk_bytes)

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
        """Give back the memory of removed vectors, and prepare what makes single searches fast.

        Worth a call when an index has been filled. In a `Flat`, a search for one vector then measures only
        the rows that a short code cannot rule out, and answers the same, often ten times sooner. In an
        `HNSW`, unreachable vectors are linked again. An `IVF` of which a third was added after its lists
        were trained is trained again.

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

    # -- reading it

    def range(
        self, queries: ArrayLike, radius: float, *, where: Where = None, threads: int | None = None
    ) -> RangeHits:
        """Return everything at a distance of at most `radius` from each query, nearest first.

        What another thread changes meanwhile, a long batch sees as that of a `search` does.

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
        if isinstance(core, _Closed):
            return f"{type(self).__name__}(closed)"
        words = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
        return f"{type(self).__name__}({words}, rows={len(core)}, bytes={core.nbytes})"

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
        """What vectors are stored as; while there are none, the word given."""
        return self._core.codes

    @property
    def nbytes(self) -> int:
        """Bytes of vectors, norms, ids, codes and edges, removed ones that still take room included."""
        return self._core.nbytes

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
        """Release the vectors, and the file an index loaded with ``mmap=True`` is mapped from.

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

    def __enter__(self: Face) -> Face:
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

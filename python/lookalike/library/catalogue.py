"""The catalogue: what is known about every photo or sound, in one SQLite file.

It is authoritative; the index is built from it. Vectors are stored by the content they were made from, so a
file that was renamed, copied or merely touched keeps its own. Every change that matters to a search bumps the
generation; a trigger does it, so no writer can forget.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .scan import Stamp
from .schema import open_database

# A photo is one row of the index, a sound one for each window. The first row of a file bears the file's id,
# so an index of photos needs no other ones.
_BITS = 40
_FILE = (1 << _BITS) - 1


@dataclass(frozen=True)
class FileRow:
    """One file as the catalogue knows it."""

    id: int
    stamp: Stamp
    hash: bytes | None
    error: str | None


@dataclass(frozen=True)
class Vectors:
    """What a content was embedded as: float32 (n, dim), and float64 (n, 2) seconds where it has a time."""

    vectors: NDArray[np.float32]
    times: NDArray[np.float64] | None = None


class Catalogue:
    """An open catalogue. Not shared between threads: each opens its own."""

    def __init__(self, path: Path, *, create: bool) -> None:
        self._db = open_database(path, create=create)

    def close(self) -> None:
        """Close the file; the catalogue is of no use afterwards."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: what is written inside is committed at the end, or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            # SQLite may have rolled back by itself, when the disk is full.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one moment, whatever another process commits meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    # -- meta
    # ---------------------------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """Return the remark stored under `key`, None where there is none."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Store a remark."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @property
    def generation(self) -> int:
        """A number that grows with every change a search could notice."""
        return int(self.meta("generation") or 0)

    # -- files
    # --------------------------------------------------------------------------------------------------

    def files(self) -> dict[bytes, FileRow]:
        """Return every known file by its path."""
        rows = self._db.execute("SELECT path, id, size, mtime_ns, hash, error FROM files")
        return {
            path: FileRow(id_, Stamp(size, mtime), hash_, error)
            for path, id_, size, mtime, hash_, error in rows
        }

    def file(self, path: bytes) -> FileRow | None:
        """Return what is known of one file."""
        row = self._db.execute(
            "SELECT id, size, mtime_ns, hash, error FROM files WHERE path = ?", (path,)
        ).fetchone()
        return None if row is None else FileRow(row[0], Stamp(row[1], row[2]), row[3], row[4])

    def errors(self) -> dict[bytes, str]:
        """Return why each unreadable file or folder is unreadable, by path."""
        broken = "SELECT path, error FROM files WHERE error IS NOT NULL"
        unreached = "SELECT path, error FROM unreached"
        return dict(self._db.execute(f"{broken} UNION ALL {unreached} ORDER BY 1"))

    def set_unreached(self, errors: Mapping[bytes, str]) -> None:
        """Store which paths the last sync could not reach."""
        self._db.execute("DELETE FROM unreached")
        self._db.executemany("INSERT INTO unreached VALUES (?, ?)", errors.items())

    def paths(self) -> dict[int, bytes]:
        """Return the path of every file that has a vector, by id."""
        return dict(
            self._db.execute("SELECT id, path FROM files JOIN vectors USING (hash) WHERE error IS NULL")
        )

    def put(self, path: bytes, stamp: Stamp, hash_: bytes | None, error: str | None) -> None:
        """Insert or update one file."""
        self._db.execute(
            "INSERT INTO files (path, size, mtime_ns, hash, error) VALUES (?1, ?2, ?3, ?4, ?5) "
            "ON CONFLICT (path) DO UPDATE SET size = ?2, mtime_ns = ?3, hash = ?4, error = ?5",
            (path, stamp.size, stamp.mtime_ns, hash_, error),
        )

    def touch(self, path: bytes, stamp: Stamp) -> None:
        """Note a known file's new stamp; its content is as it was."""
        self._db.execute(
            "UPDATE files SET size = ?, mtime_ns = ? WHERE path = ?", (stamp.size, stamp.mtime_ns, path)
        )

    def remove(self, paths: Iterable[bytes]) -> None:
        """Forget files, and the vectors no other file shares."""
        self._db.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in paths))
        self._db.execute(
            "DELETE FROM vectors WHERE NOT EXISTS (SELECT 1 FROM files WHERE files.hash = vectors.hash)"
        )

    # -- vectors
    # ------------------------------------------------------------------------------------------------

    def hashes(self) -> set[bytes]:
        """Return the contents that have a vector."""
        return {row[0] for row in self._db.execute("SELECT hash FROM vectors")}

    def put_vectors(self, hash_: bytes, made: Vectors) -> None:
        """Keep what a content was embedded as."""
        vectors = np.ascontiguousarray(made.vectors, "<f4").tobytes()
        times = None if made.times is None else np.ascontiguousarray(made.times, "<f8").tobytes()
        self._db.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", (hash_, vectors, times))

    def vectors_of(self, hash_: bytes) -> NDArray[np.float32] | None:
        """Return a content's vectors, float32 (n, dim); None where it has none."""
        row = self._db.execute("SELECT vector, times FROM vectors WHERE hash = ?", (hash_,)).fetchone()
        return None if row is None else _read(*row).vectors

    def vectors(self, block: int = 4096) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield the ids (n,) and vectors (n, dim) of all rows, in blocks of at least `block` but the last."""
        ids: list[NDArray[np.int64]] = []
        parts: list[NDArray[np.float32]] = []
        for id_, made in self._made():
            ids.append(rows_of(id_, len(made.vectors)))
            parts.append(made.vectors)
            if sum(map(len, parts)) >= block:
                yield np.concatenate(ids), _stack(parts)
                ids, parts = [], []
        if parts:
            yield np.concatenate(ids), _stack(parts)

    def wholes(self, block: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield the ids (n,) of files and the means of their vectors (n, dim), in blocks."""
        made = self._made()
        while chunk := list(itertools.islice(made, block)):
            ids = np.array([id_ for id_, _ in chunk], np.int64)
            yield ids, _stack([one.vectors.mean(axis=0, keepdims=True) for _, one in chunk])

    def times(self) -> dict[int, NDArray[np.float64]]:
        """Return the times, float64 (n, 2) seconds, of the rows of every file that has any, by id."""
        rows = self._db.execute(
            "SELECT id, times FROM files JOIN vectors USING (hash) WHERE error IS NULL AND times IS NOT NULL"
        )
        return {id_: _read_times(times) for id_, times in rows}

    def _made(self) -> Iterator[tuple[int, Vectors]]:
        rows = self._db.execute(
            "SELECT id, vector, times FROM files JOIN vectors USING (hash) WHERE error IS NULL ORDER BY id"
        )
        for id_, vector, times in rows:
            yield id_, _read(vector, times)

    def forget_vectors(self) -> None:
        """Drop all vectors and errors, so that the next sync embeds every file again."""
        self._db.execute("DELETE FROM vectors")
        self._db.execute("UPDATE files SET mtime_ns = -1, error = NULL")


def _read(vector: bytes, times: bytes | None) -> Vectors:
    """Read what is stored of a content. SQLite has no checksums, so damage shows here if at all."""
    spans = None if times is None else _read_times(times)
    count = 1 if spans is None else len(spans)
    if not vector or not count or len(vector) % (4 * count):
        raise sqlite3.DatabaseError("a vector is cut")
    vectors = np.frombuffer(vector, "<f4").astype(np.float32).reshape(count, -1)
    if not np.isfinite(vectors).all():
        raise sqlite3.DatabaseError("a vector holds NaN or infinity")
    return Vectors(vectors, spans)


def _read_times(times: bytes) -> NDArray[np.float64]:
    if len(times) % 16:
        raise sqlite3.DatabaseError("the times of a sound are cut")
    return np.frombuffer(times, "<f8").astype(np.float64).reshape(-1, 2)


def _stack(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    if len({part.shape[1] for part in parts}) > 1:
        raise sqlite3.DatabaseError("a vector is cut")
    return np.concatenate(parts)


def rows_of(file: int, count: int) -> NDArray[np.int64]:
    """Return the ids of a file's rows in the index, int64 (count,).

    >>> rows_of(7, 3) - 7 == np.arange(3) << 40
    array([ True,  True,  True])
    """
    return file + (np.arange(count, dtype=np.int64) << _BITS)


def file_of(row: int) -> int:
    """Return the id of the file a row is of."""
    return row & _FILE


def part_of(row: int) -> int:
    """Return which of its file's rows it is, from 0."""
    return row >> _BITS

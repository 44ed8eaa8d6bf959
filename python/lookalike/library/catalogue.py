"""The catalogue: what is known about every photo, in one SQLite file.

It is the truth; the index is made from it. Vectors are kept by the content they were made from, so a photo
that was renamed, copied or merely touched keeps its vector. Every change that matters to a search bumps the
generation; a trigger does it, so no writer can forget.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from ..errors import CorruptFile, Unsupported, io_error
from .scan import Stamp

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x4C4F4F4B  # "LOOK"
_BUSY_SECONDS = 120.0

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given twice, so an old index cannot name a new photo
  path BLOB NOT NULL UNIQUE,              -- relative to the folder, in the bytes the file system uses
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,              -- -1: look at the file again
  hash BLOB,                              -- of the content; NULL where it could not be read
  error TEXT                              -- why there is no vector
);
CREATE TABLE unreached (path BLOB PRIMARY KEY, error TEXT NOT NULL);  -- by the last sync
CREATE INDEX files_by_hash ON files (hash);
CREATE TABLE vectors (hash BLOB PRIMARY KEY, vector BLOB NOT NULL);
CREATE TRIGGER added AFTER INSERT ON files BEGIN
  UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;
CREATE TRIGGER removed AFTER DELETE ON files BEGIN
  UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;
CREATE TRIGGER changed AFTER UPDATE OF hash, error ON files BEGIN
  UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;
INSERT INTO meta VALUES ('generation', 1);
"""


@dataclass(frozen=True)
class FileRow:
    """One photo as the catalogue knows it."""

    id: int
    stamp: Stamp
    hash: bytes | None
    error: str | None


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Say what SQLite says in lookalike's words."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise io_error(errno.EIO, f"catalogue {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise CorruptFile(
            f"catalogue {path}: not a sound SQLite file ({error}); remove {path.parent} and sync again"
        ) from error


class Catalogue:
    """An open catalogue. Not shared between threads: each opens its own."""

    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        address = f"file:{quote(os.fsencode(path.absolute()))}?mode={'rwc' if create else 'rw'}"
        with sqlite_errors(path):
            self._db = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                self._prepare(create)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, create: bool) -> None:
        # A rollback journal, not WAL: it works on network drives and read-only media too.
        self._db.execute("PRAGMA synchronous = FULL")
        if create:
            with self.transaction():
                if self._pragma("user_version") == 0 and self._pragma("application_id") == 0:
                    for statement in _split(_SCHEMA):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                    self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        if self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            # The first sync was killed before it wrote anything.
            raise io_error(errno.ENOENT, f"catalogue {self.path}: is empty; sync first")
        if self._pragma("application_id") != _APPLICATION_ID:
            raise CorruptFile(f"catalogue {self.path}: an SQLite file, but not a lookalike catalogue")
        version = self._pragma("user_version")
        if version != SCHEMA_VERSION:
            raise Unsupported(
                f"catalogue {self.path}: has schema version {version}, needed: {SCHEMA_VERSION}; "
                f"upgrade lookalike, or remove {self.path.parent} and sync again"
            )

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

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
        """Return every known photo by its path."""
        rows = self._db.execute("SELECT path, id, size, mtime_ns, hash, error FROM files")
        return {
            path: FileRow(id_, Stamp(size, mtime), hash_, error)
            for path, id_, size, mtime, hash_, error in rows
        }

    def file(self, path: bytes) -> FileRow | None:
        """Return what is known of one photo."""
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
        """Remember what the last sync could not even look at."""
        self._db.execute("DELETE FROM unreached")
        self._db.executemany("INSERT INTO unreached VALUES (?, ?)", errors.items())

    def paths(self) -> dict[int, bytes]:
        """Return the path of every photo that has a vector, by id."""
        return dict(
            self._db.execute("SELECT id, path FROM files JOIN vectors USING (hash) WHERE error IS NULL")
        )

    def put(self, path: bytes, stamp: Stamp, hash_: bytes | None, error: str | None) -> None:
        """Write one photo down, anew or over what was known of it."""
        self._db.execute(
            "INSERT INTO files (path, size, mtime_ns, hash, error) VALUES (?1, ?2, ?3, ?4, ?5) "
            "ON CONFLICT (path) DO UPDATE SET size = ?2, mtime_ns = ?3, hash = ?4, error = ?5",
            (path, stamp.size, stamp.mtime_ns, hash_, error),
        )

    def touch(self, path: bytes, stamp: Stamp) -> None:
        """Note a known photo's new stamp; its content is as it was."""
        self._db.execute(
            "UPDATE files SET size = ?, mtime_ns = ? WHERE path = ?", (stamp.size, stamp.mtime_ns, path)
        )

    def remove(self, paths: Iterable[bytes]) -> None:
        """Forget photos, and the vectors no other photo shares."""
        self._db.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in paths))
        self._db.execute(
            "DELETE FROM vectors WHERE NOT EXISTS (SELECT 1 FROM files WHERE files.hash = vectors.hash)"
        )

    # -- vectors
    # ------------------------------------------------------------------------------------------------

    def hashes(self) -> set[bytes]:
        """Return the contents that have a vector."""
        return {row[0] for row in self._db.execute("SELECT hash FROM vectors")}

    def put_vector(self, hash_: bytes, vector: NDArray[np.float32]) -> None:
        """Keep the vector, float32 of shape (dim,), of a content."""
        data = np.ascontiguousarray(vector, "<f4").tobytes()
        self._db.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?)", (hash_, data))

    def vector(self, hash_: bytes) -> NDArray[np.float32] | None:
        """Return a content's vector, None where it has none."""
        row = self._db.execute("SELECT vector FROM vectors WHERE hash = ?", (hash_,)).fetchone()
        return None if row is None else np.frombuffer(row[0], "<f4").astype(np.float32)

    def vectors(self, block: int = 4096) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield ids (n,) and vectors (n, dim) of all photos that have one, in blocks, by rising id."""
        rows = self._db.execute(
            "SELECT id, vector FROM files JOIN vectors USING (hash) WHERE error IS NULL ORDER BY id"
        )
        while chunk := rows.fetchmany(block):
            ids = np.array([id_ for id_, _ in chunk], np.int64)
            data = np.frombuffer(b"".join(vector for _, vector in chunk), "<f4")
            yield ids, data.reshape(len(chunk), -1).astype(np.float32)

    def forget_vectors(self) -> None:
        """Drop every vector and verdict, so that the next sync makes them all again."""
        self._db.execute("DELETE FROM vectors")
        self._db.execute("UPDATE files SET mtime_ns = -1, error = NULL")


def _split(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""

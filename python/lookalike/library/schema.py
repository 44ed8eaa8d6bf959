"""The catalogue's file: what is in it, and how to open one that may be new, old, foreign or damaged."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from ..errors import CorruptFile, Unsupported, io_error

SCHEMA_VERSION = 2
_APPLICATION_ID = 0x4C4F4F4B  # "LOOK"
_BUSY_SECONDS = 120.0

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given twice, so an old index cannot name a new photo
  path BLOB NOT NULL UNIQUE,              -- relative to the folder, in the bytes the file system uses
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,              -- -1: read the file again
  hash BLOB,                              -- of the content; NULL where it could not be read
  error TEXT                              -- why there is no vector
);
CREATE TABLE unreached (path BLOB PRIMARY KEY, error TEXT NOT NULL);  -- by the last sync
CREATE INDEX files_by_hash ON files (hash);
CREATE TABLE vectors (
  hash BLOB PRIMARY KEY,                  -- of the content the vectors were made from
  vector BLOB NOT NULL,                   -- float32: one of a photo, one for each window of a sound
  times BLOB                              -- float64: start and end of each window in seconds; NULL of a photo
);
CREATE TRIGGER added AFTER INSERT ON files BEGIN
  UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;
CREATE TRIGGER removed AFTER DELETE ON files BEGIN
  UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;
CREATE TRIGGER changed AFTER UPDATE OF hash, error ON files BEGIN
  UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;
INSERT INTO meta VALUES ('generation', 1);
"""

# What brings a file of an older version one version further, by that version. Vectors stay where they are.
_MIGRATIONS = {1: "ALTER TABLE vectors ADD COLUMN times BLOB"}
# An older file that may only be read looks like a new one through these, which hide its tables.
_VIEWS = {1: "CREATE TEMP VIEW vectors AS SELECT hash, vector, NULL AS times FROM main.vectors"}


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into lookalike's."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise io_error(errno.EIO, f"catalogue {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise CorruptFile(
            f"catalogue {path}: not a sound SQLite file ({error}); remove {path.parent} and sync again"
        ) from error


def open_database(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open a catalogue's file, in autocommit mode; where `create` says so, make it when it is not there.

    With `create`, a file of an older version is migrated; without, temporary views make it look current.

    Raises
    ------
    lookalike.errors.MissingFile
        If it is empty: its first sync was killed before it wrote anything.
    lookalike.errors.CorruptFile, lookalike.errors.Unsupported
        If it is no catalogue, or of another version.
    """
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode={'rwc' if create else 'rw'}"
    with sqlite_errors(path):
        db = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            # A rollback journal, not WAL: it works on network drives and read-only media too.
            db.execute("PRAGMA synchronous = FULL")
            if create:
                _fill(db)
            _check(db, path)
            if create:
                _migrate(db)
            elif view := _VIEWS.get(_pragma(db, "user_version")):
                db.execute(view)
        except BaseException:
            db.close()
            raise
        return db


def _fill(db: sqlite3.Connection) -> None:
    """Make the tables of a new file, in one transaction; another process may be doing the same."""
    db.execute("BEGIN IMMEDIATE")
    if _is_empty(db):
        for statement in _split(_SCHEMA):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


def _check(db: sqlite3.Connection, path: Path) -> None:
    if _is_empty(db):
        raise io_error(errno.ENOENT, f"catalogue {path}: is empty; sync first")
    if _pragma(db, "application_id") != _APPLICATION_ID:
        raise CorruptFile(f"catalogue {path}: an SQLite file, but not a lookalike catalogue")
    version = _pragma(db, "user_version")
    if version != SCHEMA_VERSION and version not in _MIGRATIONS:
        raise Unsupported(
            f"catalogue {path}: its schema version is {version}; it must be {SCHEMA_VERSION} or older; "
            f"upgrade lookalike, or remove {path.parent} and sync again"
        )


def _migrate(db: sqlite3.Connection) -> None:
    """Bring an older file up to date, in one transaction; another process may have done it meanwhile."""
    db.execute("BEGIN IMMEDIATE")
    while (version := _pragma(db, "user_version")) != SCHEMA_VERSION:
        db.execute(_MIGRATIONS[version])
        db.execute(f"PRAGMA user_version = {version + 1}")
    db.execute("COMMIT")


def _is_empty(db: sqlite3.Connection) -> bool:
    return int(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]) == 0


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _split(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""

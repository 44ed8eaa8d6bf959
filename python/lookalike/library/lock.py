"""One sync of a folder at a time, across processes and machines; the lock ends with its process."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from ..errors import io_error


@contextmanager
def sync_lock(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file at `path`; wait while another holds it, after calling `on_wait` once.

    The lock is an exclusive transaction on an empty SQLite file: what SQLite's locks stand on, this stands
    on.
    """
    db = None
    try:
        try:
            # A wait of a second at most, so that Ctrl-C interrupts it.
            address = f"file:{quote(os.fsencode(path.absolute()))}"
            db = sqlite3.connect(address, uri=True, timeout=1.0, isolation_level=None)
            _take(db, on_wait)
        except sqlite3.Error as error:
            raise io_error(errno.EIO, f"lock file {path}: cannot be taken: {error}") from error
        yield
    finally:
        if db is not None:
            db.close()


def _take(db: sqlite3.Connection, on_wait: Callable[[], None]) -> None:
    has_called = False
    while True:
        try:
            db.execute("BEGIN EXCLUSIVE")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            if not has_called:
                on_wait()
                has_called = True

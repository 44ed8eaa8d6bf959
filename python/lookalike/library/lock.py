"""One sync of a folder at a time, across processes and machines; a process that dies lets go by dying."""

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
    # A wait of a second at most, so that Ctrl-C is heard.
    db = sqlite3.connect(
        f"file:{quote(os.fsencode(path.absolute()))}", uri=True, timeout=1.0, isolation_level=None
    )
    try:
        told = False
        while True:
            try:
                db.execute("BEGIN EXCLUSIVE")
                break
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise io_error(errno.EIO, f"lock file {path}: cannot be taken: {error}") from error
                if not told:
                    on_wait()
                    told = True
        yield
    finally:
        db.close()

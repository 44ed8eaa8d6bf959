"""One pass over a folder: finds new, changed and removed files, embeds them, updates the catalogue."""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .._progress import ProgressBar
from ..errors import Error
from .catalogue import Catalogue, FileRow, Vectors
from .embedding import files_of, usable, vectors_stream
from .report import SyncReport
from .scan import Scan, Stamp, scan

if TYPE_CHECKING:
    from ..embed import Embedder

#: What a crash can cost at most: this many files, or this many seconds, have to be embedded again.
_COMMIT_FILES, _COMMIT_SECONDS = 256, 5.0
#: And how many vectors may wait in memory to be written down: a long sound has thousands.
_COMMIT_VECTORS = 8192
_LOOK_AGAIN = -1


@dataclass(frozen=True)
class _Outcome:
    path: bytes
    stamp: Stamp
    hash: bytes | None
    error: str | None = None
    made: Vectors | None = None


class Sync:
    """One sync. The caller holds the sync lock."""

    def __init__(
        self, catalogue: Catalogue, folder: Path, embedder: Embedder, bar: type[ProgressBar] | None
    ) -> None:
        self._catalogue, self._folder, self._embedder, self._bar_type = catalogue, folder, embedder, bar
        self._bar: ProgressBar | None = None
        self._known = catalogue.files()
        self._hashes = catalogue.hashes()
        #: Outcomes that need no model. The thread in which the embedder reads its files appends them.
        self._ready: deque[_Outcome] = deque()
        self._sent: list[tuple[bytes, Stamp, bytes]] = []
        self.report = SyncReport(model=embedder.name)

    def run(self, store: Path) -> SyncReport:
        """Run the sync and return its report."""
        start = time.monotonic()
        files = files_of(self._embedder)
        found = scan(self._folder, store, files.suffixes)
        pending = [path for path, stamp in found.files.items() if not self._is_up_to_date(path, stamp)]
        self.report.unchanged = sum(
            self._known[path].error is None for path in found.files.keys() - set(pending)
        )
        if pending:
            self._bar = self._bar_type(len(pending), "embedding", files.unit) if self._bar_type else None
            try:
                self._take_in(pending, found)
            finally:
                if self._bar:
                    self._bar.close()
        self._drop(found)
        self.report.seconds = time.monotonic() - start
        return self.report

    def _is_up_to_date(self, path: bytes, stamp: Stamp) -> bool:
        row = self._known.get(path)
        if row is None or row.stamp != stamp or row.hash is None:
            return False
        return row.error is not None or row.hash in self._hashes

    def _take_in(self, pending: list[bytes], found: Scan) -> None:
        outcomes: list[_Outcome] = []
        waiting = 0
        committed = time.monotonic()
        with closing(self._outcomes(pending, found)) as stream:
            for outcome in stream:
                outcomes.append(outcome)
                waiting += 0 if outcome.made is None else len(outcome.made.vectors)
                full = len(outcomes) >= _COMMIT_FILES or waiting >= _COMMIT_VECTORS
                if full or time.monotonic() - committed > _COMMIT_SECONDS:
                    self._commit(outcomes)
                    outcomes, waiting, committed = [], 0, time.monotonic()
        self._commit(outcomes)

    def _outcomes(self, pending: list[bytes], found: Scan) -> Generator[_Outcome, None, None]:
        for index, result in vectors_stream(self._embedder, self._unseen(pending, found)):
            yield from self._drain()
            yield self._judge(*self._sent[index], result)
        yield from self._drain()

    def _drain(self) -> Iterator[_Outcome]:
        while self._ready:
            yield self._ready.popleft()

    def _unseen(self, pending: list[bytes], found: Scan) -> Iterator[Path]:
        """Yield the files to embed; put the others, decided without the model, into `_ready`."""
        for path in pending:
            stamp = found.files[path]
            place = self._folder / os.fsdecode(path)
            try:
                content = _hash(place)
            except OSError as error:
                self._ready.append(_Outcome(path, stamp, None, f"file cannot be read: {error.strerror}"))
                continue
            row = self._known.get(path)
            if row is not None and row.hash == content and row.error is not None:
                self._ready.append(_Outcome(path, stamp, content, row.error))
            elif content in self._hashes:
                self._ready.append(_Outcome(path, stamp, content))
            else:
                self._sent.append((path, stamp, content))
                yield place

    def _judge(self, path: bytes, stamp: Stamp, content: bytes, result: Vectors | Exception) -> _Outcome:
        try:
            now = (self._folder / os.fsdecode(path)).stat()
            if (now.st_size, now.st_mtime_ns) != (stamp.size, stamp.mtime_ns):
                # Changed during the read: the vectors may belong to neither content.
                return _Outcome(path, Stamp(stamp.size, _LOOK_AGAIN), None, "file changed while it was read")
        except OSError as error:
            return _Outcome(path, stamp, None, f"file cannot be read: {error.strerror}")
        if isinstance(result, Exception):
            if not isinstance(result, Error):
                raise result
            place = self._folder / os.fsdecode(path)
            message = str(result).removeprefix(f"image {place}: ").removeprefix(f"sound {place}: ")
            return _Outcome(path, stamp, content, message)
        made = usable(result)
        if made is None:
            return _Outcome(path, stamp, content, "the model gave no usable vector for it")
        return _Outcome(path, stamp, content, None, made)

    def _commit(self, outcomes: list[_Outcome]) -> None:
        with self._catalogue.transaction():
            for outcome in outcomes:
                self._write(outcome, self._known.get(outcome.path))
        if self._bar and outcomes:
            self._bar.advance(len(outcomes))

    def _write(self, outcome: _Outcome, row: FileRow | None) -> None:
        if outcome.made is not None and outcome.hash is not None:
            self._catalogue.put_vectors(outcome.hash, outcome.made)
            self._hashes.add(outcome.hash)
        known = row is not None and (row.hash, row.error) == (outcome.hash, outcome.error)
        if known and outcome.made is None:
            self._catalogue.touch(outcome.path, outcome.stamp)
            self.report.unchanged += outcome.error is None
            return
        self._catalogue.put(outcome.path, outcome.stamp, outcome.hash, outcome.error)
        if outcome.error is None:
            self.report.added += row is None
            self.report.changed += row is not None

    def _drop(self, found: Scan) -> None:
        gone = [
            path
            for path in self._known
            if path not in found.files and path not in found.errors and not found.hides(path)
        ]
        with self._catalogue.transaction():
            self._catalogue.remove(gone)
            self._catalogue.set_unreached(found.errors)
        self.report.removed = len(gone)
        self.report.errors = {
            self._folder / os.fsdecode(path): message for path, message in self._catalogue.errors().items()
        }


def _hash(path: Path) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb", buffering=0) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.digest()

"""Progress of a long call: a bar of one line on stderr, or what the caller does with the numbers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from ._checks import must_be

#: None or False: nothing. True: a bar. A callable gets (done, total); it stops the call by returning False.
Progress = Callable[[int, Any], object] | bool | None


class ProgressBar:
    """Counts up to a total: a bar, the count, the rate and the time left.

    Redrawn at most ten times a second on a terminal, every ten seconds as a line of its own elsewhere.
    """

    def __init__(self, total: int, label: str, unit: str = "photos", stream: TextIO | None = None) -> None:
        self._total, self._label, self._unit = total, label, unit
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream.isatty()
        self._done = 0
        self._start = time.monotonic()
        self._drawn = self._start if not self._terminal else -1.0
        #: Stands at the end of the line.
        self.note = ""

    def advance(self, count: int = 1) -> None:
        """Count `count` more as done."""
        self._done += count
        now = time.monotonic()
        if now - self._drawn >= (0.1 if self._terminal else 10.0):
            self._draw(now)

    def update(self, done: int, total: int | None = None) -> None:
        """Count `done` as done in all; close the bar when that is everything."""
        self.advance(done - self._done)
        if done == total:
            self.close()

    def close(self) -> None:
        """Draw the last state and end the line."""
        self._draw(time.monotonic())
        if self._terminal:
            self._stream.write("\n")
            self._stream.flush()

    def _draw(self, now: float) -> None:
        self._drawn = now
        rate = self._done / max(now - self._start, 1e-9)
        left = clock((self._total - self._done) / rate) if self._done else "--:--"
        tail = f"{self._done}/{self._total}  {rate:.0f} {self._unit}/s  {left} left  {self.note}".rstrip()
        if not self._terminal:
            self._stream.write(f"{self._label}  {tail}\n")
        else:
            columns = _terminal_columns()
            width = max(10, min(40, columns - len(self._label) - len(tail) - 8))
            full = width * self._done // max(self._total, 1)
            bar = (
                "━" * full + "╌" * (width - full)
                if _speaks_unicode(self._stream)
                else "#" * full + "." * (width - full)
            )
            self._stream.write(f"\r{self._label}  {bar}  {tail}\033[K")
        self._stream.flush()


def reporter(progress: Any, total: int | None, label: str, unit: str) -> Callable[[int, Any], object]:
    """Return a function to call with (done, total); when it returns False, the caller stops.

    Raises
    ------
    InvalidArgument
        Where `progress` is neither None, nor a bool, nor a callable; or True where the total is unknown.
    """
    if progress is None or progress is False:
        return _say_nothing
    if progress is True:
        if total is None:
            raise must_be("progress", True, f"a callable(done, total), or False, as {unit} of no length came")
        return ProgressBar(total, label, unit).update
    if not callable(progress):
        raise must_be("progress", progress, "None, a bool or a callable(done, total)")
    report: Callable[[int, Any], object] = progress
    return report


def clock(seconds: float) -> str:
    """Write a duration as 1:05 or 2:03:09.

    >>> clock(65), clock(7389)
    ('1:05', '2:03:09')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _say_nothing(done: int, total: Any) -> None:
    """Ignore progress."""


def _terminal_columns() -> int:
    import shutil  # imported late, because it would slow `import lookalike` down

    return shutil.get_terminal_size().columns


def _speaks_unicode(stream: TextIO) -> bool:
    return "utf" in (stream.encoding or "").lower()

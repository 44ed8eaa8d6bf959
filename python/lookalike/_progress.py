"""A progress bar of one line, on stderr."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO


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
            columns = shutil.get_terminal_size().columns
            width = max(10, min(40, columns - len(self._label) - len(tail) - 8))
            full = width * self._done // max(self._total, 1)
            bar = (
                "━" * full + "╌" * (width - full)
                if _speaks_unicode(self._stream)
                else "#" * full + "." * (width - full)
            )
            self._stream.write(f"\r{self._label}  {bar}  {tail}\033[K")
        self._stream.flush()


def clock(seconds: float) -> str:
    """Write a duration as 1:05 or 2:03:09.

    >>> clock(65), clock(7389)
    ('1:05', '2:03:09')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _speaks_unicode(stream: TextIO) -> bool:
    return "utf" in (stream.encoding or "").lower()

"""What commands print: aligned tables, JSON, and remarks on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._text import printable
from ..library import SyncReport

if TYPE_CHECKING:
    from ..robustness import Study


def print_json(value: Any) -> None:
    """Print a value as JSON; paths become strings, bytes of no encoding lone surrogates."""
    print(json.dumps(value, indent=2, default=os.fspath))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Print rows under heads, in columns; those numbered in `right` are aligned to the right."""
    table = [heads, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    for row in table:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print(_encodable("  ".join(cells).rstrip()))


def print_line(text: str) -> None:
    """Print one line, whatever is in it."""
    print(_encodable(printable(text)))


def report_json(report: SyncReport) -> dict[str, Any]:
    """Return a sync's report as JSON has it."""
    return {
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "errors": {os.fspath(path): message for path, message in report.errors.items()},
        "seconds": round(report.seconds, 3),
    }


def warn_of_errors(report: SyncReport | Study, limit: int = 20) -> None:
    """List on stderr the files that could not be read, one a line, up to `limit` of them."""
    for path, message in list(report.errors.items())[:limit]:
        print(printable(f"{path}: {message}"), file=sys.stderr)
    if len(report.errors) > limit:
        print(f"... and {len(report.errors) - limit} more (--json lists all)", file=sys.stderr)


def _encodable(text: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)

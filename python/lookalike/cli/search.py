"""`lookalike search QUERY DIR`: find what looks or sounds most like a file, or shows what words say."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from pathlib import Path
from typing import Any

from .._progress import clock
from .._text import printable
from ..errors import io_error
from ..library import PhotoHit
from ..library.query import as_words
from .options import Commands, add_library, command, open_library, positive
from .output import print_json, print_table, report_json, warn_of_errors


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands,
        "search",
        run,
        "Find the photos of a folder that look most like one, or show what words say, or moments of sounds",
        "A folder never seen is synced first; later searches use what is stored, unless --sync is given. "
        "What names no file is words, such as 'red apple'; they need pip install 'lookalike[text]'.",
    )
    parser.add_argument(
        "query", metavar="QUERY", help="a photo or sound, inside the folder or anywhere else, or words"
    )
    add_library(parser)
    parser.add_argument("-k", type=positive, default=10, metavar="N", help="how many (default: 10)")
    parser.add_argument("--sync", action="store_true", help="bring the library up to date first")
    parser.add_argument("--sheet", metavar="FILE", help="draw a contact sheet, such as out.png")


def run(arguments: argparse.Namespace) -> None:
    """Search, and print what was found."""
    library = open_library(arguments)
    # What can only fail is refused before any work is done.
    query = as_words(arguments.query) or Path(arguments.query)
    if isinstance(query, Path) and not query.exists():
        raise io_error(errno.ENOENT, f"query {arguments.query}: no such file")
    if arguments.sheet:
        from ..library.sheet import check_format

        check_format(Path(arguments.sheet))
    report = library.sync() if arguments.sync or not library.is_synced else None
    hits = library.search(query, arguments.k)
    if arguments.sheet:
        hits.sheet(arguments.sheet)
    if arguments.json:
        print_json(
            {
                "query": arguments.query,
                "k": arguments.k,
                "hits": [_json(rank, hit) for rank, hit in enumerate(hits, 1)],
                "sync": None if report is None else report_json(report),
                "sheet": arguments.sheet,
            }
        )
        return
    if report is not None:
        warn_of_errors(report)
        print(report, file=sys.stderr)
    times = [[] if hit.start is None else [clock(hit.start)] for hit in hits]
    rows = [
        [str(rank), f"{hit.distance:.4f}", *time, printable(hit.path)]
        for rank, (hit, time) in enumerate(zip(hits, times, strict=True), 1)
    ]
    heads = ["rank", "distance", *(["at"] if any(times) else []), "path"]
    print_table(heads, rows, right=range(len(heads) - 1))


def _json(rank: int, hit: PhotoHit) -> dict[str, Any]:
    """Return a hit as JSON has it; only a moment of a sound has a start and an end."""
    found = {"rank": rank, "path": os.fspath(hit.path), "distance": hit.distance, "score": hit.score}
    return found if hit.start is None else {**found, "start": hit.start, "end": hit.end}

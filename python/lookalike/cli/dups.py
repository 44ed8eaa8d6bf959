"""`lookalike dups DIR`: find near copies."""

from __future__ import annotations

import argparse
import sys

from .options import Commands, add_library, command, cosine, open_library
from .output import print_json, print_line, warn_of_errors


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands,
        "dups",
        run,
        "Find groups of photos or sounds that are near copies of each other",
        "A folder never seen is synced first.",
    )
    add_library(parser)
    parser.add_argument(
        "--threshold",
        type=cosine,
        default=0.95,
        metavar="C",
        help="the cosine similarity from which two files count as copies (default: 0.95)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print each group, one file a line, with an empty line between groups."""
    library = open_library(arguments)
    if not library.is_synced:
        report = library.sync()
        if not arguments.json:
            warn_of_errors(report)
            print(report, file=sys.stderr)
    groups = library.duplicates(arguments.threshold)
    if arguments.json:
        print_json({"threshold": arguments.threshold, "groups": groups})
        return
    for number, group in enumerate(groups):
        if number:
            print()
        for path in group:
            print_line(str(path))
    if not groups:
        print(f"no near copies at a cosine similarity of {arguments.threshold:g} or more")

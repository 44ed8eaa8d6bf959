"""`lookalike sync DIR`: bring the library of a folder up to date."""

from __future__ import annotations

import argparse

from .options import Commands, add_library, command, open_library
from .output import print_json, print_line, report_json, warn_of_errors


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands,
        "sync",
        run,
        "Bring the library of a folder up to date",
        "Only new and changed files are embedded. Unreadable files are named on stderr and are no failure.",
    )
    add_library(parser)


def run(arguments: argparse.Namespace) -> None:
    """Sync, and say what was done."""
    report = open_library(arguments).sync()
    if arguments.json:
        print_json(report_json(report))
    else:
        warn_of_errors(report)
        print_line(str(report))

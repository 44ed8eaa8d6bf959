"""`lookalike check FILE`: tell whether an index file is whole."""

from __future__ import annotations

import argparse
import errno
from pathlib import Path

from ..errors import InvalidArgument, io_error
from ..index import load
from .options import Commands, command
from .output import print_json, print_table


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands, "check", run, "Check an index file", "Every byte is read and held against its checksum."
    )
    parser.add_argument("file", metavar="FILE", help="an index file, such as DIR/.lookalike/photos.look")


def run(arguments: argparse.Namespace) -> None:
    """Load the index and print what it says of itself."""
    path = Path(arguments.file)
    if not path.exists():
        raise io_error(errno.ENOENT, f"file {path}: no such file")
    if not path.is_file():
        raise InvalidArgument(f"file {path}: is no file; it must be an index file")
    index = load(path)
    kind = {"index": type(index).__name__, "metric": index.metric, "codes": index.codes, "dim": index.dim}
    facts = {**kind, **index.check()._asdict()}
    if arguments.json:
        print_json({"path": arguments.file, "ok": True, **facts})
        return
    print_table(
        [arguments.file, "sound"], [[name.replace("_", " "), str(value)] for name, value in facts.items()]
    )

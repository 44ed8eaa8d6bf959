"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..library import Library

#: What `add` of each command's module is given.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], None], summary: str, details: str = ""
) -> argparse.ArgumentParser:
    """Add a command that calls `run`, with the options every command has."""
    parser = commands.add_parser(name, help=summary, description=f"{summary}. {details}".strip())
    # No default here: that of `models export` would undo the --json in `models --json export`.
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
    parser.set_defaults(run=run)
    return parser


def add_library(parser: argparse.ArgumentParser) -> None:
    """Add the folder, and where its library lives."""
    parser.add_argument("folder", metavar="DIR", help="the folder of photos or sounds")
    parser.add_argument(
        "--store", metavar="DIR", help="where catalogue and index live (default: DIR/.lookalike)"
    )
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="a model's name, a folder with a model.toml, or an .onnx file (default: efficientnet-lite0; "
        "spectrogram-lite0 for a folder that holds sounds and no photos)",
    )


def open_library(arguments: argparse.Namespace) -> Library:
    """Open the library the arguments name."""
    from ..library import AUTO, Library

    model = AUTO if arguments.model is None else arguments.model
    return Library(arguments.folder, model=model, store=arguments.store)


def positive(text: str) -> int:
    """Read a positive integer."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"is {text!r}; it must be an integer of at least 1")
    return value


def cosine(text: str) -> float:
    """Read a cosine similarity above 0 and up to 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"is {text!r}; it must be a number above 0 and at most 1")
    return value

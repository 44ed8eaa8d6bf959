"""The front door: finds the command, and turns what goes wrong into one line and an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from .._core import __version__
from .._text import printable
from ..errors import Error

#: The commands, in the order `--help` lists them: each is a module of this folder with `add` and `run`.
COMMANDS = (
    "sync",
    "search",
    "dups",
    "models",
    "evaluate",
    "train",
    "check",
    "bench",
)

_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130


class _Parser(argparse.ArgumentParser):
    """A parser that complains in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; those of the process when left out.

    Returns
    -------
    int
        The exit status: 0, 1 when the command failed, 130 after Ctrl-C. Wrong usage and ``--help`` leave by
        `SystemExit`, as argparse does it, with 2 and 0.

    Examples
    --------
    >>> from lookalike.cli import main
    >>> main(["check", "no-such-file.look"])
    1
    """
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _complain("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        # The reader closed the pipe; keep Python from reporting that at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except ImportError as error:
        known = "pip install" in str(error)
        hint = "" if known else "; pip install 'lookalike[images]' brings what images need"
        return _complain(f"{error}{hint}", _FAILED)
    except (Error, OSError) as error:
        return _complain(str(error), _FAILED)
    except MemoryError:
        return _complain("out of memory", _FAILED)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="lookalike", description="Find what looks alike.")
    parser.add_argument("--version", action="version", version=f"lookalike {__version__}")
    parser.set_defaults(json=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for name in COMMANDS:
        import_module(f"{__package__}.{name}").add(commands)
    return parser


def _complain(message: str, status: int) -> int:
    print(f"lookalike: {printable(message)}", file=sys.stderr)
    return status

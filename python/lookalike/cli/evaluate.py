"""`lookalike eval DIR`: how well models find photos, as they are and distorted."""

from __future__ import annotations

import argparse
import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .._checks import must_be
from .._text import printable
from ..errors import InvalidArgument, io_error
from .options import Commands, command, positive
from .output import print_json, print_line, print_table, warn_of_errors

if TYPE_CHECKING:
    from ..embed import Embedder
    from ..robustness import Distortion, Study

_MODELS = ("pixels-32", "efficientnet-lite0")


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands,
        "eval",
        run,
        "Measure how well models find photos of the same class, and the same photo, from distorted ones",
        "A photo's class is the subfolder it lies in, or the beginning of its name.",
    )
    parser.add_argument("folder", metavar="DIR", help="the folder of labelled photos")
    parser.add_argument(
        "--model", action="append", metavar="MODEL", dest="models",
        help=f"an image model, by name or path; may be given again (default: {' and '.join(_MODELS)})",
    )  # fmt: skip
    parser.add_argument("-k", type=positive, default=10, metavar="N", help="of recall@k (default: 10)")
    parser.add_argument(
        "--queries", type=positive, default=200, metavar="N",
        help="how many photos are searched for, drawn evenly from all classes (default: 200)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of that draw (default: 0)")
    parser.add_argument(
        "--labels", choices=("auto", "folder", "prefix"), default="auto",
        help="what a class is: the first subfolder, or the name up to the first - or _ (default: auto)",
    )  # fmt: skip
    parser.add_argument(
        "--distortion", action="append", metavar="NAME", dest="distortions",
        help="measure this one; may be given again (default: all)",
    )  # fmt: skip
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write all tables as Markdown")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a plot, such as out.png")
    parser.add_argument(
        "--examples",
        type=Path,
        metavar="FILE",
        help="draw a photo distorted, and what each model takes it for",
    )
    parser.add_argument(
        "--subject",
        type=Path,
        metavar="PHOTO",
        help="the photo of --examples (default: the first searched for)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure, print the tables, and draw the requested pictures."""
    # What can only fail is refused before any work is done.
    _check_outputs(arguments)
    distortions = _distortions(arguments.distortions)
    models = [_open(name) for name in dict.fromkeys(arguments.models or _MODELS)]
    from ..robustness import measure

    found = measure(
        arguments.folder,
        models,
        k=arguments.k,
        queries=arguments.queries,
        labels=arguments.labels,
        distortions=distortions,
        seed=arguments.seed,
        progress=sys.stderr.isatty(),
    )
    _write(arguments, found, models)
    if arguments.json:
        from ..robustness.study import as_json

        print_json(as_json(found))
    else:
        warn_of_errors(found)
        _print(found)


def _check_outputs(arguments: argparse.Namespace) -> None:
    for name in ("markdown", "plot", "examples"):
        path = getattr(arguments, name)
        if path and not path.parent.is_dir():
            raise io_error(errno.ENOENT, f"{name} {path}: there is no folder {path.parent}")
    if arguments.plot:
        from ..robustness.plot import check_plot

        check_plot(arguments.plot)
    if arguments.examples:
        from ..library.sheet import check_format

        check_format(arguments.examples)
    if arguments.subject and not arguments.subject.exists():
        raise io_error(errno.ENOENT, f"subject {arguments.subject}: no such file")


def _distortions(names: list[str] | None) -> list[Distortion]:
    from ..robustness import DISTORTIONS

    known = {distortion.name: distortion for distortion in DISTORTIONS}
    for name in names or ():
        if name not in known:
            raise must_be("distortion", name, f"one of {', '.join(known)}")
    return [distortion for name, distortion in known.items() if not names or name in names]


def _open(name: str) -> Embedder:
    from ..embed.kinds import IMAGES, KINDS
    from ..embed.opening import kind_of, open_embedder

    kind = kind_of(name)
    if KINDS[kind].files is not IMAGES:
        raise InvalidArgument(f"model {name}: embeds {KINDS[kind].files.unit}; it must embed images")
    return open_embedder(name)


def _write(arguments: argparse.Namespace, found: Study, models: list[Embedder]) -> None:
    if arguments.markdown:
        from ..robustness.table import document

        try:
            arguments.markdown.write_text(document(found), encoding="utf-8")
        except OSError as error:
            reason = f"markdown {arguments.markdown}: cannot be written: {error.strerror}"
            raise io_error(error.errno or errno.EIO, reason) from error
    if arguments.plot:
        from ..robustness.plot import draw_plot

        draw_plot(found, arguments.plot)
    if arguments.examples:
        from ..library.sheet import save_sheet
        from ..robustness.sheet import draw_examples

        save_sheet(draw_examples(found, models, arguments.subject), arguments.examples)


def _print(found: Study) -> None:
    from ..robustness.table import found_class_and_itself, headline, summary

    print_line(headline(found))
    for table in (summary(found), found_class_and_itself(found)):
        print()
        print_line(table.title)
        rows = [[printable(cell) for cell in row] for row in table.rows]
        print_table(table.heads, rows, right=range(table.words, len(table.heads)))
    print()
    print_line(f"recall@{found.k} and mAP under every distortion: --markdown FILE, or --json")

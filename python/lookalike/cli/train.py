"""`lookalike train DIR -o MODEL`: learn an embedding from a folder of labelled images."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from .._text import printable
from ..errors import InvalidArgument
from .options import Commands, command, positive
from .output import print_json, print_line

_DETAILS = """DIR holds a folder of images for each class. The model is learned so that images of one class
lie closer than others, is validated on held-out classes, and is used as any other:
lookalike sync PHOTOS --model MODEL. Ctrl-C keeps what was learned; --resume goes on."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(commands, "train", run, "Learn a model from labelled images", _DETAILS)
    parser.add_argument("folder", metavar="DIR", help="the labelled images: DIR/CLASS/*.jpg")
    parser.add_argument("-o", "--output", metavar="MODEL", required=True, help="the model's folder to write")
    parser.add_argument("--license", default="unstated", help="the licence to state in model.toml")
    parser.add_argument("--resume", action="store_true", help="go on with the training in MODEL")
    parser.add_argument("--overwrite", action="store_true", help="replace the training in MODEL")
    parser.add_argument("--threads", type=positive, metavar="N", help="CPUs to use (default: all)")
    _add_settings(parser.add_argument_group("how to learn"))


def _add_settings(group: argparse._ArgumentGroup) -> None:
    """Add an option for each of `Settings`; those not given are left to it."""
    options: list[tuple[str, dict[str, Any]]] = [
        ("base", {"metavar": "MODEL", "help": "a model to learn on, or none (default: efficientnet-lite0)"}),
        ("fine-tune", {"action": "store_true", "help": "let the base learn too: better, and much slower"}),
        ("loss", {"metavar": "NAME", "help": "multi-similarity, triplet, contrastive, supcon, circle, "
                  "proxy-anchor, proxy-nca, normalized-softmax or arcface (default: supcon)"}),
        ("dim", {"type": int, "metavar": "D", "help": "length of the vectors (default: the base's)"}),
        ("epochs", {"type": int, "metavar": "N", "help": "rounds over the images, at most"}),
        ("classes-per-batch", {"type": int, "metavar": "P", "help": "(default: up to 8)"}),
        ("images-per-class", {"type": int, "metavar": "K", "help": "in a batch (default: up to 4)"}),
        ("learning-rate", {"type": float, "metavar": "R", "help": "of AdamW"}),
        ("weight-decay", {"type": float, "metavar": "W", "help": "of AdamW"}),
        ("base-rate", {"type": float, "metavar": "S", "help": "the base's rate, as a share"}),
        ("augment", {"metavar": "WORDS", "help": "crop,flip,colour, some of them, or none (default: all)"}),
        ("size", {"type": int, "metavar": "PX", "help": "side of the pictures (default: the base's, or 64)"}),
        ("validation-classes", {"metavar": "S", "help": "a share of the classes, names with commas between, "
                                                        "or 0 (default: 0.2)"}),
        ("patience", {"type": int, "metavar": "N", "help": "epochs without a better result to wait for"}),
        ("seed", {"type": int, "metavar": "N", "help": "(default: 0)"}),
    ]  # fmt: skip
    for name, option in options:
        group.add_argument(
            f"--{name}", default=argparse.SUPPRESS, dest=_PREFIX + name.replace("-", "_"), **option
        )


# Marks the options that are settings.
_PREFIX = "setting_"


def run(arguments: argparse.Namespace) -> None:
    """Learn, and say how good it is."""
    from ..train import train

    choices = {
        name.removeprefix(_PREFIX): value
        for name, value in vars(arguments).items()
        if name.startswith(_PREFIX)
    }
    if "augment" in choices:
        choices["augment"] = [] if choices["augment"] == "none" else choices["augment"].split(",")
    if "validation_classes" in choices:
        choices["validation_classes"] = _share_or_names(choices["validation_classes"])
    try:
        report = train(
            arguments.folder,
            arguments.output,
            license=arguments.license,
            resume=arguments.resume,
            overwrite=arguments.overwrite,
            threads=arguments.threads,
            progress=not arguments.json,
            command=shlex.join(["lookalike", *sys.argv[1:]]),
            **choices,
        )
    except KeyboardInterrupt:
        if (Path(arguments.output) / "checkpoint.pt").exists():
            again = ["lookalike", "train", arguments.folder, "-o", arguments.output, "--resume"]
            print(f"\nto go on: {printable(shlex.join(again))}", file=sys.stderr)
        raise
    if arguments.json:
        print_json(report.as_json())
        return
    for line in report.skipped:
        print(printable(f"left out: {line}"), file=sys.stderr)
    for line in str(report).splitlines():
        print_line(line)


def _share_or_names(text: str) -> float | list[str]:
    try:
        return float(text)
    except ValueError:
        names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InvalidArgument(f"validation_classes is {text!r}; it must be a share, or names")
    return names

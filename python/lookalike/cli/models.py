"""`lookalike models`: the models that are shipped."""

from __future__ import annotations

import argparse

from . import models_export
from .options import Commands, command
from .output import print_json, print_table


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands,
        "models",
        run,
        "List the models that are shipped",
        "Each is loaded, so what is listed works.",
    )
    models_export.add(parser.add_subparsers(metavar="", title="more"))


def run(arguments: argparse.Namespace) -> None:
    """Print each model's name, dimension, size and licence."""
    from ..embed.images import ImageEmbedder
    from ..embed.shipped import shipped_models

    cards = [ImageEmbedder(name, device="cpu").card for name in shipped_models("image")]
    sizes = [card.file.stat().st_size for card in cards]
    if arguments.json:
        print_json(
            [
                {
                    "name": card.name,
                    "dim": card.dim,
                    "bytes": size,
                    "license": card.license,
                    "source": card.source,
                }
                for card, size in zip(cards, sizes, strict=True)
            ]
        )
        return
    rows = [
        [card.name, str(card.dim), f"{size / 1e6:.1f} MB", card.license]
        for card, size in zip(cards, sizes, strict=True)
    ]
    print_table(["model", "dim", "size", "licence"], rows, right=(1, 2))

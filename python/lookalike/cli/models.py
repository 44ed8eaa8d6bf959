"""`lookalike models`: the models that are shipped."""

from __future__ import annotations

import argparse

from . import models_export
from .options import Commands, command


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands,
        "models",
        run,
        "List the models that are shipped",
        "Each is opened, so what is listed works; one that has to be built first says how.",
    )
    models_export.add(parser.add_subparsers(metavar="[export]", title="more"))


def run(arguments: argparse.Namespace) -> None:
    """Print what each model is, how good and how fast."""
    from .model_list import print_models

    print_models(arguments.json)

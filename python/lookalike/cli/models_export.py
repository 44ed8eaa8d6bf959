"""`lookalike models export SOURCE -o FOLDER`: a network in PyTorch becomes a model folder."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from .options import Commands, command, positive
from .output import print_json, print_line, print_table

if TYPE_CHECKING:
    from ..export import Exported

_SOURCES = (
    "Sources: torchvision:NAME, timm:NAME, hf:FOLDER (written by save_pretrained), python:MODULE:FUNCTION or "
    "FILE.py:FUNCTION (a function that returns a torch.nn.Module). Nothing is downloaded."
)

# Those of `export_model`, by the same names.
_OPTIONS = (
    *("weights", "photos", "int8", "f16", "default", "name", "license", "output"),
    *("size", "fit", "crop", "filter", "mean", "std"),
)


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands, "export", run, "Turn a network in PyTorch into a folder that --model takes", _SOURCES
    )
    parser.add_argument("source", metavar="SOURCE", help="the network, such as timm:mobilenetv3_small_100")
    parser.add_argument("-o", "--output-folder", metavar="FOLDER", required=True, help="where the model goes")
    parser.add_argument(
        "--weights", metavar="FILE", help="a state_dict, or `random` (default: what is on this machine)"
    )
    parser.add_argument("--photos", metavar="DIR", help="photos to check with and to calibrate int8 by")
    parser.add_argument(
        "--int8", action="store_true", help="also write static int8, for CPUs (needs --photos)"
    )
    parser.add_argument("--f16", action="store_true", help="also write float16, for GPUs")
    parser.add_argument("--default", choices=("f32", "int8", "f16"), help="the file that runs")
    parser.add_argument("--name", help="what to call the model (default: the source's name)")
    parser.add_argument(
        "--license", help="whose the weights are (default: what the source says, else unknown)"
    )
    parser.add_argument("--output", metavar="MODULE", help="the module whose output are the vectors")
    pixels = parser.add_argument_group("how images are prepared, in place of what the source says")
    pixels.add_argument("--size", type=positive, metavar="PX", help="side of the square")
    # Checked by `export_model`: to ask `embed` for these words would load what decodes images.
    pixels.add_argument("--fit", metavar="{crop,stretch}", help="cut out the centre, or squeeze the whole")
    pixels.add_argument("--crop", type=float, metavar="SHARE", help="share of the shorter side that is kept")
    pixels.add_argument(
        "--filter", metavar="{box,bilinear,hamming,bicubic,lanczos}", help="how images are shrunk"
    )
    pixels.add_argument("--mean", type=float, nargs="+", metavar="M", help="for pixels from 0 to 1")
    pixels.add_argument("--std", type=float, nargs="+", metavar="S", help="for pixels from 0 to 1")


def run(arguments: argparse.Namespace) -> None:
    """Export, and print what was written and how it compares."""
    from ..export import export_model

    options = {name: getattr(arguments, name) for name in _OPTIONS}
    done = export_model(arguments.source, arguments.output_folder, **options)
    if arguments.json:
        print_json(dataclasses.asdict(done))
    else:
        _print(done)


def _print(done: Exported) -> None:
    from ..export.files import NEAR

    print_line(f"{done.folder}: {done.name}, {done.dim} dimensions, {done.source}")
    kind = "of your photos" if done.real else "made-up pictures; --photos DIR checks on yours"
    print_line(
        f"equals PyTorch within {done.difference:.1e} of the largest element ({done.checked} {kind}); "
        f"written by {done.exporter}"
    )
    if done.license == "unknown":
        print_line("license is unknown: state it with --license, or in model.toml")
    if done.unreadable:
        print_line(f"{done.unreadable} photos could not be read and were left out")
    rows = []
    for name, size in done.bytes.items():
        cosine = done.agreement.get(name)
        rows.append(
            [
                name,
                f"{size / 1e6:.2f} MB",
                "" if cosine is None else f"{cosine.mean:.4f}",
                "" if cosine is None else f"{cosine.least:.4f}",
                f"{done.precision[name]:.3f}" if done.precision else "",
            ]
        )
    heads = ["file", "size", "cosine to f32, mean", "least", "precision@1"]
    columns = 2 if not done.agreement else 5 if done.precision else 4
    print_table(heads[:columns], [row[:columns] for row in rows], tuple(range(1, columns)))
    for name, cosine in done.agreement.items():
        if cosine.mean < NEAR:
            print_line(f"{name} vectors are far from those of f32: do not use it where f32 was used")
    print_line(f"{done.default} is what runs; {done.folder}/model.*.onnx runs another")
    print_line(f"run it: lookalike search QUERY DIR --model {done.folder}")

"""The photos to embed and their classes; and the command line the embedding benchmarks share."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import machine
from benchmarks.datasets import ROOT, data_folder


def arguments(module: str, description: str | None, **flags: str) -> argparse.Namespace:
    """Parse the command line, with further flags, and restrict this process to the threads it names."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.embed.{module}", description=description)
    parser.add_argument("--threads", type=int, default=2, help="CPUs to use")
    parser.add_argument("--repeats", type=int, default=5, help="rounds; medians are reported")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="examples/photos, one round: shows that it runs")
    for name, what in flags.items():
        parser.add_argument(f"--{name}", action="store_true", help=what)
    options = parser.parse_args()
    machine.hold_to(options.threads)
    return options


def load(quick: bool) -> tuple[list[Path], list[str]]:
    """Paths and fine classes. Raises FileNotFoundError where the data are absent."""
    if quick:
        paths = sorted((ROOT / "examples" / "photos").glob("*.jpg"))
        return paths, [path.name.split("-")[0] for path in paths]
    folder = data_folder() / "photos"
    paths = sorted(folder.glob("*/*.jpg"))
    if not paths:
        raise FileNotFoundError(f"no photos in {folder}; set LOOKALIKE_DATA to the folder that holds photos/")
    return paths, [path.parent.name for path in paths]


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Lay out a Markdown table with aligned columns, the first to the left and numbers to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [
        "| "
        + " | ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in [header, *rows]
    ]
    rule = (
        "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    )
    return "\n".join([lines[0], rule, *lines[1:]])

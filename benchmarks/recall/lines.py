"""Results as lines of JSON, one a cell, so that a run that was stopped can go on."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.recall.cell import Cell, Measured
from benchmarks.recall.tables import Results


def read(path: Path) -> Results:
    """What was measured so far; of a cell that is there twice the later; a line cut short is left out."""
    results: Results = {}
    for line in path.read_text().splitlines() if path.is_file() else []:
        try:
            measured = json.loads(line)
        except json.JSONDecodeError:
            continue
        results[Cell(*(measured[field] for field in Cell._fields))] = measured
    return results


def append(path: Path, measured: Measured) -> None:
    unfinished = path.is_file() and path.stat().st_size and path.read_bytes()[-1:] != b"\n"
    with path.open("a") as file:
        file.write("\n" * bool(unfinished) + json.dumps(measured) + "\n")

"""Measure everything and write benchmarks/RESULTS.md: python -m benchmarks.report [SECTION ...]."""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
from pathlib import Path

from benchmarks import machine

HERE = Path(__file__).resolve().parent

# Title -> the command that prints its tables.
SECTIONS = {
    "Exact search, batches": ["benchmarks.exact", "batch"],
    "Exact search, batches of data without structure": [
        "benchmarks.exact",
        "batch",
        "--random",
        "--queries",
        "1000",
    ],
    "Exact search, single queries": ["benchmarks.exact", "single"],
    "Approximate indexes": [
        "benchmarks.indexes",
        "--family",
        "graphs",
        "--markdown",
        "--rebuild",
        "--plot",
        "docs/images/recall-speed.png",
    ],
    "Inverted lists": [
        "benchmarks.indexes",
        "--family",
        "lists",
        "--markdown",
        "--rebuild",
        "--plot",
        "docs/images/recall-speed-lists.png",
    ],
    "Recall on data and growth of every kind": [
        "benchmarks.recall",
        "--markdown",
        "--heatmap",
        "docs/images/recall-matrix.png",
    ],
    "Inverted lists, served from disk": ["benchmarks.indexes.mapped"],
    "Flat, HNSW or IVF": ["benchmarks.indexes.choice"],
    "Clustering": ["benchmarks.clustering"],
    "Kernels": ["benchmarks.kernels"],
    "Embedding": ["benchmarks.embed"],
    "Image models": ["benchmarks.embed.models", "--write"],
    "Embedding, by runtime": ["benchmarks.embed.speed"],
    "Embedding, by device": ["benchmarks.embed.gpu"],
    "Embedding sounds": ["benchmarks.embed.sounds"],
    "Words to pictures": ["benchmarks.embed.words"],
    "Learning": ["benchmarks.embed.learning"],
    "Import time": ["benchmarks.import_time"],
    "Wheel size": ["benchmarks.wheel_size"],
}


def section(title: str, command: list[str]) -> str:
    """Run one benchmark and return its part of the report."""
    print(f"{title}: python -m {' '.join(command)}", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=HERE.parent, check=True, stdout=subprocess.PIPE, text=True
    )
    return f"## {title}\n`python -m {' '.join(command)}`\n{done.stdout.rstrip()}\n"


PEERS = (
    *("faiss-cpu", "hnswlib", "usearch", "voyager", "rabitqlib", "scann-core", "scalable-vs", "ngt"),
    *("numkong", "onnxruntime", "pillow", "scikit-learn"),
)


def peer_versions() -> str:
    """The installed peers and their versions."""
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for package in PEERS:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of: {', '.join(SECTIONS)} (default: all)"
    )
    parser.add_argument("-o", "--output", type=Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {sorted(unknown)}")
    chosen = {title: SECTIONS[title] for title in options.sections or SECTIONS}
    parts = [
        "# Results\n"
        f"Measured on {datetime.date.today()} by `python -m benchmarks.report`, nothing else running, peers\n"
        "in the same run, rounds interleaved, medians unless a table says otherwise. Peers come with\n"
        "`pip install '.[dev,bench]'`; `LOOKALIKE_DATA` names the folder of the data.\n\n"
        f"- {machine.describe()}\n- {peer_versions()}\n"
    ]
    parts += [section(title, command) for title, command in chosen.items()]
    options.output.write_text("\n".join(parts))


if __name__ == "__main__":
    main()

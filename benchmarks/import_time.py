"""How long imports take once numpy is there: python -m benchmarks.import_time [--quick]."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

from benchmarks.peers import has_package

SCRIPT = "import numpy, time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def milliseconds(package: str, repeats: int) -> float:
    """Median over fresh interpreters, the first, which may compile or read from disk, left out."""
    command = [sys.executable, "-c", SCRIPT.format(package)]
    times = [
        float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(repeats + 1)
    ]
    return statistics.median(times[1:]) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_time", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    repeats = 1 if parser.parse_args().quick else 15
    print("\n| import, after numpy | ms |\n|---|---:|")
    for package in ("lookalike", "faiss", "hnswlib", "usearch.index"):
        if has_package(package.split(".")[0]):
            print(f"| {package} | {milliseconds(package, repeats):.1f} |")


if __name__ == "__main__":
    main()

"""The size of the wheel and its largest files: python -m benchmarks.wheel_size [WHEEL] (built if absent)."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def table(wheel: Path, largest: int) -> None:
    """Print the wheel's size and its largest members."""
    print(f"\n| {wheel.name} | MB |\n|---|---:|\n| the wheel | {wheel.stat().st_size / 1e6:.2f} |")
    with zipfile.ZipFile(wheel) as archive:
        members = sorted(archive.infolist(), key=lambda member: -member.compress_size)
    for member in members[:largest]:
        print(f"| {member.filename}, compressed | {member.compress_size / 1e6:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wheel_size", description=__doc__)
    parser.add_argument("wheel", type=Path, nargs="?")
    given = parser.parse_args().wheel
    if given:
        table(given, 3)
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, str(ROOT)]
        subprocess.run(command, check=True)
        table(next(Path(folder).glob("*.whl")), 3)


if __name__ == "__main__":
    main()

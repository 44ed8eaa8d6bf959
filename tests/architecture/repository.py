"""The repository as the architecture tests see it: tracked files, and the storey of each folder."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def tracked(*patterns: str) -> list[Path]:
    """Files git tracks or would track, matching any of the patterns (all when none is given)."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [ROOT / name for name in sorted(set(names)) if (ROOT / name).is_file()]


def storeys() -> dict[str, int]:
    """Folder under cpp/ -> storey, as ARCHITECTURE.md states it."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    line = re.search(r"^`(\d+ python.*0 platform)`$", text, re.MULTILINE)
    assert line, "ARCHITECTURE.md has lost its line of storeys"
    table = {}
    for entry in line.group(1).split("·"):
        storey, folders = entry.strip().split(" ", 1)
        table.update({folder.strip(): int(storey) for folder in folders.split(",")})
    return table


def includes(source: Path) -> list[tuple[bool, str]]:
    """(is it ours, path) for every include of a source."""
    return [(quote == '"', path) for quote, path in INCLUDE.findall(source.read_text())]

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
    return _order(r"^`(\d+ python.*0 platform)`$", "storeys")


def python_layers() -> dict[str, int]:
    """Folder or file of the Python package -> layer, as ARCHITECTURE.md states it."""
    return _order(r"^`(\d lookalike.*0 _core, errors)`$", "Python layers")


def _order(line: str, what: str) -> dict[str, int]:
    found = re.search(line, (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    assert found, f"ARCHITECTURE.md has lost its line of {what}"
    table = {}
    for entry in found.group(1).split("·"):
        number, names = entry.strip().split(" ", 1)
        table.update({name.strip(): int(number) for name in names.split(",")})
    return table


def includes(source: Path) -> list[tuple[bool, str]]:
    """(is it ours, path) for every include of a source."""
    return [(quote == '"', path) for quote, path in INCLUDE.findall(source.read_text())]

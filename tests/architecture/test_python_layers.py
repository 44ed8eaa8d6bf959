from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT, tracked

PACKAGE = ROOT / "python" / "lookalike"
MODULES = tracked("python/lookalike/*.py")

# Which files may import what is not in the standard library. numpy may be imported anywhere.
GUESTS = {
    "onnxruntime": {"embed/onnx_session.py"},
    "PIL": {"embed/decode.py", "embed/pixels.py", "library/sheet.py", "cli/sheet.py"},
    "tomli": {"embed/card.py"},
}


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of every module a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"lookalike"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_guests_enter_where_they_are_used(module: Path) -> None:
    name = str(module.relative_to(PACKAGE))
    for guest in imported(ast.parse(module.read_text())) - {"numpy"}:
        assert name in GUESTS.get(guest, set()), f"{name} may not import {guest}"


def test_import_brings_numpy_and_nothing_heavier() -> None:
    script = (
        "import json, sys, numpy; before = set(sys.modules); import lookalike; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    fresh = set(json.loads(done.stdout))
    assert "lookalike._core" in fresh
    guests = {name.split(".")[0] for name in fresh} - set(sys.stdlib_module_names) - {"lookalike", "numpy"}
    assert not guests, f"import lookalike also imports {guests}"
    assert not fresh & {"sqlite3", "concurrent.futures", "multiprocessing", "asyncio"}

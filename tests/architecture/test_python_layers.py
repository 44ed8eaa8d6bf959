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

AT_HOME = set(sys.stdlib_module_names) | {"numpy", "lookalike"}

# Which files may import what is not in the standard library. numpy may be imported anywhere.
GUESTS = {
    "onnxruntime": {"embed/onnx_session.py", "export/smaller.py"},
    "PIL": {
        *("embed/decode.py", "embed/pixels.py", "cli/bench.py"),
        *("library/sheet.py", "library/lettering.py", "library/sound_picture.py"),
        *("robustness/distortions.py", "robustness/sheet.py"),
    },
    "matplotlib": {"robustness/plot.py"},
    "soundfile": {"embed/sound_file.py"},
    "soxr": {"embed/sound_file.py"},
    "tokenizers": {"embed/tokenizer.py"},
    "tomli": {"embed/card_fields.py"},
    "onnx": {"export/graph.py", "export/smaller.py"},
    "torch": {
        f"export/{name}.py"
        for name in ("graph", "network", "own_source", "timm_source", "torchvision_source", "weights")
    },
    "torchvision": {"export/torchvision_source.py"},
    "timm": {"export/timm_source.py"},
    "huggingface_hub": {"export/timm_source.py"},
    "transformers": {"export/hf_source.py"},
    "safetensors": {"export/weights.py"},
}


def only_for_types(node: ast.AST) -> bool:
    """Whether a statement is `if TYPE_CHECKING:`, which no interpreter enters."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imported(node: ast.AST) -> set[str]:
    """Top-level names of every module imported at run time below a node, at any depth."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {node.module.split(".")[0]} if node.level == 0 and node.module else set()
    below = node.orelse if only_for_types(node) else ast.iter_child_nodes(node)
    return set().union(*(imported(child) for child in below))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_guests_enter_where_they_are_used(module: Path) -> None:
    name = str(module.relative_to(PACKAGE))
    for guest in imported(ast.parse(module.read_text())) - AT_HOME:
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

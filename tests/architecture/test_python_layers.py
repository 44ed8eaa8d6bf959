from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from python_imports import Graph, cycles, import_graph
from repository import ROOT, python_layers, tracked

PACKAGE = ROOT / "python" / "lookalike"
MODULES = tracked("python/lookalike/*.py")

AT_HOME = set(sys.stdlib_module_names) | {"numpy", "lookalike"}

# Which files may import what is not in the standard library. numpy may be imported anywhere.
GUESTS = {
    "onnxruntime": {"embed/runtime/session.py", "export/smaller.py"},
    "PIL": {
        *("embed/image/decode.py", "embed/image/pixels.py", "cli/bench.py"),
        *("library/sheet.py", "library/lettering.py", "library/sound_picture.py"),
        *("robustness/distortions.py", "robustness/sheet.py"),
    },
    "matplotlib": {"robustness/plot.py"},
    "soundfile": {"embed/audio/decode.py"},
    "soxr": {"embed/audio/decode.py"},
    "tokenizers": {"embed/text/tokenizer.py"},
    "tomli": {"embed/cards/fields.py"},
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


def room(module: str) -> str:
    """The folder a module lies in, or the module itself where it lies in none; the package is `lookalike`."""
    return module.split(".")[0] or "lookalike"


def upward(graph: Graph, order: dict[str, int]) -> list[str]:
    """Imports that do not go down the layers. Inside one folder only circles are wrong."""
    return [
        f"{name or 'lookalike'} (layer {order[room(name)]}) imports {target or 'lookalike'} "
        f"(layer {order[room(target)]})"
        for name, targets in graph.items()
        for target in sorted(targets)
        if room(target) != room(name) and order[room(target)] >= order[room(name)]
    ]


def test_every_room_has_a_layer() -> None:
    assert {room(name) for name in import_graph(PACKAGE)} == set(python_layers())


def test_imports_go_down_the_layers_only() -> None:
    assert not upward(import_graph(PACKAGE), python_layers())


def test_the_embedders_do_not_know_the_library() -> None:
    graph = import_graph(PACKAGE)
    assert not [n for n, targets in graph.items() if room(n) == "embed" and "library" in map(room, targets)]


def test_no_files_import_each_other_in_a_circle() -> None:
    assert not cycles(import_graph(PACKAGE))


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("embed/runtime/stream.py", "from ...library import scan"),
        ("embed/image/tower.py", "import lookalike.library"),
        ("index/flat.py", "if TYPE_CHECKING:\n    from ..train import Settings"),
        ("errors.py", "def late():\n    from ._core import Flat"),
    ],
)
def test_an_import_upwards_is_noticed(module: str, line: str, tmp_path: Path) -> None:
    graph = import_graph(with_line(module, line, tmp_path))
    assert len(upward(graph, python_layers())) == 1


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("index/index.py", "from .ivf import IVF"),
        ("index/vectors.py", "def late():\n    from . import loading"),
        ("library/hit.py", "if TYPE_CHECKING:\n    from .library import Library"),
        ("export/network.py", "from lookalike.export import sources"),
    ],
)
def test_a_circle_is_noticed(module: str, line: str, tmp_path: Path) -> None:
    (group,) = cycles(import_graph(with_line(module, line, tmp_path)))
    assert module.removesuffix(".py").replace("/", ".") in group


def with_line(module: str, line: str, folder: Path) -> Path:
    """Copy the package's sources, with one line more in one of them."""
    copy = folder / "lookalike"
    shutil.copytree(PACKAGE, copy, ignore=lambda _, names: [n for n in names if n.endswith((".so", ".pyd"))])
    with (copy / module).open("a") as file:
        file.write(f"\n{line}\n")
    return copy

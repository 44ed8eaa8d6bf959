from __future__ import annotations

import subprocess
import sys

import pytest

import lookalike as la


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_nothing_heavy_is_imported() -> None:
    modules = run("import sys, lookalike; print(*sorted(sys.modules))").split()
    heavy = {
        "onnxruntime",
        "PIL",
        "onnx",
        "sqlite3",
        "torch",
        "lookalike.embed",
        "lookalike.library",
        "lookalike.cli",
    }
    assert not heavy & set(modules)


def test_import_is_quick() -> None:
    code = (
        "import time, numpy; start = time.perf_counter(); import lookalike; "
        "print(time.perf_counter() - start)"
    )
    assert min(float(run(code)) for _ in range(5)) < 0.02


def test_everything_promised_is_there() -> None:
    assert set(la.__all__) <= set(dir(la))
    assert len(set(la.__all__)) == len(la.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        la.Nothing  # noqa: B018


def test_a_missing_extra_is_named() -> None:
    code = """
import sys
sys.modules["lookalike.embed"] = None
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name == "lookalike.library":
            raise ModuleNotFoundError("No module named 'guest'", name="guest")
sys.meta_path.insert(0, Gone())
import lookalike
try:
    lookalike.Library
except ImportError as error:
    print(error)
"""
    assert "pip install 'lookalike[images]'" in run(code)


def test_everything_is_offered_without_the_images_extra() -> None:
    code = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("onnxruntime", "PIL"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Gone())
import pydoc
import lookalike
text = pydoc.render_doc(lookalike)
from lookalike import *
assert Flat and HNSW and "HNSW" in text and "ImageEmbedder" not in dir(lookalike)
try:
    lookalike.ImageEmbedder
except ImportError as error:
    print(error)
"""
    assert "pip install 'lookalike[images]'" in run(code)


def test_everything_is_offered_with_the_images_extra() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("PIL")
    code = "import lookalike, pydoc; pydoc.render_doc(lookalike); from lookalike import *; print(Library)"
    assert "lookalike.library" in run(code) and {"ImageEmbedder", "Library"} <= set(la.__all__)

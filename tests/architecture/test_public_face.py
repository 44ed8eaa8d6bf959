from __future__ import annotations

import doctest
import inspect
import re
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest
from repository import ROOT

import lookalike as la

PUBLIC = sorted(set(la.__all__) - {"__version__"})


def members(thing: object) -> dict[str, object]:
    """The public methods and properties a class defines itself."""
    return {
        name: member
        for name, member in vars(thing).items()
        if not name.startswith("_")
        and isinstance(member, (types.FunctionType, property, classmethod, staticmethod))
    }


@pytest.fixture
def gallery(tmp_path, monkeypatch):
    """Examples run in a folder of their own, which holds a few photos."""
    photos = ROOT / "examples" / "photos"
    if photos.is_dir():
        shutil.copytree(photos, tmp_path / "photos", ignore=shutil.ignore_patterns(".lookalike"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example_that_runs(name: str, gallery: None) -> None:
    thing = getattr(la, name)
    text = inspect.getdoc(thing) or ""
    if isinstance(thing, type) and issubclass(thing, Exception):
        assert text, f"la.{name} has no docstring"
        return
    assert "Examples" in text, f"la.{name} has no Examples section"
    tests = doctest.DocTestFinder(recurse=True, exclude_empty=True).find(
        thing, name, module=False, globs={"la": la, "np": np}
    )
    assert sum(len(test.examples) for test in tests) > 0, f"la.{name} has no example"
    report: list[str] = []
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    for test in tests:
        doctest.DocTestRunner(optionflags=options).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", [name for name in PUBLIC if isinstance(getattr(la, name), type)])
def test_every_public_method_has_a_docstring(name: str) -> None:
    missing = [method for method, member in members(getattr(la, name)).items() if not inspect.getdoc(member)]
    assert not missing, f"la.{name} leaves {missing} undocumented"


def test_stub_matches_the_binary() -> None:
    command = [
        sys.executable,
        "-m",
        "mypy.stubtest",
        "--mypy-config-file",
        "pyproject.toml",
        "lookalike._core",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_version_everywhere() -> None:
    project = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    cmake = re.search(r"project\(lookalike .*VERSION ([\d.]+)\)", (ROOT / "CMakeLists.txt").read_text())
    assert project and cmake
    assert project.group(1) == cmake.group(1) == la.__version__
    info = la.info()
    version = info["version"] if isinstance(info, dict) else info.version
    assert version == la.__version__
    assert f"## [{la.__version__}]" in (ROOT / "CHANGELOG.md").read_text()

"""Every example in every docstring of the library runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import shutil
from pathlib import Path

import numpy as np
import pytest

import lookalike as la

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"
MODULES = ["lookalike"] + [
    module.name
    for module in pkgutil.walk_packages(la.__path__, "lookalike.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if PHOTOS.is_dir():
        shutil.copytree(PHOTOS, tmp_path / "photos", ignore=shutil.ignore_patterns(".lookalike"))
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        test.globs.setdefault("la", la)
        test.globs.setdefault("np", np)
        runner.run(test, out=report.append)
    assert not report, "".join(report)

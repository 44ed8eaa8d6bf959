"""The C++ tests, as part of pytest: built once, run under every instruction set, whole under the best."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cpp_build import run_tool

from lookalike import _core


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("isa", _core.runnable_isas())
def test_cpp(isa: str, cpp_tests: Path) -> None:
    best = _core.runnable_isas()[-1]
    arguments = ["--test-dir", str(cpp_tests), "--output-on-failure", "-j", "2", "--no-tests=error"]
    if isa != best:
        arguments += ["--label-exclude", "^portable$"]  # what no instruction set can change
    assert "100% tests passed" in run_tool("ctest", *arguments, LOOKALIKE_ISA=isa)


@pytest.mark.parametrize("selection", ["--test-suite=renamed", "--source-file=*/renamed_test.cpp"])
def test_a_selection_of_no_test_fails(selection: str, cpp_tests: Path) -> None:
    done = subprocess.run(
        [cpp_tests / "tests" / "cpp" / "lookalike_tests", selection], stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 1
    assert "no test was selected" in done.stderr

"""The C++ tests, as part of pytest: built once, run under every instruction set this machine has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cpp_build import run_tool


def runnable_isas() -> list[str]:
    """The instruction sets the library accepts on this machine."""
    script = "import lookalike as la; print(la.info()['isa'])"
    accepted = []
    for isa in ("scalar", "avx2", "avx512", "neon"):
        environment = {**os.environ, "LOOKALIKE_ISA": isa}
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip() == isa:
            accepted.append(isa)
    return accepted


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("isa", runnable_isas())
def test_cpp(isa: str, cpp_tests: Path) -> None:
    printed = run_tool(
        "ctest", "--test-dir", str(cpp_tests), "--output-on-failure", "-j", "2", LOOKALIKE_ISA=isa
    )
    assert "100% tests passed" in printed
    assert "tests failed out of 0" not in printed

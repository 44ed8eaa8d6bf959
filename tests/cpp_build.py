"""How tests run the build tools."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run_tool(name: str, *arguments: str, **environment: str) -> str:
    """Run a build tool, the one installed beside this Python first, and fail with all it printed."""
    beside = Path(sys.executable).parent / name
    tool = str(beside) if beside.is_file() else shutil.which(name)
    if tool is None:
        pytest.skip(f"{name} is not installed: pip install '.[dev]'")
    path = os.pathsep.join([str(beside.parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [tool, *arguments],
        cwd=ROOT,
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{name} {' '.join(arguments)} failed:\n{done.stdout[-8000:]}"
    return done.stdout


def has_doctest() -> bool:
    """Whether the compiler finds the header the C++ tests are written with."""
    compiler = os.environ.get("CXX", "c++")
    probe = [compiler, "-E", "-x", "c++", "-", "-o", os.devnull]
    return (
        subprocess.run(probe, input=b"#include <doctest/doctest.h>\n", stderr=subprocess.DEVNULL).returncode
        == 0
    )

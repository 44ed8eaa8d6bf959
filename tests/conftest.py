"""What several test folders share: the C++ side, configured and built once a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"


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
        subprocess.run(probe, input=b"#include <doctest/doctest.h>\n", stderr=subprocess.DEVNULL).returncode == 0
    )


@pytest.fixture(scope="session")
def release_build() -> Path:
    """The core library, built with the release preset; the C++ tests are configured where they can be."""
    tests = "ON" if has_doctest() else "OFF"
    strict = "ON" if os.environ.get("CI") else "OFF"
    options = [f"-DLOOKALIKE_TESTS={tests}", f"-DLOOKALIKE_WERROR={strict}", "-DLOOKALIKE_PYTHON=OFF"]
    run_tool("cmake", "--preset", "release", *options)
    run_tool("cmake", "--build", "--preset", "release", "--target", "lookalike_core", "-j", "2")
    return BUILD


@pytest.fixture(scope="session")
def core_objects(release_build: Path) -> Path:
    """The folder of the core library's object files."""
    return release_build / "CMakeFiles" / "lookalike_core.dir"


@pytest.fixture(scope="session")
def cpp_tests(release_build: Path) -> Path:
    """The built C++ tests."""
    if not has_doctest():
        pytest.skip("the C++ tests need the header doctest/doctest.h (Debian: apt-get install doctest-dev)")
    run_tool("cmake", "--build", "--preset", "release", "-j", "2")
    return release_build

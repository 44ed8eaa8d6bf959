"""What several test folders share: the C++ side, configured and built once a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cpp_build import ROOT, has_doctest, run_tool

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

BUILD = ROOT / "build" / "release"


@contextmanager
def alone() -> Iterator[None]:
    """Build while no other worker of pytest-xdist does: it is one folder."""
    BUILD.parent.mkdir(exist_ok=True)
    with (BUILD.parent / "release.lock").open("w") as file:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def release_build() -> Path:
    """The core library, built with the release preset; the C++ tests are configured where they can be."""
    tests = "ON" if has_doctest() else "OFF"
    strict = "ON" if os.environ.get("CI") else "OFF"
    options = [f"-DLOOKALIKE_TESTS={tests}", f"-DLOOKALIKE_WERROR={strict}", "-DLOOKALIKE_PYTHON=OFF"]
    with alone():
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
    with alone():
        run_tool("cmake", "--build", "--preset", "release", "-j", "2")
    return release_build

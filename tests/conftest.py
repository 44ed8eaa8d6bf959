"""What several test folders share: the C++ side, configured and built once a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cpp_build import ROOT, has_doctest, run_tool

BUILD = ROOT / "build" / "release"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all tests that build the C++ side, in one folder, on one worker of pytest-xdist."""
    for item in items:
        if "release_build" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("cpp"))


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

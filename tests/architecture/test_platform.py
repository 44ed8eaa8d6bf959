"""What differs between operating systems stands in cpp/platform, behind headers that do not differ."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest
from repository import INCLUDE, ROOT, tracked

PLATFORM = ROOT / "cpp" / "platform"
ELSEWHERE = [path for path in tracked("cpp/*.hpp", "cpp/*.cpp") if path.parent != PLATFORM]
# Compilers' own headers, and the libraries that bindings are written with.
NO_SYSTEM_HEADER = {"immintrin.h", "nmmintrin.h", "cpuid.h", "arm_neon.h", "arm_acle.h"}
SYSTEM_NAME = re.compile(
    r"\b(__linux__|__unix__|__APPLE__|_WIN32|_WIN64|_MSC_VER|__MINGW\w+|pthread_\w+|off_t|(?<!py::)ssize_t|pid_t)\b"
    r"|(?<![\w>])::(open|close|read|write|fsync|rename|unlink|mmap|munmap|madvise|fork|getpid|sysconf)\b"
)
IMPLEMENTATION = re.compile(r"(.+)_(posix|linux|macos|windows)\.cpp")


def system_parts(text: str) -> list[str]:
    """The headers and names of an operating system that a source uses."""
    headers = [path for quote, path in INCLUDE.findall(text) if quote == "<"]
    foreign = [
        path
        for path in headers
        if ("." in path or "/" in path) and path not in NO_SYSTEM_HEADER and not path.startswith("pybind11/")
    ]
    return foreign + [match.group() for match in SYSTEM_NAME.finditer(text)]


@pytest.mark.parametrize(
    "text",
    [
        "#include <unistd.h>\n",
        "#  include <sys/mman.h>\n",
        "#include <windows.h>\n",
        "#if defined(__linux__)\n",
        "#ifdef _WIN32\n",
        "pthread_atfork(nullptr, nullptr, f);",
        "const int file = ::open(name, 0);",
    ],
)
def test_the_rule_sees_what_it_forbids(text: str) -> None:
    assert system_parts(text)


def test_nothing_else_knows_the_operating_system() -> None:
    assert len(ELSEWHERE) > 100
    found = {str(path.relative_to(ROOT)): system_parts(path.read_text()) for path in ELSEWHERE}
    found = {name: parts for name, parts in found.items() if parts}
    assert not found, f"belongs into cpp/platform: {found}"


def test_headers_do_not_differ() -> None:
    """Except for those that only the implementations of one system include."""
    headers = [path for path in tracked("cpp/platform/*.hpp") if not re.match("posix|windows", path.name)]
    assert len(headers) > 5
    for header in headers:
        assert not system_parts(header.read_text()), header.name
    private = {f"platform/{path.name}" for path in tracked("cpp/platform/*.hpp")} - {
        f"platform/{path.name}" for path in headers
    }
    for source in [*ELSEWHERE, *headers, *tracked("tests/cpp/*.cpp", "tests/cpp/*.hpp")]:
        assert not private & {path for _, path in INCLUDE.findall(source.read_text())}, source.name


def test_every_header_is_implemented_on_every_system() -> None:
    systems = defaultdict(set)
    for path in tracked("cpp/platform/*.cpp"):
        if match := IMPLEMENTATION.fullmatch(path.name):
            systems[match[1]].add(match[2])
    stems = {path.stem for path in tracked("cpp/platform/*.hpp")}
    implemented = {stem: found for stem, found in systems.items() if stem in stems}
    assert len(implemented) > 5
    for stem, found in implemented.items():
        assert found in ({"windows", "posix"}, {"windows", "linux", "macos"}), f"{stem}: {sorted(found)}"

"""A source compiled for a newer instruction set must not lend its code to the rest of the program."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from repository import ROOT, includes, tracked

TABLES = tracked("cpp/kernels/table_*.cpp")
PLAIN_HEADERS = {"immintrin.h", "arm_neon.h", "cstddef", "cstdint", "stddef.h", "stdint.h"}
# Compiled to nothing on the other architecture.
FOREIGN = {"x86_64": {"table_neon"}, "aarch64": {"table_avx2", "table_avx512"}}
ISA_FLAG = re.compile(r"(?<![\w-])-m(?:arch|tune|cpu|avx|fma|f16c|sse|bmi|popcnt|prefer)[\w=.+-]*")


def test_every_instruction_set_has_its_table() -> None:
    assert {path.stem for path in TABLES} == {"table_scalar", "table_avx2", "table_avx512", "table_neon"}


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_no_stl_behind_instruction_set_flags(table: Path) -> None:
    pending, seen = [table], set()
    while pending:
        source = pending.pop()
        for ours, path in includes(source):
            if ours and path not in seen:
                seen.add(path)
                pending.append(ROOT / "cpp" / path)
            elif not ours:
                assert path in PLAIN_HEADERS, (
                    f"{source.relative_to(ROOT)} includes <{path}>, reached from {table.name}"
                )
    assert seen, "a table includes at least its own header"


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_one_exported_symbol(table: Path, core_objects: Path) -> None:
    found = list(core_objects.rglob(f"{table.name}.o"))
    assert len(found) == 1, f"{table.name} was not compiled"
    nm = shutil.which("nm")
    assert nm, "binutils' nm is needed"
    command = [nm, "--defined-only", "--extern-only", "--demangle", str(found[0])]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    symbols = [line.split(maxsplit=2)[2] for line in listing.splitlines()]
    foreign = table.stem in FOREIGN.get(platform.machine(), set())
    assert len(symbols) == 1 or (foreign and not symbols), f"{table.name} exports {symbols}"


def test_flags_live_in_one_place() -> None:
    allowed = ROOT / "cmake" / "isa.cmake"
    build_files = tracked(
        "*CMakeLists.txt", "*.cmake", "CMakePresets.json", "pyproject.toml", ".ci/*", "tools/*", "*.yml"
    )
    assert allowed in build_files
    for path in build_files:
        flags = ISA_FLAG.findall(path.read_text())
        assert path == allowed or not flags, f"{path.relative_to(ROOT)} sets {flags}"
    assert "native" not in " ".join(ISA_FLAG.findall(allowed.read_text()))


def test_no_source_raises_its_own_instruction_set() -> None:
    raised = re.compile(r"#\s*pragma\s+GCC\s+target|__attribute__\s*\(\(\s*(?:__)?target|\[\[gnu::target")
    for path in tracked("cpp/*.hpp", "cpp/*.cpp"):
        assert not raised.search(path.read_text()), f"{path.relative_to(ROOT)} sets instruction-set flags"

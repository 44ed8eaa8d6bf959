"""The benchmarks at toy size, so that they still run when wanted; and timings for pytest-benchmark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lookalike as la

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str) -> str:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("what", ["batch", "single"])
def test_exact(what: str) -> None:
    printed = run("benchmarks.exact", what, "--quick")
    assert "| lookalike f32 |" in printed and "| lookalike u8 (auto) |" in printed
    assert what == "single" or "the same ids" in printed


def test_kernels() -> None:
    printed = run("benchmarks.kernels", "--quick")
    assert printed.count("| 128 |") == 6


def test_embedding() -> None:
    printed = run("benchmarks.embed", "--quick")
    assert "| lookalike, file to vector" in printed and "| pixels, 32 x 32 greyscale" in printed


def test_import_time() -> None:
    assert "| lookalike |" in run("benchmarks.import_time", "--quick")


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5000, 128)).astype(np.float32)


@pytest.mark.parametrize("codes", ["f32", "f16", "auto"])
@pytest.mark.parametrize("queries", [1, 500])
def test_flat_search(benchmark, photos: np.ndarray, codes: str, queries: int) -> None:
    index = la.Flat(128, codes=codes)
    index.add(photos)
    hits = benchmark(index.search, photos[:queries], 10)
    assert np.array_equal(hits.ids[:, 0], np.arange(queries))


def test_flat_add(benchmark, photos: np.ndarray) -> None:
    def add() -> la.Flat:
        index = la.Flat(128)
        index.add(photos)
        return index

    assert len(benchmark(add)) == len(photos)

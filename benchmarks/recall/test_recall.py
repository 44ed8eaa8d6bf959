"""The matrix at toy size, and that its truth, its growths and its rules are what they say."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import datasets
from benchmarks.recall import K, lines
from benchmarks.recall.contestants import Ours
from benchmarks.recall.data import QUERIES, SOURCES
from benchmarks.recall.elements import DTYPES
from benchmarks.recall.growth import GROWTHS
from benchmarks.recall.rules import REFUSED, broken
from benchmarks.recall.truth import Truth

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str) -> tuple[str, str]:
    command = [sys.executable, "-m", "benchmarks.recall", "--quick", "--markdown", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_quick(tmp_path: Path) -> None:
    raw, drawn = tmp_path / "cells.json", tmp_path / "drawn.png"
    picture = ("--heatmap", str(drawn)) if importlib.util.find_spec("matplotlib") else ()
    printed, said = run("--json", str(raw), *picture)
    for row in ("topics l2 f32", "growing-lengths ip f32", "lattice l2 f32"):
        assert f"| {row} |" in printed
        assert row in said
    assert printed.count("| data | one-batch | chunks-200 | upsert-everywhere |") == 2
    assert "| share with recall of 0.95 and more |" in printed
    assert drawn.is_file() == bool(picture)
    cells = lines.read(raw)
    assert len(cells) == 18
    assert all("error" not in cell and cell["ours"]["recall"] > 0.5 for cell in cells.values())

    # What is there is not measured again, and a line cut short is.
    raw.write_text(raw.read_text()[:-20])
    again, said = run("--json", str(raw), "--resume", "--no-peers")
    assert said.count("ours") == 1
    assert again.count("|") == printed.count("|")
    assert len(lines.read(raw)) == 18


@pytest.mark.parametrize("name", SOURCES)
def test_data_are_the_same_each_time_and_queries_are_not_stored(name: str) -> None:
    source = SOURCES[name]
    if not source.available():
        pytest.skip(f"{source.file} is not in {datasets.data_folder()}")
    for metric, element in source.kinds:
        base, queries = source.load(element, 700)
        again, others = source.load(element, 700)
        assert np.array_equal(base, again) and np.array_equal(queries, others)
        assert (len(base), len(queries)) == (700, QUERIES)
        assert base.dtype == queries.dtype == DTYPES[element]
        assert np.isfinite(base).all() and metric in ("l2", "cosine", "ip")
        if element == "f32":
            assert not {row.tobytes() for row in base} & {row.tobytes() for row in queries}


@pytest.mark.parametrize("name", GROWTHS)
@pytest.mark.parametrize("data", ["topics", "lattice"])
def test_growths_tell_what_is_stored(name: str, data: str) -> None:
    base, queries = SOURCES[data].load("f32", 600)
    index = Ours("Flat", "l2")
    ids, vectors = GROWTHS[name].grow(index, base)
    assert sorted(index.index.ids) == ids.tolist()
    assert np.array_equal(index.index[ids], vectors)
    assert Truth(vectors, queries, "l2", K).recall(index.search(queries)) == 1.0


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
@pytest.mark.parametrize("name", ["far-origin", "islands-far", "near-duplicates", "tiny", "one-long-row"])
def test_truth_is_that_of_differences(name: str, metric: str) -> None:
    base, queries = SOURCES[name].load("f32", 500)
    rows, asked = base.astype(np.float64), queries.astype(np.float64)
    if metric == "cosine":
        rows, asked = (array / np.linalg.norm(array, axis=1, keepdims=True) for array in (rows, asked))
    distances = -(asked @ rows.T) if metric == "ip" else ((asked[:, None] - rows) ** 2).sum(axis=2)
    order = np.argsort(distances, axis=1)
    truth = Truth(base, queries, metric, K)
    assert truth.recall(order[:, :K]) == 1.0
    worse = np.hstack([order[:, : K - 1], order[:, K + 5 : K + 6]])
    assert truth.recall(worse) == 0.9
    assert truth.recall(np.where(np.arange(K) < 5, order[:, :K], -1)) == 0.5


def test_truth_counts_ties_and_no_answer_twice() -> None:
    base = np.array([[0], [2], [2], [9]] + [[100 + i] for i in range(20)], np.uint8)
    truth = Truth(base, np.array([[0]], np.uint8), "l2", 2)
    assert truth.recall(np.array([[0, 1]])) == truth.recall(np.array([[2, 0]])) == 1.0
    assert truth.recall(np.array([[0, 0]])) == truth.recall(np.array([[0, 3]])) == 0.5
    selves = Truth.of_selves(base, np.array([1, 3]), "l2")
    assert selves.recall(np.array([[2], [3]])) == 1.0
    assert selves.recall(np.array([[0], [3]])) == 0.5


def test_rules() -> None:
    plain = {"recall": 0.99, "ms": 1.0, "self": 1.0}
    ours = {**plain, "exact": False, "promise": None}
    assert broken({"ours": ours, "fresh": plain, "peer": plain}) == {}
    worse = {**ours, "recall": 0.94, "ms": 2.0, "self": 0.9, "promise": 0.96}
    assert len(broken({"ours": worse, "fresh": plain, "peer": plain})) == 6
    assert list(broken({"error": "InvalidArgument: no"})) == [REFUSED]

"""The benchmarks at toy size, so that they still run when wanted; and timings for pytest-benchmark."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lookalike as la
from benchmarks.datasets import Dataset
from benchmarks.embed import measured
from benchmarks.indexes.curve import Point, at, front
from benchmarks.indexes.data import Questions
from benchmarks.indexes.walk import Graph
from lookalike.embed.cards.summary import Measured, read_summary

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


def test_image_models() -> None:
    found = json.loads(run("benchmarks.embed.models", "--quick", "--json"))["models"]
    best, baseline = found[0], found[-1]
    assert (best["name"], baseline["name"]) == ("efficientnet-lite0", "pixels-32")
    assert best["quality"] > baseline["quality"] + 0.3
    assert all(model["milliseconds"] > 0 and model["bytes"] > 1e6 for model in found[:-1])


def test_measured_numbers_replace_those_that_were_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "MODELS", tmp_path)
    card, page = tmp_path / "some" / "model.toml", tmp_path / "README.md"
    card.parent.mkdir()
    before = (ROOT / "models" / "efficientnet-lite0" / "model.toml").read_text().split("\n[measured]")[0]
    card.write_text(before)
    page.write_text("above\n<!-- `dice --write` writes this -->\nold\n<!-- to here -->\nbelow\n")
    for quality in (0.5, 0.75):
        measured.write_card("some", quality, "luck", 4.56, "dice")
        measured.write_table("new", "dice")
    assert card.read_text().startswith(before.rstrip())
    assert card.read_text().count("[measured]") == 1
    assert read_summary(card.parent).measured == Measured(
        0.75, "luck", 4.6, "one decoded photo to its vector, on one thread", "dice"
    )
    assert page.read_text() == "above\n<!-- `dice --write` writes this -->\nnew\n<!-- to here -->\nbelow\n"


def test_embedding_sounds() -> None:
    pytest.importorskip("soundfile")
    assert "| spectrogram-lite0 (default)" in run("benchmarks.embed.sounds", "--quick")


def test_robustness() -> None:
    pytest.importorskip("matplotlib")
    printed = run("benchmarks.embed.robustness", "--quick")
    assert "| distortion | strength | pixels-32 | efficientnet-lite0 |" in printed


def test_embedding_by_runtime_and_device() -> None:
    printed = run("benchmarks.embed.speed", "--quick", "--threads", "2")
    # Two batches on one thread and on two.
    assert printed.count("| efficientnet-lite0 | int8 |") == 4
    printed = run("benchmarks.embed.gpu", "--quick")
    assert "| cpu    | int8 |" in printed
    assert "No GPU was measured: device is 'cuda'" in printed or "| cuda   |" in printed


def test_words() -> None:
    pytest.importorskip("tokenizers")
    printed = run("benchmarks.embed.words", "--quick")
    assert "precision@10" in printed and "zero-shot" in printed


@pytest.mark.skipif(not importlib.util.find_spec("pytorch_metric_learning"), reason="needs the extra train")
def test_learning() -> None:
    printed = run("benchmarks.embed.learning", "photos", "--quick")
    assert "| EfficientNet-Lite0 " in printed and "| a head learned on it" in printed


def test_indexes(tmp_path: Path) -> None:
    pytest.importorskip("hnswlib")
    raw, drawn = tmp_path / "raw.json", tmp_path / "drawn.png"
    names = ("lookalike", "hnswlib", "faiss HNSW")
    printed = run(
        "benchmarks.indexes",
        *("--quick", "--family", "graphs", "--markdown"),
        *("--contestants", *names, "--json", str(raw)),
        *(("--plot", str(drawn)) if importlib.util.find_spec("matplotlib") else ()),
    )
    raced = json.loads(raw.read_text())["datasets"]
    assert list(raced) == ["toy-l2", "toy-cosine"]
    for results in raced.values():
        expected = {"hnswlib"} | ({"lookalike"} if hasattr(la, "HNSW") else set())
        assert (
            expected
            <= set(results["races"]["single"])
            == set(results["races"]["batch"])
            == set(results["built"])
        )
        for curves in results["races"].values():
            assert all(max(point["recall"] for point in points) > 0.99 for points in curves.values())
            assert all(point["rate"] > 0 for points in curves.values() for point in points)
    assert printed.count("| hnswlib |") == 8  # rates twice, latencies, build; for each of two sets
    assert drawn.is_file() == (importlib.util.find_spec("matplotlib") is not None)


@pytest.mark.skipif(not hasattr(la, "IVF"), reason="lookalike has no IVF here")
def test_lists(tmp_path: Path) -> None:
    raw = tmp_path / "raw.json"
    printed = run("benchmarks.indexes", "--quick", "--family", "lists", "--markdown", "--json", str(raw))
    packages = {
        "faiss": [
            "faiss IVF-Flat",
            *(
                f"faiss IVF-{codes}, refined"
                for codes in ("PQ-FastScan", "PQ-FastScan of 4", "RaBitQ-FastScan")
            ),
        ],
        "scann": ["scann-core"],
        "rabitqlib": ["rabitqlib IVF raw", "rabitqlib IVF 5 bits", "rabitqlib IVF 9 bits"],
    }
    peers = {name for package in packages if importlib.util.find_spec(package) for name in packages[package]}
    for results in json.loads(raw.read_text())["datasets"].values():
        assert {"lookalike IVF", "lookalike"} <= set(results["built"])
        for curves in results["races"].values():
            assert set(curves) == {"lookalike IVF"} | peers
            for name, points in curves.items():
                least = 0.9 if "bits" in name else 0.99  # nothing beside the codes there
                assert max(point["recall"] for point in points) > least, name
    assert printed.count("lookalike IVF is built in") == (4 if peers else 2)


@pytest.mark.skipif(not hasattr(la, "IVF"), reason="lookalike has no IVF here")
@pytest.mark.skipif(sys.platform != "linux", reason="counts pages as Linux does")
def test_mapped_lists() -> None:
    printed = run("benchmarks.indexes.mapped", "--quick")
    assert "| first query, ms |" in printed and "| mapped and resident after, of the file |" in printed


def test_choice() -> None:
    printed = run("benchmarks.indexes.choice", "--quick")
    for name in ("lookalike Flat", "lookalike", *(["lookalike IVF"] if hasattr(la, "IVF") else [])):
        assert printed.count(f"| {name} |") == 2


def test_reading_a_curve() -> None:
    points = [
        Point("a", 0.92, 400.0),
        Point("b", 0.96, 100.0),
        Point("slow", 0.95, 90.0),
        Point("c", 0.992, 50.0),
    ]
    assert [point.setting for point in front(points)] == ["a", "b", "c"]

    def rate(recall: float) -> tuple[float, bool] | None:
        reading = at(points, recall, lambda point: point.rate)
        return reading and (pytest.approx(reading.value), reading.bound)

    assert rate(0.90) == (400.0, True)
    assert rate(0.94) == (200.0, False)  # half way, and the logarithm half way
    assert rate(0.96) == (100.0, False)
    assert rate(0.992) == (50.0, False)
    assert rate(0.999) is None


def test_recall_counts_ties_and_no_answer_twice() -> None:
    base = np.array([[0], [2], [2], [9]] + [[100 + i] for i in range(20)], np.uint8)
    dataset = Dataset("ties", "l2", base, np.array([[0]], np.uint8))
    questions = Questions(dataset, 1)
    questions.truth = np.array([[0, 1, 3, *range(4, 11)]])  # the tenth nearest is row 10; row 2 is nearer
    right = [0, 2, 3, *range(4, 11)]
    assert questions.recall([right]) == 1.0
    assert questions.recall([[0, 0, *right[2:]]]) == 0.9
    assert questions.recall([right[:9]]) == 0.9
    assert questions.recall([[23, *right[1:]]]) == 0.9


def test_hnswlib_distances_are_those_of_its_own_search() -> None:
    hnswlib = pytest.importorskip("hnswlib")
    random = np.random.default_rng(0)
    base = random.normal(size=(2000, 16)).astype(np.float32)
    index = hnswlib.Index("l2", 16)
    index.init_index(len(base), M=8, ef_construction=50, random_seed=1)
    index.add_items(base, num_threads=1)
    graph = Graph(index)
    assert np.array_equal(graph.vectors, base)
    for ef in (10, 40):
        index.set_ef(ef)
        for query in random.normal(size=(20, 16)).astype(np.float32):
            ids, computed = graph.search(query, ef)
            assert 10 < computed < len(base)
            assert ids[:10] == index.knn_query(query, 10)[0][0].tolist()


def test_clustering() -> None:
    printed = run("benchmarks.clustering", "--quick")
    assert "| lookalike |" in printed and "| lookalike, k-means++ |" in printed
    assert importlib.util.find_spec("faiss") is None or "| faiss Kmeans |" in printed


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

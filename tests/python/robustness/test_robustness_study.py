"""Metrics against what their definitions say word by word; and studies of photos whose answers are known."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")
from PIL import Image

import lookalike as la
from lookalike.robustness import DISTORTIONS, Distortion, Gallery, Scores, measure, read_labels
from lookalike.robustness.distortions import darken, shift
from lookalike.robustness.plot import spread
from lookalike.robustness.sampling import choose_queries
from lookalike.robustness.study import as_json
from lookalike.robustness.table import (
    document,
    found_class_and_itself,
    headline,
    recall_and_precision,
    summary,
)

PHOTOS = Path(__file__).resolve().parents[3] / "examples" / "photos"


def naive(vectors: np.ndarray, classes: np.ndarray, queries: np.ndarray, own: np.ndarray, k: int) -> Scores:
    """Each metric as its definition reads, one query at a time."""
    first, near, precision, itself = [], [], [], []
    for query, row in zip(queries.astype(float), own, strict=True):
        cosines = [
            float(query @ v / (np.linalg.norm(query) * np.linalg.norm(v))) for v in vectors.astype(float)
        ]
        ranked = sorted(range(len(vectors)), key=lambda i: -cosines[i])
        itself.append(ranked[0] == row)
        alike = [classes[i] == classes[row] for i in ranked if i != row]
        first.append(alike[0])
        near.append(any(alike[:k]))
        hits = [sum(alike[: rank + 1]) / (rank + 1) for rank in range(len(alike)) if alike[rank]]
        precision.append(sum(hits) / len(hits))
    return Scores(*(float(np.mean(values)) for values in (first, near, precision, itself)))


@pytest.mark.parametrize("k", [1, 3, 10, 500])
def test_metrics_are_what_their_definitions_say(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(k)
    classes = np.repeat(np.arange(12), 5)
    vectors = rng.standard_normal((60, 6)).astype(np.float32) + 2 * rng.standard_normal((12, 6))[classes]
    vectors = vectors.astype(np.float32)
    own = rng.permutation(60)[:25]
    queries = vectors[own] + rng.standard_normal((25, 6)).astype(np.float32)
    gallery = Gallery(vectors, classes)
    found = gallery.score(queries, own, k)
    expected = naive(vectors, classes, queries, own, k)
    for name in ("precision_at_1", "recall_at_k", "mean_average_precision", "finds_itself"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-12)
    assert 0.1 < found.precision_at_1 < 0.9 and 0.1 < found.finds_itself < 0.9
    monkeypatch.setattr("lookalike.robustness.metrics._CELLS", 130)  # blocks of two queries, and one of one
    again = gallery.score(queries, own, k).mean_average_precision
    assert again == pytest.approx(found.mean_average_precision, rel=1e-12)


def test_of_two_equal_photos_either_is_the_one() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    scores = Gallery(vectors, np.array([0, 0, 1])).score(vectors[1:2], np.array([1]), 5)
    assert scores == Scores(1.0, 1.0, 1.0, 1.0)


def test_queries_are_drawn_evenly() -> None:
    classes = ["a"] * 20 + ["b"] * 3 + ["c"] * 2 + ["lonely"]
    for seed in range(5):
        drawn = choose_queries(classes, 8, seed)
        assert drawn == sorted(set(drawn)) == choose_queries(classes, 8, seed)
        counts = Counter(classes[row] for row in drawn)
        assert counts == {"a": 3, "b": 3, "c": 2}
        assert set(Counter(classes[row] for row in choose_queries(classes, 2, seed)).values()) == {1}
    assert len({tuple(choose_queries(classes, 8, seed)) for seed in range(5)}) > 1
    assert len(choose_queries(classes, 999, 0)) == 25


def test_heights_move_apart_no_more_than_they_must() -> None:
    assert spread(np.array([0.0, 0.5, 1.0]), 0.2).tolist() == [0.0, 0.5, 1.0]
    moved = spread(np.array([0.8, 0.82, 0.1, 0.81]), 0.1)
    assert np.diff(np.sort(moved)) == pytest.approx([0.61, 0.1, 0.1])
    assert moved.mean() == pytest.approx((0.8 + 0.82 + 0.1 + 0.81) / 4)
    assert moved.argsort().tolist() == [2, 0, 3, 1]
    assert spread(np.ones(3), 0.2) == pytest.approx([0.6, 0.8, 1.0])
    assert spread(np.zeros(21), 0.2) == pytest.approx(np.linspace(0, 1, 21))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four classes of three photos, each class a scene of its own, each photo with noise of its own."""
    for number in range(4):
        rng = np.random.default_rng(number)
        scene = rng.integers(30, 200, (4, 6, 3)).astype(float)
        for copy in range(3):
            colours = (scene + rng.normal(0, 12, scene.shape)).clip(0, 255).astype(np.uint8)
            path = tmp_path / "photos" / f"scene{number}" / f"{copy}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(colours).resize((60, 40), Image.Resampling.NEAREST).save(path)
    return tmp_path / "photos"


SHIFT_AND_DARK = [Distortion("shift", shift, (0.05, 0.5), str), Distortion("darken", darken, (0.5,), str)]


def test_pixels_bear_the_dark_but_no_shift(folder: Path) -> None:
    found = measure(folder, [la.PixelEmbedder(8)], queries=12, distortions=SHIFT_AND_DARK)
    pixels = found.models[0]
    assert pixels.clean == Scores(1.0, 1.0, 1.0, 1.0)
    assert pixels.distorted["darken", 0.5].precision_at_1 == 1.0
    assert pixels.distorted["darken", 0.5].finds_itself == 1.0
    assert pixels.distorted["shift", 0.5].precision_at_1 <= 0.5
    assert pixels.distorted["shift", 0.5].finds_itself <= 0.5


def test_a_study_asks_what_it_says(folder: Path) -> None:
    """The same as embedding and scoring by hand."""
    model = la.PixelEmbedder(8)
    found = measure(folder, [model], queries=6, k=2, distortions=SHIFT_AND_DARK, seed=3)
    paths = sorted(folder.glob("*/*.png"))
    assert found.photos.paths == paths
    rows = choose_queries([path.parent.name for path in paths], 6, 3)
    assert found.queries == rows
    bent = [shift(np.asarray(Image.open(paths[row])), 0.05) for row in rows]
    classes = np.repeat(np.arange(4), 3)
    by_hand = naive(model.embed(paths), classes, model.embed(bent), np.array(rows), 2)
    assert found.models[0].distorted["shift", 0.05].mean_average_precision == pytest.approx(
        by_hand.mean_average_precision
    )
    assert found.models[0].distorted["shift", 0.05].finds_itself == by_hand.finds_itself
    assert found.margin == pytest.approx(0.98 / 6**0.5)


def test_what_cannot_be_read_and_what_is_alone_are_counted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lookalike.robustness.embedding._CHUNK", 5)
    (folder / "scene0" / "1.png").write_bytes(b"?")
    for photo in (1, 2):
        (folder / "scene3" / f"{photo}.png").write_bytes(b"")  # leaves one of its class
    shutil.copytree(folder / "scene1", folder / "alone")
    for photo in (1, 2):
        (folder / "alone" / f"{photo}.png").unlink()
    shutil.copy(folder / "scene1" / "0.png", folder / "flat.png")
    told = []
    monkeypatch.setattr(
        "lookalike.robustness.study.ProgressBar.advance", lambda self, count: told.append(count)
    )
    found = measure(
        folder, [la.PixelEmbedder(8), la.PixelEmbedder(8)], distortions=SHIFT_AND_DARK, progress=True
    )
    assert len(found.photos.paths) == 10 and found.photos.unlabelled == 1
    assert sorted(path.relative_to(folder).as_posix() for path in found.errors) == [
        "scene0/1.png",
        "scene3/1.png",
        "scene3/2.png",
    ]
    assert "empty" in found.errors[folder / "scene3" / "1.png"]
    assert found.alone == 2
    assert {found.photos.classes[row] for row in found.queries} == {"scene0", "scene1", "scene2"}
    assert len(found.queries) == 8
    assert sum(told) == 2 * (13 + 12 * 3)
    assert [model.name for model in found.models] == ["pixels-8", "pixels-8 (2)"]
    assert found.models[0].distorted == found.models[1].distorted
    assert "2, alone in their class" in headline(found) and "Not read: 3." in headline(found)


def test_tables_and_json_hold_every_number(folder: Path) -> None:
    found = measure(folder, [la.PixelEmbedder(8), la.PixelEmbedder(2)], k=3, distortions=SHIFT_AND_DARK)
    table = found_class_and_itself(found)
    assert table.heads == ["distortion", "strength", "pixels-8", "pixels-2"]
    assert [row[:2] for row in table.rows] == [
        ["none", ""],
        ["shift", "0.05"],
        ["", "0.5"],
        ["darken", "0.5"],
    ]
    far = found.models[0].distorted["shift", 0.5]
    assert table.rows[2][2] == f"{far.precision_at_1:.2f} / {far.finds_itself:.2f}"
    assert (
        recall_and_precision(found).rows[2][2] == f"{far.recall_at_k:.2f} / {far.mean_average_precision:.2f}"
    )
    assert summary(found).heads[4] == "recall@3"
    mean = Scores.mean(list(found.models[1].distorted.values()))
    assert summary(found).rows[3][3] == f"{mean.precision_at_1:.2f}"
    text = document(found)
    assert text.count("\n|") == 3 * (2 + 4)  # three tables of four rows
    written = as_json(found)
    assert written["photos"] == 12 and written["models"][0]["clean"]["finds_itself"] == 1.0
    assert len(written["models"][1]["distorted"]) == 3


def test_labels_come_from_folders_or_names(folder: Path, tmp_path: Path) -> None:
    assert read_labels(folder).how == "folder"
    assert Counter(read_labels(PHOTOS).classes)["solar"] == 5
    (folder / "scene0" / "deep").mkdir()
    (folder / "scene0" / "0.png").rename(folder / "scene0" / "deep" / "0.png")
    assert Counter(read_labels(folder).classes)["scene0"] == 3
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("cat-1.png", "cat_2.png", "dog-big-1.png", "-.png", "nothing.png"):
        Image.new("RGB", (8, 8)).save(flat / name)
    found = read_labels(flat)
    assert (found.how, found.classes, found.unlabelled) == ("prefix", ["cat", "cat", "dog"], 2)


def test_the_network_bears_a_shift_that_pixels_do_not(tmp_path: Path) -> None:
    """The idea, on real photos: a fifth to the right and down, and pixels take a photo for another."""
    pytest.importorskip("onnxruntime")
    for kind in ("castle", "fish", "flower", "windmill"):
        for path in sorted(PHOTOS.glob(f"{kind}-*.jpg"))[:4]:
            shutil.copy(path, tmp_path)
    models = [la.PixelEmbedder(32), la.ImageEmbedder("efficientnet-lite0", device="cpu")]
    far = [Distortion("shift", shift, (0.2,), str)]
    pixels, network = measure(tmp_path, models, distortions=far).models
    assert pixels.clean.finds_itself == network.clean.finds_itself == 1.0
    assert pixels.distorted["shift", 0.2].finds_itself < 0.4
    assert network.distorted["shift", 0.2].finds_itself > 0.9
    assert network.distorted["shift", 0.2].precision_at_1 > 0.8
    assert (
        network.distorted["shift", 0.2].precision_at_1 > pixels.distorted["shift", 0.2].precision_at_1 + 0.4
    )


def test_every_distortion_has_a_line_to_say_what_it_does() -> None:
    assert all(len(distortion.says) > 20 for distortion in DISTORTIONS)

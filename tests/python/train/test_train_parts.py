"""The parts of training that need no torch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tiny_classes import write_classes

import lookalike as la
from lookalike.train.data.batches import batches, batches_per_epoch, fit_batch
from lookalike.train.data.examples import Examples, read_folder
from lookalike.train.data.split import split_classes, usable_classes
from lookalike.train.loop.schedule import rate_at
from lookalike.train.loop.scores import score
from lookalike.train.nets.head import within_class_whitening
from lookalike.train.settings import Settings

LABELS = np.repeat(np.arange(5), [3, 40, 4, 10, 7])


@pytest.mark.parametrize("epoch", range(3))
def test_batches_hold_different_images_of_different_classes(epoch: int) -> None:
    seen = list(batches(LABELS, 3, 3, seed=1, epoch=epoch))
    assert len(seen) == batches_per_epoch(LABELS, 3, 3) == 7
    for rows in seen:
        assert len(set(rows.tolist())) == 9
        assert sorted(Counter(LABELS[rows].tolist()).values()) == [3, 3, 3]
    assert all(np.array_equal(a, b) for a, b in zip(seen, batches(LABELS, 3, 3, 1, epoch), strict=True))


def test_batches_deal_classes_evenly_and_images_once_before_twice() -> None:
    rows = np.concatenate(list(batches(LABELS, 3, 3, seed=0, epoch=0)))
    classes = Counter(LABELS[rows].tolist())
    assert max(classes.values()) - min(classes.values()) <= 3
    assert len(set(rows[LABELS[rows] == 1].tolist())) == classes[1]
    first, second = (next(batches(LABELS, 3, 3, 0, epoch)) for epoch in (0, 1))
    assert not np.array_equal(first, second)


def test_a_batch_fits_the_data_or_is_refused() -> None:
    names = list("abcde")
    assert fit_batch(LABELS, names, None, None) == (5, 3)
    assert fit_batch(LABELS, names, 2, 2) == (2, 2)
    with pytest.raises(la.InvalidArgument, match="images_per_class is 4, but class a has 3 images"):
        fit_batch(LABELS, names, None, 4)
    with pytest.raises(la.InvalidArgument, match="classes_per_batch is 6, but there are 5 classes"):
        fit_batch(LABELS, names, 6, None)


def test_split_by_share_and_by_name() -> None:
    names = [f"class {number}" for number in range(20)]
    split = split_classes(names, 0.25, seed=3)
    assert len(split.validation) == 5
    assert sorted(split.training + split.validation) == sorted(names)
    assert split == split_classes(names, 0.25, seed=3) != split_classes(names, 0.25, seed=4)
    assert split_classes(names, ["class 3", "class 1"], 0).validation == ["class 1", "class 3"]
    assert split_classes(names, 0, 0).validation == []


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (1.0, r"share in \[0, 1\)"),
        (0.5, "takes 2 of 3 classes and leaves 1"),
        (["a"], "takes 1 of 3 classes"),
        (["a", "x"], "names 'x'; there is a, b, c"),
    ],
)
def test_splits_that_cannot_be(validation, message: str) -> None:
    with pytest.raises(la.InvalidArgument, match=message):
        split_classes(["a", "b", "c"], validation, 0)


def test_scores_against_plain_numpy() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 60)
    vectors = (np.eye(4)[labels] + random.normal(0, 0.4, (60, 4))).astype(np.float32)
    rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    first, average = [], []
    for i in range(60):
        others = np.delete(np.arange(60), i)
        order = others[np.argsort(-(rows[others] @ rows[i]))]
        right = labels[order] == labels[i]
        r = right.sum()
        first.append(right[0])
        average.append(sum(right[: n + 1].mean() for n in range(r) if right[n]) / r)
    found = score(vectors, labels)
    assert found.precision_at_1 == pytest.approx(np.mean(first))
    assert found.map_at_r == pytest.approx(np.mean(average))
    assert 0.5 < found.map_at_r < found.precision_at_1 < 1


def test_scores_of_copies_and_of_the_lonely() -> None:
    assert score(np.ones((6, 2), np.float32), np.zeros(6, int)).precision_at_1 == 1
    found = score(np.float32([[1, 0], [1, 0.1], [0, 1]]), np.array([0, 0, 1]))
    assert (found.precision_at_1, found.map_at_r) == (1, 1)


def test_whitening_finds_the_direction_that_tells_classes_apart() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 8)
    vectors = (random.normal(0, 1, (10, 6))[labels] + random.normal(0, 0.3, (80, 6))).astype(np.float32)
    vectors[:, 0] = random.normal(0, 5, 80) + 3
    weight, bias = within_class_whitening(vectors[:40], labels[:40], 6)
    learned = vectors[40:] @ weight.T + bias
    assert score(learned, labels[40:]).map_at_r > score(vectors[40:], labels[40:]).map_at_r + 0.2
    assert within_class_whitening(vectors[:4], labels[:4], 5)[0].shape == (5, 6)
    same = within_class_whitening(np.ones((4, 3), np.float32), np.array([0, 0, 1, 1]), 3)
    assert np.isfinite(same[0]).all() and np.isfinite(same[1]).all()


def test_reading_a_folder(tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "c", classes=2, count=2)
    (folder / "a" / "deeper").mkdir()
    (folder / "a" / "0.png").rename(folder / "a" / "deeper" / "9.png")
    (folder / "stray.png").write_bytes(b"?")
    (folder / "a" / "notes.txt").write_text("no image")
    examples = read_folder(folder)
    assert (examples.classes, examples.counts().tolist()) == (["a", "b"], [2, 2])
    assert examples.skipped == [f"{folder / 'stray.png'}: lies in no class folder"]
    assert examples.of_classes(["b"]).images == [folder / "b" / "0.png", folder / "b" / "1.png"]
    assert examples.fingerprint() == read_folder(folder).fingerprint()
    (folder / "b" / "1.png").rename(folder / "b" / "2.png")
    assert examples.fingerprint() != read_folder(folder).fingerprint()


def test_folders_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(la.MissingFile, match="none"):
        read_folder(tmp_path / "none")
    with pytest.raises(la.InvalidArgument, match="no image in a class folder"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([9], "9 usable images in 1 classes"),
        ([1, 1], "2 usable images in 2 classes, and 0 of"),
        ([1, 5], "1 of the classes have 2 or more"),
    ],
)
def test_too_few_images(counts: list[int], message: str) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    with pytest.raises(la.InvalidArgument, match=message):
        usable_classes(Examples(["x.png"] * len(labels), labels, list("ab")[: len(counts)]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss": "magic"},
        {"dim": 0},
        {"epochs": 1.5},
        {"classes_per_batch": 1},
        {"images_per_class": True},
        {"learning_rate": 0},
        {"learning_rate": float("nan")},
        {"weight_decay": -1},
        {"augment": ["crop", "melt"]},
        {"size": 4},
        {"seed": -1},
        {"patience": 0},
        {"base": "none", "fine_tune": True},
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_named(wrong: dict) -> None:
    with pytest.raises(la.InvalidArgument, match=list(wrong)[-1]):
        Settings(**wrong)


def test_the_rate_rises_and_falls() -> None:
    rates = np.array([rate_at(time) for time in np.linspace(0, 1, 200)])
    peak = rates.argmax()
    assert (np.diff(rates[: peak + 1]) > 0).all() and (np.diff(rates[peak:]) < 0).all()
    assert rates.max() > 0.99

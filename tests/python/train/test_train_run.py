"""Training, from a folder of tiny images to a model that the library uses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_classes import write_classes
from tiny_network import network

pytest.importorskip("torch")
pytest.importorskip("pytorch_metric_learning")
pytest.importorskip("onnxscript")

import torch

import lookalike as la
from lookalike.cli import main
from lookalike.train import LOSSES, Settings, read_folder, train
from lookalike.train.loop.checkpoint import load_checkpoint
from lookalike.train.loop.losses import make_loss
from lookalike.train.loop.scores import score
from lookalike.train.nets.onnx_network import torch_network

#: A network from scratch that learns in a second.
TINY: dict[str, Any] = {
    "base": "none", "size": 16, "dim": 8, "epochs": 4, "augment": (), "threads": 1, "learning_rate": 3e-3,
    "validation_classes": ["b", "e"], "loss": "multi-similarity",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("classes"), classes=6, count=8)


@pytest.fixture
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the export, which takes PyTorch seconds, where it is not what is tested."""
    monkeypatch.setattr("lookalike.train.recipes.export_network", lambda network, size: b"")
    monkeypatch.setattr("lookalike.train.run._check_export", lambda *_: None)


def weights(place: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(place)["network"]


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_it_learns_and_the_library_uses_it(folder: Path, tmp_path: Path) -> None:
    # The folder's own name must survive being written as TOML.
    place = tmp_path / 'mine "ä"'
    choices = TINY | {"epochs": 12, "augment": ("flip",), "loss": "supcon"}
    report = train(folder, place, license="CC0-1.0", **choices)
    assert report.before and report.after
    assert report.after.map_at_r >= report.before.map_at_r
    assert report.curve[-1]["loss"] < report.curve[1]["loss"]
    model = la.ImageEmbedder(place)
    assert (model.name, model.dim, model.card.license) == ('mine "ä"', 8, "CC0-1.0")
    assert f"{report.images} images of 4 classes" in model.card.source
    fresh = read_folder(write_classes(tmp_path / "fresh", seed=1))
    vectors, pixels = (m.embed(fresh.images) for m in (model, la.PixelEmbedder(16)))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert score(vectors, fresh.labels).map_at_r > score(pixels, fresh.labels).map_at_r + 0.3
    told = json.loads((place / "training.json").read_text())
    assert Settings.of_json(told["settings"]).dim == 8
    assert (told["after"], len(told["curve"])) == (vars(report.after), len(report.curve))
    assert (place / "curves.png").read_bytes().startswith(b"\x89PNG")
    library = la.Library(folder, model=place, store=tmp_path / "store")
    assert library.sync(progress=False).added == 48
    assert library.search(folder / "b" / "0.png", k=1).paths == [folder / "b" / "0.png"]


def test_a_head_on_a_base_is_exact_and_repeatable(folder: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    write_classes(small, classes=4, count=4)
    choices: dict[str, Any] = {"epochs": 2, "dim": 16, "validation_classes": 0.5, "threads": 1}
    reports = [train(small, tmp_path / name, **choices) for name in "ab"]
    models = [la.ImageEmbedder(report.folder, threads=1) for report in reports]
    first, second = (model.embed(read_folder(small).images) for model in models)
    assert np.array_equal(first, second)
    # The base's own graph is inside, and its card's preparation holds.
    base = la.ImageEmbedder("efficientnet-lite0", threads=1)
    assert models[0].card.input == base.card.input
    head = load_checkpoint(reports[0].folder)["best"]
    expected = base.embed(read_folder(small).images) @ head["weight"].numpy().T + head["bias"].numpy()
    assert first == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True), abs=1e-4)


def test_a_base_can_learn_too(folder: Path, tmp_path: Path) -> None:
    base = tmp_path / "base.onnx"
    base.write_bytes(network(quantised=False))
    choices: dict[str, Any] = {"base": str(base), "fine_tune": True, "epochs": 3, "learning_rate": 1e-3}
    report = train(folder, tmp_path / "m", **choices, validation_classes=["b", "e"], threads=1)
    start = torch_network(base.read_bytes(), "base").state_dict()
    tuned = load_checkpoint(report.folder)["network"]
    assert not any(torch.equal(value, tuned[f"base.{name}"]) for name, value in start.items())
    # That the file gives what PyTorch did is checked by `train`; here, that it was the network that learned.
    model = la.ImageEmbedder(report.folder)
    assert (model.dim, model.card.input.preparation.size) == (8, 12)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_falls(loss: str) -> None:
    torch.manual_seed(0)
    labels = torch.arange(4).repeat_interleave(4)
    vectors = torch.nn.Parameter(torch.randn(16, 8))
    measure = make_loss(loss, 4, 8)
    optimizer = torch.optim.Adam([vectors, *measure.parameters()], lr=0.1)
    values = []
    for _ in range(15):
        value = measure(vectors, labels)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(float(value.detach()))
    assert values[-1] < values[0]


@pytest.mark.parametrize("loss", ["multi-similarity", "proxy-anchor"])
def test_an_interrupted_training_goes_on_as_if_it_had_not_been(
    folder: Path, tmp_path: Path, no_export: None, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    choices = {**TINY, "loss": loss, "augment": ("crop", "flip", "colour"), "classes_per_batch": 2}
    whole = train(folder, tmp_path / "whole", **choices)
    from lookalike.train.loop.training import Training

    step, seen = Training._step, []

    def interrupt(self: Training, places: np.ndarray) -> float:
        seen.append(places)
        if len(seen) == 6:  # in the middle of the second epoch
            signal.raise_signal(signal.SIGINT)
        return step(self, places)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Training, "_step", interrupt)
        train(folder, tmp_path / "parts", **choices)
    course = json.loads(load_checkpoint(tmp_path / "parts")["course"])
    assert (course["epoch"], course["step"]) == (1, 2)
    assert not (tmp_path / "parts" / "model.toml").exists()
    parts = train(folder, tmp_path / "parts", resume=True, threads=1)
    assert parts.curve == whole.curve
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))
    with pytest.raises(la.InvalidArgument, match=r"seed is 9, but the training in .* began with 0"):
        train(folder, tmp_path / "parts", resume=True, seed=9)
    longer = train(folder, tmp_path / "parts", resume=True, epochs=5, threads=1)
    assert longer.curve[:5] == whole.curve and len(longer.curve) == 6


def test_patience_and_validation_choose_the_epoch(folder: Path, tmp_path: Path, no_export: None) -> None:
    report = train(folder, tmp_path / "m", **{**TINY, "epochs": 60, "patience": 2})
    assert len(report.curve) - 1 == report.best + 2 < 60
    assert report.after and report.after.map_at_r == max(entry["map_at_r"] for entry in report.curve)
    blind = train(folder, tmp_path / "n", **{**TINY, "epochs": 2, "validation_classes": 0})
    assert (blind.after, blind.best, len(blind.training_classes)) == (None, 2, 6)


def test_a_loss_that_is_no_number_stops_it(folder: Path, tmp_path: Path, no_export: None) -> None:
    choices = {**TINY, "epochs": 3, "loss": "supcon"}
    train(folder, tmp_path / "m", **{**choices, "epochs": 1})
    with pytest.raises(la.InvalidArgument, match=r"learning_rate is 1e\+30: the loss became .* in epoch"):
        train(folder, tmp_path / "n", **{**choices, "learning_rate": 1e30})


def test_what_cannot_be_read_is_left_out(tmp_path: Path, no_export: None) -> None:
    folder = write_classes(tmp_path / "c", classes=5, count=3)
    (folder / "a" / "0.png").write_bytes(b"?")
    for number in (0, 1):
        (folder / "d" / f"{number}.png").write_bytes(b"?")
    report = train(folder, tmp_path / "m", **{**TINY, "epochs": 1})
    assert [line.split(":")[0] for line in report.skipped] == [
        str(folder / "a" / "0.png"),
        str(folder / "d" / "0.png"),
        str(folder / "d" / "1.png"),
        "class d",
    ]
    assert (report.images, report.training_classes) == (5, ["a", "c"])
    for path in folder.glob("[b-e]/*.png"):
        path.write_bytes(b"?")
    with pytest.raises(la.InvalidArgument, match="2 usable images in 1 classes"):
        train(folder, tmp_path / "n", **TINY)


def test_outputs_that_are_in_the_way(folder: Path, tmp_path: Path, no_export: None) -> None:
    choices = {**TINY, "epochs": 1}
    (tmp_path / "file").write_text("?")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "diary.txt").write_text("dear")
    for name, message in [("file", "is no folder"), ("other", "holds other things")]:
        with pytest.raises(la.InvalidArgument, match=message):
            train(folder, tmp_path / name, **choices)
        with pytest.raises(la.InvalidArgument, match=message if name == "file" else "nothing to resume"):
            train(folder, tmp_path / name, resume=True)
    train(folder, tmp_path / "m", **choices)
    with pytest.raises(la.InvalidArgument, match="holds a training already"):
        train(folder, tmp_path / "m", **choices)
    train(folder, tmp_path / "m", overwrite=True, **choices)
    checkpoint = tmp_path / "m" / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(la.CorruptFile, match=r"checkpoint\.pt: is damaged"):
        train(folder, tmp_path / "m", resume=True)


def test_resuming_with_other_images_is_refused(tmp_path: Path, no_export: None) -> None:
    folder = write_classes(tmp_path / "c", classes=4, count=3)
    train(folder, tmp_path / "m", **{**TINY, "epochs": 1, "validation_classes": 0})
    (folder / "a" / "0.png").rename(folder / "a" / "9.png")
    with pytest.raises(la.InvalidArgument, match="images are not those"):
        train(folder, tmp_path / "m", resume=True)


def test_the_command_says_what_is_wrong_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "m")
    for options, message in [
        (["--images-per-class", "9", "--base", "none"], "images_per_class is 9, but class"),
        (["--validation-classes", "0.9", "--base", "none"], "leaves 1 to learn from"),
        (["--loss", "magic"], "loss is 'magic'"),
        (["--license", " "], "license is ' '"),
        (["--augment", "melt"], "augment is 'melt'"),
        (["--size", "99"], "size is 99, but efficientnet-lite0 takes 224"),
        (["--base", "nothing-like-it"], "'nothing-like-it' is neither"),
        (["--resume"], "nothing to resume"),
    ]:
        assert main(["train", str(folder), "-o", place, *options]) == 1
        err = capsys.readouterr().err
        assert message in err
        assert err.splitlines()[-1].startswith("lookalike: ")
        assert not Path(place).exists()


def test_the_command_learns(folder: Path, tmp_path: Path, no_export: None, capsys) -> None:
    options = [
        "--base",
        "none",
        "--size",
        "16",
        "--epochs",
        "1",
        "--validation-classes",
        "a,b",
        "--threads",
        "1",
    ]
    assert main(["train", str(folder), "-o", str(tmp_path / "m"), *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["images"], told["validation_classes"]) == (32, ["a", "b"])


def test_a_missing_package_is_named() -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import lookalike.train\n"
        "from lookalike.cli import main\n"
        "sys.exit(main(['train', 'photos', '-o', 'm']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "lookalike: training needs torch: pip install 'lookalike[train]'\n"

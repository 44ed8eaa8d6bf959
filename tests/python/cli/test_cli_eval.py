"""`lookalike eval`, called as a user calls it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")
from PIL import Image

from lookalike.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main(["eval", *map(os.fspath, map(str, arguments))])
        except SystemExit as stop:
            status = int(stop.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes of two photos."""
    for number in range(6):
        rng = np.random.default_rng(number // 2)
        scene = rng.integers(30, 200, (4, 6, 3), np.uint8)
        scene[0, 0] = 40 * number
        path = tmp_path / "photos" / "abc"[number // 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene).resize((90, 60), Image.Resampling.NEAREST).save(path)
    return tmp_path / "photos"


def test_it_prints_a_line_and_two_tables(run: Run, folder: Path) -> None:
    (folder / "a" / "bad.png").write_bytes(b"?")
    status, out, err = run(folder, "--model", "pixels-8", "--model", "pixels-4", "-k", 2)
    assert status == 0
    assert err.startswith(f"{folder / 'a' / 'bad.png'}: is not an image")
    assert out.startswith("6 photos of 3 classes (by folder), 6 of them searched for among all, by cosine.")
    assert "Not read: 1." in out
    lines = out.splitlines()
    heads = [line.split() for line in lines if line.startswith(("model ", "distortion "))]
    assert heads == [
        ["model", "dim", "queries", "precision@1", "recall@2", "mAP", "finds", "itself"],
        ["distortion", "strength", "pixels-8", "pixels-4"],
    ]
    rows = [line for line in lines if " / " in line and line.startswith(("none", "shift", " "))]
    assert len(rows) > 20 and "1.00 / 1.00" in rows[0]


def test_json_is_json_and_says_all(run: Run, folder: Path) -> None:
    arguments = ("--model", "pixels-8", "--distortion", "jpeg", "--distortion", "shift", "--json")
    status, out, err = run(folder, *arguments)
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert (found["photos"], found["classes"], found["queries"], found["k"]) == (6, 3, 6, 10)
    (model,) = found["models"]
    assert (model["name"], model["dim"]) == ("pixels-8", 64)
    assert model["clean"]["precision_at_1"] == 1.0
    asked = [(each["distortion"], each["strength"]) for each in model["distorted"]]
    assert asked == [
        *(("shift", share) for share in (0.05, 0.1, 0.2, 0.3)),
        *(("jpeg", loss) for loss in (50, 75, 90, 95)),
    ]
    assert json.loads(run(folder, *arguments)[1]) == found
    assert json.loads(run(folder, *arguments, "--queries", 2)[1])["queries"] == 2


def test_it_writes_markdown_and_draws(run: Run, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    table, plot, sheet = (tmp_path / name for name in ("out.md", "out.png", "sheet.png"))
    files = ("--markdown", table, "--plot", plot, "--examples", sheet, "--subject", folder / "c" / "5.png")
    status, _, err = run(folder, "--model", "pixels-8", "--model", "pixels-2", *files)
    assert (status, err) == (0, "")
    assert "| shift | 5 % |" in table.read_text(encoding="utf-8")
    assert "recall@10 / mAP" in table.read_text(encoding="utf-8")
    with Image.open(plot) as drawn:
        pixels = np.asarray(drawn.convert("RGB")).astype(int)
    for colour in ((0, 114, 178), (213, 94, 0)):  # a line a model
        assert (np.abs(pixels - colour).max(axis=2) < 8).sum() > 500
    with Image.open(sheet) as drawn:
        shown = np.asarray(drawn).astype(int)
    scene = np.asarray(Image.open(folder / "c" / "5.png"))[55, 85].astype(int)
    assert (np.abs(shown - scene).max(axis=2) < 3).sum() > 1000
    assert (shown == (0, 114, 178)).all(axis=2).sum() > 500  # what finds itself is framed


def test_models_called_twice_are_measured_once(run: Run, folder: Path) -> None:
    out = run(folder, "--model", "pixels-8", "--model", "pixels-8", "--distortion", "crop", "--json")[1]
    assert len(json.loads(out)["models"]) == 1


def test_what_cannot_work_is_refused_in_one_line(run: Run, folder: Path, tmp_path: Path) -> None:
    flat, one, alone, empty = (tmp_path / name for name in ("flat", "one", "alone", "empty"))
    for place in (flat, one, alone, empty):
        place.mkdir()
    shutil.copy(folder / "a" / "0.png", flat / "IMG.png")
    shutil.copytree(folder / "a", one / "a")
    for name in "ab":
        (alone / name).mkdir()
        shutil.copy(folder / "a" / "0.png", alone / name)
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    for path in broken.glob("[bc]/*.png"):
        path.write_bytes(b"?")
    cases = {
        (flat,): "have no class by prefix",
        (one,): "are of one class by folder, 'a'",
        (alone,): "no class by folder has more than one photo",
        (empty,): "holds no photos",
        (tmp_path / "nowhere",): "nowhere",
        (folder / "a" / "0.png",): "0.png",
        (broken, "--model", "pixels-4"): "4 could not be read",
        (folder, "--model", "no-such-model"): "no-such-model",
        (folder, "--distortion", "melt"): "distortion is 'melt'",
        (folder, "--seed", -1): "seed is -1",
        (folder, "--plot", tmp_path / "out.doc"): "suffix '.doc'",
        (folder, "--examples", tmp_path / "out.doc"): "suffix '.doc'",
        (folder, "--markdown", tmp_path / "nowhere" / "out.md"): "no folder",
        (folder, "--subject", tmp_path / "none.png"): "no such file",
        (
            folder,
            "--model",
            "pixels-4",
            "--examples",
            tmp_path / "x.png",
            "--subject",
            flat / "IMG.png",
        ): "none of",
    }
    for arguments, words in cases.items():
        status, out, err = run(*arguments)
        assert (status, out) == (1, ""), arguments
        assert err.count("\n") == 1 and words in err, err
    for option in ("-k", "--queries"):
        status, _, err = run(folder, option, 0)
        assert status == 2 and "it must be an integer of at least 1" in err and err.count("\n") == 1
    assert not (tmp_path / "x.png").exists()


def test_models_of_sounds_are_refused(run: Run, folder: Path, tmp_path: Path) -> None:
    card = 'name = "hums"\nkind = "audio"\ndim = 8\nlicense = "MIT"\nsource = "made up"\n'
    card += f'[files.hums]\nfile = "model.onnx"\nsha256 = "{"0" * 64}"\n'
    (tmp_path / "hums").mkdir()
    (tmp_path / "hums" / "model.toml").write_text(card)
    status, _, err = run(folder, "--model", tmp_path / "hums")
    assert (
        status == 1 and err == f"lookalike: model {tmp_path / 'hums'}: embeds sounds; it must embed images\n"
    )


def test_a_plot_without_matplotlib_says_what_to_install(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    status, out, err = run(folder, "--plot", tmp_path / "out.png")
    assert (status, out) == (1, "")
    assert err == "lookalike: plots need matplotlib: pip install 'lookalike[eval]'\n"

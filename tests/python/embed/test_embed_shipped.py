"""The image models in models/, each run as it is shipped, on the example photos."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_embed_retrieval import EXAMPLES, precision_at_1

import lookalike as la
from lookalike.cli import main
from lookalike.embed.cards import located
from lookalike.embed.cards.summary import read_summary

ROOT = Path(__file__).resolve().parents[3]
# Precision@1 each has to reach; chance is 0.09, and the picture itself, small and grey, reaches 0.32.
FLOORS = {
    "efficientnet-lite0": 0.9,
    "efficientnet-lite1": 0.9,
    "efficientnet-lite2": 0.9,
    "inception-v3": 0.5,
}
# Four photos each of these are enough for a slow one; chance is 0.16 then, and the grey picture reaches 0.25.
SLOW_FLOORS = {"vgg16": 0.5}
FEW_KINDS = ("castle", "fish", "flower", "solar", "windmill")
NAMES = sorted(FLOORS | SLOW_FLOORS)


def photos(*kinds: str, most: int = 99) -> list[Path]:
    """Example photos of these kinds, up to so many of each."""
    return [path for kind in kinds for path in sorted(EXAMPLES.glob(f"{kind}-*.jpg"))[:most]]


def quality(name: str, paths: list[Path]) -> float:
    # By its folder: an installed lookalike has only the default.
    model = la.ImageEmbedder(ROOT / "models" / name, device="cpu")
    vectors = model.embed(paths)
    assert vectors.shape == (len(paths), model.dim)
    return precision_at_1(vectors, [path.name.split("-")[0] for path in paths])


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_a_shipped_model_finds_its_kind(name: str) -> None:
    assert quality(name, photos("*")) >= FLOORS[name]


@pytest.mark.parametrize("name", sorted(SLOW_FLOORS))
def test_a_slow_shipped_model_finds_its_kind(name: str) -> None:
    assert quality(name, photos(*FEW_KINDS, most=4)) >= SLOW_FLOORS[name]


def test_every_model_in_the_repository_is_tried() -> None:
    built = {folder.parent.name for folder in (ROOT / "models").glob("*/model.toml")}
    images = {name for name in built if read_summary(ROOT / "models" / name).kind == "image"}
    assert images == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_has_what_it_needs_beside_it(name: str) -> None:
    folder = ROOT / "models" / name
    summary = read_summary(folder)
    assert summary.name == name
    assert f"python models/{name}/export.py" in summary.files[summary.default].build
    assert summary.files[summary.default].path.stat().st_size < 20e6
    assert {"LICENSE", "README.md", "export.py"} <= {path.name for path in folder.iterdir()}


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models as a wheel has it: nothing but the default."""
    card = la.ImageEmbedder().card
    home = tmp_path / card.name
    home.mkdir()
    for path in (card.file, card.file.parent / "model.toml"):
        (home / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(located, "_roots", lambda: [tmp_path])
    return tmp_path


def test_a_model_that_does_not_travel_in_the_wheel_is_told_where_to_look(wheel: Path) -> None:
    with pytest.raises(
        la.ModelError, match=r"'vgg16' .*\(efficientnet-lite0\).*models/ of .*repository: pass the path"
    ):
        la.ImageEmbedder("vgg16")


def test_models_lists_what_is_not_built_and_goes_on(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (wheel / "efficientnet-lite0" / "model.toml").read_text()
    (wheel / "large").mkdir()
    (wheel / "large" / "model.toml").write_text(text.replace('"efficientnet-lite0"', '"large"', 1))
    assert main(["models", "--json"]) == 0
    listed = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    assert set(listed) == {"efficientnet-lite0", "large", "pixels-32"}
    assert [model["works"] for model in listed.values()] == [True, False, True]
    assert "this makes it: pip install" in listed["large"]["trouble"]
    assert (listed["pixels-32"]["kind"], listed["pixels-32"]["dim"]) == ("image", 1024)
    assert main(["models"]) == 0
    assert "large: " in capsys.readouterr().out


def test_models_fails_in_the_end_where_one_is_broken(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = next((wheel / "efficientnet-lite0").glob("*.onnx"))
    file.write_bytes(file.read_bytes()[:-1])
    assert main(["models"]) == 1
    out, err = capsys.readouterr()
    assert "pixels-32" in out and "sha256" in err and err.count("\n") == 1


def test_measured_numbers_are_listed(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = wheel / "efficientnet-lite0" / "model.toml"
    text = card.read_text().split("\n[measured]")[0]
    measured = {
        "quality": 0.75,
        "quality_of": "luck",
        "milliseconds": 4.5,
        "milliseconds_of": "a photo",
        "command": "dice",
    }
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in measured.items())
    card.write_text(f"{text}\n[measured]\n{lines}\n")
    main(["models", "--json"])
    assert json.loads(capsys.readouterr().out)[0]["measured"] == measured
    main(["models"])
    out = capsys.readouterr().out
    assert "0.750" in out and "4.5" in out and "quality: luck; ms: a photo (dice)" in out
    assert np.isfinite(float(out.splitlines()[1].split()[-1]))

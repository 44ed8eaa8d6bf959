"""From PyTorch to a model folder: real exports of a tiny network, and all that can be wrong with one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PIL")
import lookalike as la
from lookalike.cli import main
from lookalike.export import Pixels, export_model
from lookalike.export.hf_source import _pixels as pixels_of
from lookalike.export.pictures import read_pictures

ROOT = Path(__file__).resolve().parents[3]
PHOTOS = ROOT / "examples" / "photos"

NETWORKS = """
import torch
from torch import nn

def tiny():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5))

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = tiny()

    def forward(self, images):
        vectors = self.body(images)
        return vectors, vectors + 1

class Shy(nn.Module):
    # Another answer when it is traced: what no file can equal.
    def forward(self, images):
        return images.mean((2, 3)) + (type(images) is not torch.Tensor)

def two(): return Two()
def maps(): return nn.Conv2d(3, 8, 3)
def numbers(): return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(0))
def nothing(): return 5
def broken(): raise ValueError("no luck")
def shy(): return Shy()
"""


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="exporting needs PyTorch")
    pytest.importorskip("onnxscript", reason="exporting needs onnxscript")
    path = tmp_path_factory.mktemp("networks") / "networks.py"
    path.write_text(NETWORKS)
    return path


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few of the photos, in a folder for each class, and a file that is no photo."""
    folder = tmp_path_factory.mktemp("classes")
    for kind in ("fish", "hammer", "windmill"):
        (folder / kind).mkdir()
        for photo in sorted(PHOTOS.glob(f"{kind}-*.jpg"))[:4]:
            (folder / kind / photo.name).write_bytes(photo.read_bytes())
    (folder / "fish" / "broken.jpg").write_bytes(b"no photo")
    return folder


def expected_of(networks: Path, images: list[Path], pixels: Pixels) -> np.ndarray:
    """What PyTorch makes of photos, without any code of the export."""
    import torch

    from lookalike.embed.image.decode import prepare
    from lookalike.embed.image.preparation import Limits

    names: dict[str, Any] = {}
    exec(compile(networks.read_text(), "networks", "exec"), names)
    squares = np.stack([prepare(image, pixels.preparation, Limits()) for image in images])
    values = (squares / 255 - np.array(pixels.mean)) / np.array(pixels.std)
    with torch.no_grad():
        return names["tiny"]().eval()(torch.tensor(values.transpose(0, 3, 1, 2)).float()).numpy()


@pytest.mark.filterwarnings("ignore")
def test_all_files_of_a_users_network(
    networks: Path, classes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deep" / "model"
    arguments = ["--photos", str(classes), "--int8", "--f16", "--size", "64", "--license", "CC0-1.0"]
    assert main(["models", "export", f"{networks}:tiny", "-o", str(folder), *arguments, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["dim"], done["real"], done["compared"], done["unreadable"]) == (5, True, 12, 1)
    assert done["difference"] < 1e-5
    assert list(done["bytes"]) == ["f32", "int8", "f16"] == list(done["precision"])
    assert done["agreement"]["int8"]["mean"] > 0.99 and done["agreement"]["f16"]["least"] > 0.9999
    assert all(0 <= share <= 1 for share in done["precision"].values())
    assert sorted(path.name for path in folder.parent.iterdir()) == ["model"], "nothing half-done is left"

    model = la.ImageEmbedder(folder)
    assert (model.name, model.card.license, model.card.file.name) == ("tiny", "CC0-1.0", "model.int8.onnx")
    photos = sorted(PHOTOS.glob("*.jpg"))[:5]
    expected = expected_of(networks, photos, Pixels.of(64))
    for name, near in (("f32", 1e-5), ("f16", 1e-2), ("int8", 5e-2)):
        found = la.ImageEmbedder(folder / f"model.{name}.onnx").embed(photos)
        assert found == pytest.approx(expected, abs=near * float(np.abs(expected).max())), name
    assert str(networks.parent) not in (folder / "model.toml").read_text()


def test_a_module_inside_and_the_users_pixels(networks: Path, tmp_path: Path) -> None:
    pixels: dict[str, Any] = {"size": 32, "fit": "stretch", "mean": [0.5], "std": [0.25]}
    odd = 'a"\n\x7f\udcff'
    done = export_model(f"{networks}:two", tmp_path / "model", output="body.4", name=odd, **pixels)
    # Its feature maps, averaged over the image.
    assert (done.dim, done.real, done.license) == (16, False, "unknown")
    card = la.ImageEmbedder(tmp_path / "model").card
    assert card.name == r'a"\n\x7f\udcff'
    assert (card.input.preparation.size, card.input.preparation.fit) == (32, "stretch")
    assert card.input.mean == pytest.approx((127.5,) * 3) and card.input.std == pytest.approx((63.75,) * 3)


def test_weights_from_a_file(networks: Path, tmp_path: Path) -> None:
    import torch

    names: dict[str, Any] = {}
    exec(compile(NETWORKS, "networks", "exec"), names)
    state = names["tiny"]().state_dict()
    state["7.bias"] += 100
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "w.pt")
    source = f"{networks}:tiny"
    export_model(source, tmp_path / "model", weights=str(tmp_path / "w.pt"), size=32)
    assert la.ImageEmbedder(tmp_path / "model").embed(np.zeros((40, 40, 3), np.uint8)).min() > 90

    torch.save(dict(list(state.items())[:-1]), tmp_path / "less.pt")
    torch.save(state | {"8.weight": torch.zeros(1)}, tmp_path / "more.pt")
    torch.save(state | {"7.bias": torch.zeros(9)}, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    (tmp_path / "noise.pt").write_bytes(b"noise")
    for file, message in [
        ("less.pt", r"lacks 7\.bias"),
        ("more.pt", r"has besides 8\.weight"),
        ("other.pt", r"does not fit: 7\.bias of \(9,\) for \(5,\)"),
        ("list.pt", "holds a list"),
        ("noise.pt", "cannot be read as a state_dict"),
        ("gone.pt", "there is no such file"),
    ]:
        with pytest.raises(la.ModelError, match=message):
            export_model(source, tmp_path / "none", weights=str(tmp_path / file), size=32)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("two", {}, "gives a tuple of 2; it must give one tensor"),
        ("two", {"output": "body.9"}, r"no such module, but for example .*body\.7"),
        ("maps", {}, r"float32 \(2, 8, 30, 30\) for two images; it must give .* \(2, dim\)"),
        ("numbers", {}, r"float32 \(6,\) for two"),
        ("nothing", {}, "returned a int; it must return a torch.nn.Module"),
        ("broken", {}, "raised ValueError: no luck"),
        ("absent", {}, "has no function 'absent'"),
        ("tiny", {"size": 2}, "cannot run on images of 2 x 2"),
        ("shy", {}, "differs from PyTorch by .* not kept"),
    ],
)
def test_networks_that_will_not_do(
    networks: Path, tmp_path: Path, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(la.ModelError, match=message):
        export_model(f"{networks}:{name}", tmp_path / "model", **{"size": 32} | options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("resnet18", {}, "source is 'resnet18'; it must be torchvision:NAME"),
        ("python:module", {}, "source is 'python:module'"),
        ("gone.py:tiny", {}, "there is no such file"),
        ("python:no_such_module:tiny", {}, "cannot be imported: ModuleNotFoundError"),
        ("NET", {"int8": True}, "int8 needs photos"),
        ("NET", {"default": "f16"}, r"default is 'f16'; it must be .*\['f32'\]"),
        ("NET", {"photos": "gone"}, "photos is 'gone'; it must be a folder"),
        ("NET", {"size": 5000}, "size is 5000"),
        ("NET", {"crop": 1.5}, "crop is 1.5"),
        ("NET", {"fit": "squash"}, "fit is 'squash'"),
        ("NET", {"filter": "nearest"}, "filter is 'nearest'"),
        ("NET", {"mean": [1, 2]}, r"mean is \[1, 2\]"),
        ("NET", {"std": [0.0]}, "std is .* above 0"),
        ("NET", {"std": [float("nan")]}, "std is .* above 0"),
    ],
)
def test_arguments_that_cannot_work(
    networks: Path, tmp_path: Path, source: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(la.InvalidArgument, match=message):
        export_model(source.replace("NET", f"{networks}:tiny"), tmp_path / "model", **options)
    assert not (tmp_path / "model").exists()


def test_a_folder_in_use_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["models", "export", "timm:any", "-o", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "is there already and not empty" in err and err.count("\n") == 1
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_models_without_a_word_still_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    assert "efficientnet-lite0" in {model["name"] for model in json.loads(capsys.readouterr().out)}


def test_photos_are_spread_over_the_folder(classes: Path, tmp_path: Path) -> None:
    how = Pixels.of(8).preparation
    few = read_pictures(classes, how, 7)
    assert few.classes is not None and len(few.squares) + few.unreadable == 7
    assert set(few.classes) == {"fish", "hammer", "windmill"}
    (tmp_path / "bad.jpg").write_bytes(b"?")
    with pytest.raises(la.ImageError, match=r"bad\.jpg: is not an image"):
        read_pictures(tmp_path, how, 3)
    (tmp_path / "bad.jpg").unlink()
    with pytest.raises(la.InvalidArgument, match="holds none"):
        read_pictures(tmp_path, how, 3)


def test_the_package_needs_no_torch_to_be_imported() -> None:
    code = "import sys, lookalike.export as e; assert not {'torch', 'onnx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


VIT = {"size": {"height": 64, "width": 64}, "resample": 2, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
CLIP = {"size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}, "resample": 3}
RESNET = {"size": 256, "crop_size": 224, "do_center_crop": True, "resample": 3}
CONVNEXT = {"size": {"shortest_edge": 224}, "crop_pct": 0.875, "resample": 3}


@pytest.mark.parametrize(
    ("says", "size", "fit", "crop", "filter"),
    [
        (VIT, 64, "stretch", 1.0, "bilinear"),
        (CLIP | {"do_center_crop": True}, 224, "crop", 1.0, "bicubic"),
        (CLIP | {"size": {"shortest_edge": 256}, "do_center_crop": True}, 224, "crop", 0.875, "bicubic"),
        (RESNET, 224, "crop", 0.875, "bicubic"),
        (CONVNEXT, 224, "crop", 0.875, "bicubic"),
        (CONVNEXT | {"size": {"shortest_edge": 384}}, 384, "stretch", 1.0, "bicubic"),
    ],
)
def test_what_a_saved_image_processor_says(
    tmp_path: Path, says: dict[str, Any], size: int, fit: str, crop: float, filter: str
) -> None:
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(says))
    found = pixels_of(tmp_path).preparation
    assert (found.size, found.fit, found.filter) == (size, fit, filter)
    assert found.crop == pytest.approx(crop)


def test_how_a_saved_image_processor_scales(tmp_path: Path) -> None:
    file = tmp_path / "preprocessor_config.json"
    for says, mean, std in [
        (VIT, 0.5, 0.5),
        # Pixels from -1 to 1 before they are normalised, as some of Google's networks have them.
        (VIT | {"rescale_factor": 1 / 127.5}, 0.25, 0.25),
        (VIT | {"do_rescale": False}, 0.5 / 255, 0.5 / 255),
        (VIT | {"do_normalize": False}, 0.0, 1.0),
    ]:
        file.write_text(json.dumps(says))
        found = pixels_of(tmp_path)
        assert found.mean == pytest.approx((mean,) * 3) and found.std == pytest.approx((std,) * 3)
    file.write_text(json.dumps(VIT | {"resample": 0}))
    with pytest.raises(la.ModelError, match="resized by 'nearest'; --filter names another"):
        pixels_of(tmp_path).changed()
    assert pixels_of(tmp_path).changed(filter="box").preparation.filter == "box"
    for says, message in [
        ("{}", "size is None; it must be a square"),
        ('{"size": {"height": 4, "width": 5}}', "it must be a square"),
        ("[", "is not JSON"),
    ]:
        file.write_text(says)
        with pytest.raises(la.ModelError, match=message):
            pixels_of(tmp_path)

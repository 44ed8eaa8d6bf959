from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tiny_onnx import flat, mean_colour, write, write_folder

import lookalike as la

COLOURS = [(10, 20, 30), (200, 100, 0), (255, 255, 255)]
IMAGES = [flat(colour) for colour in COLOURS]
IMAGENET = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


def test_a_users_folder(tmp_path: Path) -> None:
    model = la.ImageEmbedder(write_folder(tmp_path / "mine"))
    assert (model.name, model.dim, model.device) == ("mean-colour", 3, "cpu")
    assert model.embed(IMAGES) == pytest.approx(np.array(COLOURS))
    assert model.embed(IMAGES).dtype == np.float32


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("keep", [False, True])
def test_float_input_is_normalised_by_the_card(tmp_path: Path, dtype: str, layout: str, keep: bool) -> None:
    keep = keep and layout == "NCHW"
    folder = write_folder(
        tmp_path,
        mean_colour(dtype, layout, keep=keep),
        input__dtype=f'"{dtype}"',
        input__layout=f'"{layout}"',
        input__mean="[10, 20, 30]",
        input__std="[1, 2, 4.0]",
    )
    expected = (np.array(COLOURS) - [10, 20, 30]) / [1, 2, 4]
    assert la.ImageEmbedder(folder).embed(IMAGES) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("size", [8, "s"])
def test_a_bare_file(tmp_path: Path, dtype: str, layout: str, size: int | str) -> None:
    model = la.ImageEmbedder(write(tmp_path / "bare.onnx", mean_colour(dtype, layout, size)))
    expected = np.array(COLOURS)
    if dtype != "uint8":
        expected = (expected - IMAGENET[0]) / IMAGENET[1]
    assert (model.name, model.dim) == ("bare", 3)
    assert model.card.input.preparation.size == (8 if size == 8 else 224)
    # Half precision has 11 bits.
    assert model.embed(IMAGES) == pytest.approx(expected, abs=2e-3)


def test_a_file_beside_its_card_has_that_card(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, normalize="true")
    model = la.ImageEmbedder(folder / "colour.onnx")
    assert model.name == "mean-colour"
    assert np.linalg.norm(model.embed(IMAGES), axis=1) == pytest.approx(1)
    write(folder / "other.onnx", mean_colour())
    assert la.ImageEmbedder(folder / "other.onnx").name == "other"


def test_normalize_leaves_a_zero_vector(tmp_path: Path) -> None:
    model = la.ImageEmbedder(write_folder(tmp_path, normalize="true"))
    assert np.array_equal(model.embed(flat((0, 0, 0))), [[0, 0, 0]])


@pytest.mark.parametrize("batch", [1, 4])
def test_a_graph_of_fixed_batch(tmp_path: Path, batch: int) -> None:
    folder = write_folder(tmp_path, mean_colour(batch=batch))
    images = [flat((i, 2 * i, 3 * i)) for i in range(11)]
    assert la.ImageEmbedder(folder).embed(images, batch_size=5)[:, 2] == pytest.approx(3 * np.arange(11))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "name is missing"),
        ({"dim": None}, "dim is missing"),
        ({"dim": "4"}, "dim is 4; the graph gives 3"),
        ({"dim": "-1"}, "dim is -1"),
        ({"dim": "true"}, "dim is True"),
        ({"kind": '"audio"'}, "kind is 'audio'; it must be 'image'; AudioEmbedder opens"),
        ({"kind": '"smell"'}, "kind is 'smell'; it must be one of"),
        ({"license": None}, "license is missing"),
        ({"files__main__file": None}, "files.main.file is missing"),
        ({"files__main__file": '"other.onnx"'}, "other.onnx cannot be read"),
        ({"files__main__file": '"../colour.onnx"'}, "files.main.file is '../colour.onnx'"),
        ({"files__main__sha256": None}, "files.main.sha256 is missing"),
        ({"files__main__sha256": f'"{"0" * 64}"'}, "has sha256 .* model.toml says 0000"),
        ({"files__main__sha256": '"abc"'}, "64 hexadecimal digits"),
        ({"default": '"f16"'}, "default is 'f16'"),
        ({"input__size": None}, "input.size is missing"),
        ({"input__size": '"8"'}, "input.size is '8'"),
        ({"input__size": "9"}, "input.size 9"),
        ({"input__sise": "9"}, "input.sise is 9; it must be one of"),
        ({"input__layout": '"NCHW"'}, "input.layout NCHW"),
        ({"input__layout": '"HWC"'}, "input.layout is 'HWC'; it must be one of"),
        ({"input__dtype": '"float32"'}, "input.dtype is 'float32'; the graph takes uint8"),
        ({"input__dtype": '"float16"'}, "input.dtype is 'float16'; the graph takes uint8"),
        ({"input__dtype": '"int64"'}, "input.dtype is 'int64'; it must be one of"),
        ({"input__name": '"pixels"'}, "input.name is 'pixels'; the graph has 'images'"),
        ({"input__crop": "1.5"}, "input.crop is 1.5"),
        ({"input__filter": '"magic"'}, "input.filter is 'magic'"),
        ({"input__mean": "[1, 2]"}, r"input.mean is \[1, 2\]; it must be three numbers"),
        ({"input__std": "[1, 0, 1]"}, "input.std .* above 0"),
        ({"input__crop": "1" + 400 * "0"}, "input.crop is 10*; it must be a number"),
        ({"input__mean": f"[1, 2, 1{400 * '0'}]"}, r"input.mean is .*; it must be three numbers"),
        ({"output__name": '"vectors"'}, r"output.name is 'vectors'; the graph has \['colours'\]"),
        ({"normalize": "1"}, "normalize is 1; it must be true or false"),
        ({"build": "1"}, "build is 1; it must be text"),
        ({"measured__quality": "0.5"}, r"measured.quality_of is missing"),
        ({"extra": "1"}, "extra is 1"),
    ],
)
def test_a_card_that_lies_is_told_which_field(
    tmp_path: Path, changes: dict[str, str | None], message: str
) -> None:
    with pytest.raises(la.ModelError, match=message):
        la.ImageEmbedder(write_folder(tmp_path, **changes))


def test_cards_that_are_no_cards(tmp_path: Path) -> None:
    with pytest.raises(la.ModelError, match=r"model\.toml cannot be read"):
        la.ImageEmbedder(tmp_path)
    (tmp_path / "model.toml").write_text("name = ")
    with pytest.raises(la.ModelError, match="is not TOML"):
        la.ImageEmbedder(tmp_path)
    with pytest.raises(
        la.ModelError, match=r"neither a shipped one \(.*efficientnet-lite0.*\), nor .*models/ of.*repository"
    ):
        la.ImageEmbedder("resnet-9000")


@pytest.mark.parametrize("data", [b"", b"not onnx at all", bytes(1000), b"\x08\x08"])
def test_files_that_are_no_models(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(data)
    with pytest.raises(la.ModelError, match=r"broken\.onnx"):
        la.ImageEmbedder(path)


def test_a_truncated_model(tmp_path: Path) -> None:
    data = mean_colour().SerializeToString()
    for length in range(1, len(data), 7):
        (tmp_path / "cut.onnx").write_bytes(data[:length])
        with pytest.raises(la.ModelError):
            la.ImageEmbedder(tmp_path / "cut.onnx")


def graph_with(initializer: onnx.TensorProto, inside_a_branch: bool) -> onnx.ModelProto:
    model = mean_colour()
    if inside_a_branch:
        branch = helper.make_graph([], "branch", [], [], [initializer])
        model.graph.node.append(helper.make_node("If", ["c"], ["x"], then_branch=branch, else_branch=branch))
    else:
        model.graph.initializer.append(initializer)
    return model


@pytest.mark.parametrize("inside_a_branch", [False, True])
def test_external_data_are_refused(tmp_path: Path, inside_a_branch: bool) -> None:
    secret = helper.make_tensor("secret", TensorProto.FLOAT, [1], [1.0])
    secret.ClearField("float_data")
    secret.data_location = TensorProto.EXTERNAL
    secret.external_data.add(key="location", value="../../etc/passwd")
    path = write(tmp_path / "spy.onnx", graph_with(secret, inside_a_branch))
    with pytest.raises(la.ModelError, match="external data"):
        la.ImageEmbedder(path)


def test_a_name_with_location_in_it_is_no_external_data(tmp_path: Path) -> None:
    location = helper.make_tensor("location", TensorProto.FLOAT, [1], [1.0])
    path = write(tmp_path / "fine.onnx", graph_with(location, False))
    assert la.ImageEmbedder(path).dim == 3


def test_vectors_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    model = la.ImageEmbedder(write_folder(tmp_path, mean_colour(scale=float("inf"))))
    # 0 * inf is NaN.
    with pytest.raises(la.ImageError, match=r"#0.*NaN or infinity"):
        model.embed(flat((0, 0, 0)))
    assert model.embed([flat((0, 0, 0))], on_error="skip").shape == (0, 3)


def test_inputs_that_fit_no_image(tmp_path: Path) -> None:
    ambiguous = mean_colour("float32", "NHWC")
    ambiguous.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 3
    for model, message in [(ambiguous, "is ambiguous"), (mean_colour("float32", "NHWC", 8), "")]:
        path = write(tmp_path / "odd.onnx", model)
        if message:
            with pytest.raises(la.ModelError, match=message):
                la.ImageEmbedder(path)
        else:
            assert la.ImageEmbedder(path).dim == 3


def test_cuda_where_there_is_none(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    folder = write_folder(tmp_path)
    with pytest.raises(la.Unsupported, match=r"device is 'cuda'.*lookalike\[gpu\]"):
        la.ImageEmbedder(folder, device="cuda")
    assert la.ImageEmbedder(folder, device="auto").device == "cpu"
    with pytest.raises(la.InvalidArgument, match="device is 'tpu'"):
        la.ImageEmbedder(folder, device="tpu")


def test_identity_follows_the_file_and_the_preparation(tmp_path: Path) -> None:
    first = la.ImageEmbedder(write_folder(tmp_path / "a")).identity
    assert first.startswith("mean-colour:")
    assert la.ImageEmbedder(write_folder(tmp_path / "b")).identity == first
    others = [
        write_folder(tmp_path / "c", mean_colour(scale=2.0)),
        write_folder(tmp_path / "d", input__crop="0.5"),
        write_folder(tmp_path / "e", normalize="true"),
    ]
    assert len({first, *(la.ImageEmbedder(folder).identity for folder in others)}) == 4


def test_pickle(tmp_path: Path) -> None:
    model = la.ImageEmbedder(write_folder(tmp_path), threads=3, max_pixels=1000)
    copy = pickle.loads(pickle.dumps(model))
    assert (copy.identity, copy.threads) == (model.identity, 3)
    assert np.array_equal(copy.embed(IMAGES), model.embed(IMAGES))
    with pytest.raises(la.ImageError, match="1,000"):
        copy.embed(flat((0, 0, 0), 40))


def test_the_shipped_model_is_what_its_card_says() -> None:
    model = la.ImageEmbedder()
    assert (model.name, model.dim) == ("efficientnet-lite0", 1280)
    vectors = model.embed(
        [flat((0, 0, 0)), np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)]
    )
    assert vectors.shape == (2, 1280)
    # A mean over results of ReLU6.
    assert 0 <= vectors.min() < vectors.max() <= 6


def test_a_damaged_shipped_model_is_noticed(tmp_path: Path) -> None:
    card = la.ImageEmbedder().card
    for name in ("model.toml", card.file.name):
        shutil.copy(card.file.parent / name, tmp_path)
    data = bytearray((tmp_path / card.file.name).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / card.file.name).write_bytes(data)
    with pytest.raises(la.ModelError, match="sha256"):
        la.ImageEmbedder(tmp_path)


def test_the_runtime_does_not_report_to_its_maker(tmp_path: Path) -> None:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    code = "import lookalike as la, numpy as np; la.ImageEmbedder().embed(np.zeros((9, 9, 3), np.uint8))"
    subprocess.run([sys.executable, "-c", code], check=True, env=keep | {"HOME": str(tmp_path)})
    # What it would send begins with an identifier, kept at home.
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("model", [5, None, ""])
def test_what_cannot_be_a_model_is_named(model) -> None:
    with pytest.raises(la.InvalidArgument, match="model is"):
        la.ImageEmbedder(model)


def test_an_array_without_axes_is_no_image() -> None:
    with pytest.raises(la.InvalidArgument, match="images is"):
        la.PixelEmbedder().embed(np.zeros((), np.uint8))

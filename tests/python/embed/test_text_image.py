"""A CLIP in a folder, from words to pictures; and folders that are not quite one."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("tokenizers")
from onnx import TensorProto, helper
from tiny_clip.shapes import COLOURS, HELD_OUT, PAIRS, SHAPES, SIDE, caption, draw

import lookalike as la
from lookalike.embed import open_embedder

TINY = Path(__file__).parents[2] / "support" / "tiny_clip"
PARTS = ("vision_model.onnx", "text_model.onnx", "vocab.json", "merges.txt", "preprocessor_config.json")


@pytest.fixture(scope="module")
def clip() -> la.TextImageEmbedder:
    return la.TextImageEmbedder(TINY, threads=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the tiny CLIP to spoil."""
    for name in PARTS:
        shutil.copy(TINY / name, tmp_path)
    return tmp_path


def test_words_find_pictures_also_of_pairs_never_shown(clip: la.TextImageEmbedder) -> None:
    random = np.random.default_rng(7)
    truth = [pair for pair in PAIRS for _ in range(10)]
    pictures = clip.embed([draw(*pair, random) for pair in truth])
    words = clip.embed_text([caption(*pair) for pair in PAIRS])
    assert pictures.shape == (360, clip.dim)
    assert (pictures.dtype, words.dtype) == (np.float32, np.float32)
    assert np.linalg.norm(pictures, axis=1) == pytest.approx(1, abs=1e-5)
    nearest = np.argsort(-(words @ pictures.T), axis=1)[:, :10]
    precision = {
        pair: np.mean([truth[i] == pair for i in row]) for pair, row in zip(PAIRS, nearest, strict=True)
    }
    assert np.mean(list(precision.values())) > 0.9
    assert np.mean([precision[pair] for pair in HELD_OUT]) > 0.85


def test_each_word_means_something_by_itself(clip: la.TextImageEmbedder) -> None:
    random = np.random.default_rng(8)
    pictures = clip.embed([draw(*pair, random) for pair in PAIRS for _ in range(5)])
    for words, place in ((list(COLOURS), 0), (list(SHAPES), 1)):
        top = np.argsort(-(clip.embed_text(words) @ pictures.T), axis=1)[:, :10]
        right = [PAIRS[i // 5][place] == word for word, row in zip(words, top, strict=True) for i in row]
        assert np.mean(right) > 0.8


def test_a_vector_does_not_depend_on_its_neighbours(clip: la.TextImageEmbedder) -> None:
    texts = ["a red circle", "one blue ring!", "the photo of a white star " * 30]
    together = la.TextImageEmbedder(TINY, threads=3).embed_text(texts)
    assert np.array_equal(together, np.concatenate([clip.embed_text(text) for text in texts]))
    # What is beyond the model's length is cut off.
    assert np.array_equal(clip.embed_text(texts[2]), clip.embed_text(texts[2] + "and a red ring"))


def test_it_is_an_embedder(clip: la.TextImageEmbedder) -> None:
    model = open_embedder(TINY, threads=1)
    assert (model.name, model.dim, model.identity) == ("tiny_clip", clip.dim, clip.identity)
    good, bad = draw("red", "ring", np.random.default_rng(0)), "missing.png"
    (_, vector), (_, error) = model.embed_stream([good, bad])
    assert np.array_equal(vector, clip.embed(good)[0])
    assert isinstance(error, la.ImageError)
    copy = pickle.loads(pickle.dumps(clip))
    assert (copy.identity, repr(copy)) == (clip.identity, repr(clip))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("", r"texts\[0\] is ''; it must be words"),
        (["red", " \n"], r"texts\[1\] is ' \\n'; it must be words"),
        (["red", 5], r"texts\[1\] is a int"),
        ([None], r"texts\[0\] is a NoneType"),
        (b"red", "texts is a bytes"),
        (5, "texts is a int"),
        ("\udcff", r"texts\[0\] is .* not Unicode"),
    ],
)
def test_what_is_no_text_is_named(clip: la.TextImageEmbedder, texts: object, message: str) -> None:
    with pytest.raises(la.InvalidArgument, match=message):
        clip.embed_text(texts)  # type: ignore[arg-type]


def test_no_texts_make_no_vectors(clip: la.TextImageEmbedder) -> None:
    assert clip.embed_text([]).shape == (0, clip.dim)
    assert clip.embed([]).shape == (0, clip.dim)


def test_the_towers_may_lie_in_a_folder_of_their_own(folder: Path, clip: la.TextImageEmbedder) -> None:
    (folder / "onnx").mkdir()
    (folder / "vision_model.onnx").rename(folder / "onnx" / "vision_model.onnx")
    (folder / "text_model.onnx").rename(folder / "onnx" / "text_model_quantized.onnx")
    assert np.array_equal(la.TextImageEmbedder(folder).embed_text("red"), clip.embed_text("red"))


@pytest.mark.parametrize("missing", PARTS)
def test_a_missing_file_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    name = "has no tokenizer" if missing in ("vocab.json", "merges.txt") else missing
    with pytest.raises(la.ModelError, match=name):
        la.TextImageEmbedder(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": {"shortest_edge": 16}}, "crop_size 32 is more than size 16"),
        ({"size": None}, "size is None; it must be the side"),
        ({"crop_size": {"height": 32, "width": 30}}, "crop_size is .* it must be the side of a square"),
        ({"crop_size": 32, "size": 40}, ""),
        ({"do_center_crop": False}, ".*pictures would not be square"),
        ({"do_center_crop": False, "size": {"height": 32, "width": 32}}, ""),
        ({"resample": 3.5}, "resample is 3.5"),
        ({"resample": 0}, "resample is 0"),
        ({"resample": [3]}, r"resample is \[3\]"),
        ({"crop_size": {"height": [32], "width": 32}}, "crop_size is .* it must be the side of a square"),
        ({"rescale_factor": 10**400}, "rescale_factor is 10*; it must be a number"),
        ({"image_mean": [0, 0]}, r"image_mean is \[0, 0\]; it must be three numbers"),
        ({"image_std": [1, 0, 1]}, ".*must be above 0"),
        ({"rescale_factor": "x"}, "rescale_factor is 'x'; it must be a number"),
        ({"rescale_factor": 0}, ".*must be above 0"),
    ],
)
def test_a_configuration_is_read_or_refused(folder: Path, changes: dict[str, object], message: str) -> None:
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    if not message:
        assert la.TextImageEmbedder(folder).dim == 32
        return
    with pytest.raises(la.ModelError, match=f"preprocessor_config.json: {message}"):
        la.TextImageEmbedder(folder)


def test_a_size_that_is_not_the_graphs_is_named(folder: Path) -> None:
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"size": 16, "crop_size": 16}))
    with pytest.raises(la.ModelError, match=r"make \(n, 3, 16, 16\); the graph takes 'pixel_values'"):
        la.TextImageEmbedder(folder)


def test_pictures_are_prepared_as_configured(folder: Path) -> None:
    """The tower is swapped for one that shows what it was given."""
    seen = helper.make_graph(
        [helper.make_node("ReduceMean", ["pixel_values"], ["image_embeds"], axes=[2, 3], keepdims=0)],
        "means",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, ["n", 3])],
    )
    save(folder / "vision_model.onnx", seen)
    save(folder / "text_model.onnx", text_graph(dim=3))
    picture = np.full((64, 48, 3), (255, 0, 51), np.uint8)
    config = json.loads((folder / "preprocessor_config.json").read_text())
    expected = (np.array([1, 0, 0.2]) - config["image_mean"]) / config["image_std"]
    expected /= np.linalg.norm(expected)
    assert la.TextImageEmbedder(folder).embed(picture)[0] == pytest.approx(expected, abs=1e-5)


def save(path: Path, graph: onnx.GraphProto) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def text_graph(
    dim: int = 32,
    dtype: int = TensorProto.INT64,
    length: int | str = "t",
    names: tuple[str, ...] = ("input_ids", "attention_mask"),
    outputs: tuple[str, ...] = ("text_embeds",),
) -> onnx.GraphProto:
    """A tower that counts: the sum of its tokens and their number, each times dim / 2."""
    nodes = [helper.make_node("Cast", [name], [f"f.{name}"], to=TensorProto.FLOAT) for name in names]
    nodes += [
        helper.make_node("ReduceSum", [f"f.{name}", "axis"], [f"s.{name}"], keepdims=1) for name in names
    ]
    sums = [f"s.{name}" for name in names] * (dim // len(names) + 1)
    nodes += [helper.make_node("Concat", sums[:dim], [output], axis=1) for output in outputs]
    return helper.make_graph(
        nodes,
        "count",
        [helper.make_tensor_value_info(name, dtype, ["n", length]) for name in names],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", dim]) for output in outputs],
        [helper.make_tensor("axis", TensorProto.INT64, [1], [1])],
    )


@pytest.mark.parametrize("dtype", [TensorProto.INT64, TensorProto.INT32])
@pytest.mark.parametrize("length", ["t", 7])
def test_a_mask_counts_tokens_and_padding_is_masked(folder: Path, dtype: int, length: int | str) -> None:
    save(folder / "text_model.onnx", text_graph(dtype=dtype, length=length))
    vector = la.TextImageEmbedder(folder).embed_text("a red circle")[0]
    vocabulary = json.loads((folder / "vocab.json").read_text())
    marked = ["<|startoftext|>", "a</w>", "red</w>", "circle</w>", "<|endoftext|>"]
    assert vector[0] / vector[1] == pytest.approx(sum(vocabulary[token] for token in marked) / 5)


def test_a_graph_shorter_than_clips_cuts_earlier(folder: Path) -> None:
    save(folder / "text_model.onnx", text_graph(length=5))
    model = la.TextImageEmbedder(folder)
    assert np.array_equal(model.embed_text("a red circle a"), model.embed_text("a red circle"))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (text_graph(dim=16), "text tower: gives vectors of 16; dim is 32"),
        (
            text_graph(names=("input_ids", "foo")),
            "text tower: takes 'foo'.* known inputs are input_ids, attention",
        ),
        (text_graph(names=("a", "attention_mask")), "text tower: takes 'a'"),
        (text_graph(names=("attention_mask", "token_type_ids")), "no input is called 'input_ids'"),
        (text_graph(dtype=TensorProto.FLOAT), "text tower: takes 'input_ids': float32"),
        (text_graph(outputs=("a", "b")), "no output is called 'text_embeds', and 2 have 2 axes"),
    ],
)
def test_a_tower_that_does_not_fit_is_named(folder: Path, graph: onnx.GraphProto, message: str) -> None:
    save(folder / "text_model.onnx", graph)
    with pytest.raises(la.ModelError, match=message):
        la.TextImageEmbedder(folder)


def write_card(folder: Path, **changes: str | None) -> Path:
    """Give the folder a model.toml; `changes` replace lines (dots written as __), or drop them (None)."""
    roles = {
        "image": "vision_model.onnx",
        "text": "text_model.onnx",
        "tokenizer": "vocab.json",
        "merges": "merges.txt",
    }
    lines: dict[str, str | None] = {"name": '"tiny"', "kind": '"text-image"', "dim": "32"}
    lines |= {"license": '"Apache-2.0"', "source": '"made by the tests"'}
    for role, name in roles.items():
        lines[f"files__{role}__file"] = f'"{name}"'
        lines[f"files__{role}__sha256"] = f'"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}"'
    config = json.loads((folder / "preprocessor_config.json").read_text())
    for key in ("mean", "std"):
        lines[f"image__input__{key}"] = str([255 * value for value in config[f"image_{key}"]])
    lines |= {
        "image__input__size": str(SIDE),
        "image__input__dtype": '"float32"',
        "image__input__layout": '"NCHW"',
    }
    text = [
        f"{key.replace('__', '.')} = {value}" for key, value in (lines | changes).items() if value is not None
    ]
    (folder / "model.toml").write_text("\n".join(text))
    return folder


def test_a_card_says_what_the_layout_said(folder: Path, clip: la.TextImageEmbedder) -> None:
    model = la.TextImageEmbedder(write_card(folder))
    picture = draw("red", "ring", np.random.default_rng(0))
    assert (model.name, model.dim) == ("tiny", 32)
    assert np.array_equal(model.embed_text("a red ring"), clip.embed_text("a red ring"))
    assert model.embed(picture) == pytest.approx(clip.embed(picture), abs=1e-5)
    assert open_embedder(folder).identity == model.identity != clip.identity
    shorter = la.TextImageEmbedder(write_card(folder, text__length="4"))
    assert shorter.identity != model.identity
    assert np.array_equal(shorter.embed_text("a red ring"), clip.embed_text("a red"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": '"image"'}, "kind is 'image'; it must be 'text-image'; ImageEmbedder opens"),
        ({"kind": '"words"'}, "kind is 'words'; it must be one of"),
        ({"dim": "16"}, "image tower: dim is 16; the graph gives 32"),
        ({"files__text__file": None, "files__text__sha256": None}, "files.text is missing"),
        ({"files__tokenizer__file": None, "files__tokenizer__sha256": None}, "files.tokenizer is missing"),
        ({"files__text__sha256": f'"{"0" * 64}"'}, "text_model.onnx has sha256"),
        ({"files__text__file": '"gone.onnx"'}, "gone.onnx cannot be read"),
        (
            {"files__text__package": '"no-such-package"', "files__text__file": '"../x"'},
            "files.text.file is '../x'",
        ),
        ({"image__input__size": None}, "image.input.size is missing"),
        (
            {"image__input__size": "16", "image__input__name": '"x"'},
            "input.name is 'x'; the graph has 'pixel_values'",
        ),
        ({"image__output": '"x"'}, r"output.name is 'x'; the graph has \['image_embeds'\]"),
        ({"image__over": '"resnet"'}, r"image.over is 'resnet'; it must be one of \['efficientnet-lite0'"),
        ({"text__output": '"x"'}, r"text.output is 'x'; the graph has \['text_embeds'\]"),
        ({"text__input": '"x"', "text__pooling": '"none"'}, "takes 'input_ids'.* known inputs are x"),
        ({"text__pooling": '"max"'}, "text.pooling is 'max'; it must be one of"),
        ({"text__length": "0"}, "text.length is 0"),
        ({"text__lenght": "9"}, "text.lenght is 9; it must be one of"),
        ({"normalize": "true"}, "normalize is True; it must be one of"),
    ],
)
def test_a_card_that_lies_is_told_which_field(
    folder: Path, changes: dict[str, str | None], message: str
) -> None:
    with pytest.raises(la.ModelError, match=message):
        la.TextImageEmbedder(write_card(folder, **changes))


def test_a_missing_package_is_named_with_its_extra(folder: Path) -> None:
    write_card(folder, files__text__package='"no-such-package"')
    with pytest.raises(
        ImportError, match=r"needs the package no-such-package: pip install 'lookalike\[text\]'"
    ):
        la.TextImageEmbedder(folder)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("no-such-model", r"neither a shipped one \(words-lite0\)"),
        ("efficientnet-lite0", "kind is .image.; it must be 'text-image'; ImageEmbedder opens"),
        ("", "model is ''"),
        (5, "model is 5"),
    ],
)
def test_what_is_no_model_is_named(model: object, message: str) -> None:
    with pytest.raises(la.InvalidArgument, match=message):
        la.TextImageEmbedder(model)  # type: ignore[arg-type]


def test_other_doors_say_which_is_the_right_one(folder: Path) -> None:
    with pytest.raises(la.ModelError, match="TextImageEmbedder opens models of this kind"):
        la.ImageEmbedder(write_card(folder))


def test_one_input_is_still_one_input(tmp_path: Path) -> None:
    save(tmp_path / "two.onnx", text_graph())
    with pytest.raises(la.ModelError, match="has 2 inputs; it must have one, the images"):
        la.ImageEmbedder(tmp_path / "two.onnx")


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def hide() -> None:
        monkeypatch.setitem(sys.modules, "tokenizers", None)
        for name in ("tokenizer", "tower"):
            monkeypatch.delitem(sys.modules, f"lookalike.embed.text.{name}", raising=False)

    return hide


def test_without_the_extra_the_error_names_it(missing: Callable[[], None]) -> None:
    missing()
    with pytest.raises(ImportError, match=r"words need tokenizers: pip install 'lookalike\[text\]'"):
        la.TextImageEmbedder(TINY)
    # Pictures alone do without.
    assert open_embedder("efficientnet-lite0").dim == 1280

"""ONNX files that run, or nearly, and are no models of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tiny_onnx import flat, mean_colour, write, write_folder

import lookalike as la


def ending(op: str, *constants: np.ndarray, batch: int | str = "n", **attributes: object) -> onnx.ModelProto:
    """The mean colour, and one more node, whose result is the output."""
    model = mean_colour(batch=batch)
    names = [f"constant-{i}" for i in range(len(constants))]
    model.graph.initializer.extend(map(numpy_helper.from_array, constants, names))
    model.graph.node.append(helper.make_node(op, ["colours", *names], ["end"], **attributes))
    del model.graph.output[:]
    model.graph.output.append(onnx.ValueInfoProto(name="end"))
    return model


def taking(kind: int, shape: list[int | str] | None) -> onnx.ModelProto:
    """The mean colour, told that it takes something else."""
    model = mean_colour()
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("images", kind, shape))
    return model


NO_VECTORS = {
    "a number": (ending("ReduceMean", keepdims=0), r"float32 \(\)"),
    "a number from a fixed batch": (ending("ReduceMean", keepdims=0, batch=4), r"float32 \(\)"),
    "several vectors": (ending("Reshape", np.array([-1, 1])), r"float32 \(3, 1\)"),
    "a map": (ending("Reshape", np.array([-1, 1, 3, 1])), ""),
    "a matrix": (ending("Expand", np.array([1, 2, 3])), r"float32 \(1, 2, 3\)|float32 \(1, 1, 2, 3\)"),
    "whole numbers": (ending("Cast", to=TensorProto.INT64), r"int64 \(1, 3\)"),
    "text": (ending("Cast", to=TensorProto.STRING), r"\(1, 3\)"),
    "a sequence": (ending("SplitToSequence", axis=1), r"float32 \(3, 1, 1\)"),
    "nothing": (ending("Slice", np.array([0]), np.array([0]), np.array([1])), r"float32 \(1, 0\)"),
}


@pytest.mark.parametrize("what", NO_VECTORS)
def test_a_graph_that_gives_no_vector(tmp_path: Path, what: str) -> None:
    model, message = NO_VECTORS[what]
    path = write(tmp_path / "odd.onnx", model)
    if not message:
        assert la.ImageEmbedder(path).dim == 3
        return
    with pytest.raises(la.ModelError, match=rf"odd.*output 'end' is .*{message}.*it must be .*output\.name"):
        la.ImageEmbedder(path)
    with pytest.raises(la.ModelError, match=r"model mean-colour: output 'end' is"):
        la.ImageEmbedder(write_folder(tmp_path, model))


def test_a_graph_that_mixes_the_images_of_a_batch(tmp_path: Path) -> None:
    model = la.ImageEmbedder(write(tmp_path / "odd.onnx", ending("ReduceMean", axes=[0], keepdims=1)))
    assert model.embed(flat((3, 6, 9))) == pytest.approx(np.array([[3, 6, 9]]))
    with pytest.raises(la.ModelError, match=r"'end' is \(1, 3\) for 2 images; it must be one vector"):
        model.embed([flat((3, 6, 9))] * 2)


@pytest.mark.parametrize(
    ("kind", "shape", "message"),
    [
        (TensorProto.UINT8, ["n", 8, 8], "it must take uint8, float32 or float16 of shape"),
        (TensorProto.UINT8, ["n", 1, 8, 8, 3], "it must take uint8, float32 or float16 of shape"),
        (TensorProto.UINT8, None, "it must take uint8, float32 or float16 of shape"),
        (TensorProto.INT64, ["n", 8, 8, 3], "int64.*it must take uint8, float32 or float16"),
        (TensorProto.UINT8, ["n", 8, 8, 4], "which dimension holds the colours is ambiguous"),
        (TensorProto.UINT8, ["n", 8, 16, 3], "it must take a square image"),
        (TensorProto.UINT8, ["n", 100_000, 100_000, 3], "at most 4096 pixels"),
        (TensorProto.UINT8, [1_000_000, 8, 8, 3], "a batch of 1000000"),
    ],
)
def test_an_input_that_is_no_image(
    tmp_path: Path, kind: int, shape: list[int | str] | None, message: str
) -> None:
    path = write(tmp_path / "odd.onnx", taking(kind, shape))
    with pytest.raises(la.ModelError, match=rf"odd\.onnx.*{message}"):
        la.ImageEmbedder(path)


def test_a_graph_of_two_inputs_or_none(tmp_path: Path) -> None:
    model = mean_colour()
    model.graph.input.append(helper.make_tensor_value_info("words", TensorProto.INT64, ["n"]))
    with pytest.raises(la.ModelError, match="has 2 inputs; it must have one, the images"):
        la.ImageEmbedder(write(tmp_path / "two.onnx", model))
    constant = helper.make_node("Constant", [], ["colours"], value=numpy_helper.from_array(np.ones((1, 3))))
    graph = helper.make_graph([constant], "none", [], [onnx.ValueInfoProto(name="colours")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    with pytest.raises(la.ModelError, match="has 0 inputs; it must have one, the images"):
        la.ImageEmbedder(write(tmp_path / "none.onnx", model))


def test_a_file_that_does_not_say_which_operators_it_means(tmp_path: Path) -> None:
    model = mean_colour()
    del model.opset_import[:]
    with pytest.raises(la.ModelError, match=r"none\.onnx: onnxruntime cannot load it: .*opset"):
        la.ImageEmbedder(write(tmp_path / "none.onnx", model))


def test_a_file_of_operators_nobody_has(tmp_path: Path) -> None:
    model = mean_colour()
    model.graph.node[2].op_type = "Magic"
    with pytest.raises(la.ModelError, match=r"magic\.onnx: onnxruntime cannot load it: .*Magic"):
        la.ImageEmbedder(write(tmp_path / "magic.onnx", model))
    model = mean_colour()
    model.opset_import[0].version = 9999
    with pytest.raises(la.ModelError, match=r"future\.onnx: onnxruntime cannot load it: .*9999"):
        la.ImageEmbedder(write(tmp_path / "future.onnx", model))


def test_a_file_that_is_not_built_says_what_builds_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, build='"python models/mine/export.py"')
    (folder / "colour.onnx").unlink()
    for model in (folder, folder / "colour.onnx"):
        with pytest.raises(la.ModelError, match=r"colour\.onnx cannot .*makes it: python models/mine"):
            la.ImageEmbedder(model)

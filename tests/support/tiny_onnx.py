"""ONNX models small enough for tests: an image's mean colour, in any layout and dtype."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

SIZE = 8


def mean_colour(
    dtype: str = "uint8",
    layout: str = "NHWC",
    size: int | str = SIZE,
    batch: int | str = "n",
    scale: float = 1.0,
    keep: bool = False,
) -> onnx.ModelProto:
    """A graph from images to (n, 3): the mean of each channel, times scale; `keep` keeps four dimensions."""
    shape = [batch, size, size, 3] if layout == "NHWC" else [batch, 3, size, size]
    axes = [1, 2] if layout == "NHWC" else [2, 3]
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=axes, keepdims=int(keep)),
        helper.make_node("Mul", ["means", "scale"], ["colours"]),
    ]
    kind = {"uint8": TensorProto.UINT8, "float16": TensorProto.FLOAT16, "float32": TensorProto.FLOAT}[dtype]
    graph = helper.make_graph(
        nodes,
        "mean-colour",
        [helper.make_tensor_value_info("images", kind, shape)],
        [helper.make_tensor_value_info("colours", TensorProto.FLOAT, None)],
        [helper.make_tensor("scale", TensorProto.FLOAT, [], [scale])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def write(path: Path, model: onnx.ModelProto) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def write_folder(folder: Path, model: onnx.ModelProto | None = None, **changes: str | None) -> Path:
    """A model folder; `changes` replace lines of its model.toml (dots written as __), or drop them (None)."""
    folder.mkdir(parents=True, exist_ok=True)
    data = (model or mean_colour()).SerializeToString()
    (folder / "colour.onnx").write_bytes(data)
    lines = {
        "name": '"mean-colour"',
        "dim": "3",
        "license": '"Apache-2.0"',
        "source": '"made by the tests"',
        "files__main__file": '"colour.onnx"',
        "files__main__sha256": f'"{hashlib.sha256(data).hexdigest()}"',
        "input__size": str(SIZE),
        "input__filter": '"box"',
    } | changes
    text = [f"{key.replace('__', '.')} = {value}" for key, value in lines.items() if value is not None]
    (folder / "model.toml").write_text("\n".join(text))
    return folder


def flat(colour: tuple[int, int, int], size: int = 16) -> np.ndarray:
    """An image of one colour, uint8 (size, size, 3)."""
    return np.full((size, size, 3), colour, np.uint8)

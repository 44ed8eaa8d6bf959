"""A convolutional network in an ONNX file, small enough for tests: plain, or quantised (QDQ)."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 12


def graph(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray]) -> bytes:
    """A model from uint8 images to "vectors"."""
    made = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIZE, SIZE, 3])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 13)]
    return helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString()


def network(quantised: bool) -> bytes:
    """Two convolutions, padded unevenly and by group, bridged by an addition."""
    node, random = helper.make_node, np.random.default_rng(0)

    def weights(scale: float, *shape: int) -> np.ndarray:
        return random.normal(0, scale, shape).astype(np.float32)

    constants = {
        "px.scale": np.float32(1 / 64), "px.zero": np.uint8(127), "low": np.float32(0), "high": np.float32(6),
        "w1": weights(0.4, 8, 3, 3, 3), "b1": weights(1, 8),
        "w2": weights(0.4, 8, 1, 3, 3), "b2": weights(1, 8),
    }  # fmt: skip
    nodes = [
        node("Transpose", ["images"], ["planes"], perm=[0, 3, 1, 2]),
        node("DequantizeLinear", ["planes", "px.scale", "px.zero"], ["pixels"]),
    ]
    weight = "w1"
    if quantised:
        scale = np.abs(constants["w1"]).max((1, 2, 3)) / 127
        constants |= {
            "w1": np.round(constants["w1"] / scale[:, None, None, None]).astype(np.int8),
            "w1.scale": scale, "w1.zero": np.zeros(8, np.int8),
            "q.scale": np.float32(1e-4), "q.zero": np.int8(-128),
        }  # fmt: skip
        weight = "w1.float"
        nodes += [node("DequantizeLinear", ["w1", "w1.scale", "w1.zero"], [weight], axis=0)]
    nodes += [
        node("Conv", ["pixels", weight, "b1"], ["c1"], strides=[2, 2], pads=[0, 0, 1, 1]),
        node("Clip", ["c1", "low", "high"], ["a1"]),
        node("Conv", ["a1", "w2", "b2"], ["c2"], pads=[1, 1, 1, 1], group=8),
        node("Add", ["c2", "a1"], ["sum"]),
    ]
    if quantised:
        # A step so small that rounding does not show, and a range so small that clipping does.
        nodes += [
            node("QuantizeLinear", ["sum", "q.scale", "q.zero"], ["levels"]),
            node("DequantizeLinear", ["levels", "q.scale", "q.zero"], ["last"]),
        ]
    nodes += [
        node("GlobalAveragePool", ["last" if quantised else "sum"], ["pooled"]),
        node("Flatten", ["pooled"], ["vectors"], axis=1),
    ]
    return graph(nodes, constants)

"""An ONNX file's network rebuilt in PyTorch gives what onnxruntime gives, and can learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

import lookalike as la
from lookalike.embed.onnx_session import OnnxSession
from lookalike.train.onnx_network import torch_network

SHAPE = (2, 12, 12, 3)


def graph(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray]) -> bytes:
    """A model from uint8 images to "vectors"."""
    made = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", *SHAPE[1:]])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8
    ).SerializeToString()


def network(quantised: bool) -> bytes:
    """Two convolutions, padded unevenly and by group, bridged by an addition: plain, or between Q and DQ."""
    node, random = helper.make_node, np.random.default_rng(0)

    def weights(scale: float, *shape: int) -> np.ndarray:
        return random.normal(0, scale, shape).astype(np.float32)

    constants = {
        "px.scale": np.float32(1 / 64), "px.zero": np.uint8(127), "low": np.float32(0), "high": np.float32(6),
        "w1": weights(0.4, 8, 3, 3, 3), "b1": weights(1, 8), "w2": weights(0.4, 8, 1, 3, 3), "b2": weights(1, 8),
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
        node(
            "Conv", ["pixels", weight, "b1"], ["c1"], strides=[2, 2], pads=[0, 0, 1, 1], kernel_shape=[3, 3]
        ),
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


@pytest.mark.parametrize("quantised", [False, True])
def test_it_gives_what_onnxruntime_gives(quantised: bool) -> None:
    data = network(quantised)
    images = np.random.default_rng(1).integers(0, 256, SHAPE, np.uint8)
    expected = OnnxSession(data, "net", "cpu").run(images, "vectors")
    with torch.no_grad():
        found = torch_network(data, "net")(torch.from_numpy(images).float()).numpy()
    assert expected.std() > 0
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_shipped_model_comes_out_nearly_alike() -> None:
    card = la.ImageEmbedder("efficientnet-lite0", device="cpu").card
    photos = sorted((Path(__file__).parents[2] / "examples" / "photos").glob("flower-*.jpg"))[:3]
    expected = la.ImageEmbedder("efficientnet-lite0", threads=1).embed(photos)
    from lookalike.train.examples import Examples
    from lookalike.train.pictures import read_pictures

    pictures, _ = read_pictures(Examples(photos, np.zeros(3, int), ["flower"]), 224, (), 1, False)
    with torch.no_grad():
        images = pictures.plain(np.arange(3)).permute(0, 2, 3, 1)
        found = torch_network(card.read(), card.name)(images).numpy()
    cosines = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    # It rounds activations to 8 bits, here nothing is rounded.
    assert cosines.min() > 0.99


def test_its_weights_learn() -> None:
    net = torch_network(network(True), "net")
    assert sum(weight.numel() for weight in net.parameters()) == 8 * 27 + 8 + 8 * 9 + 8
    net(torch.rand(SHAPE) * 255).sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


def test_what_cannot_be_read_is_named() -> None:
    data = graph([helper.make_node("Sin", ["images"], ["vectors"], name="wave")], {})
    with pytest.raises(la.Unsupported, match=r"operation Sin \('wave'\)"):
        torch_network(data, "net")
    with pytest.raises(la.ModelError, match="not an ONNX file"):
        torch_network(b"?", "net")

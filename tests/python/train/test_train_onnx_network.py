"""An ONNX file's network rebuilt in PyTorch gives what onnxruntime gives, and can learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from onnx import helper
from tiny_network import SIZE, graph, network

import lookalike as la
from lookalike.embed.runtime.session import OnnxSession
from lookalike.train.nets.onnx_network import torch_network


@pytest.mark.parametrize("quantised", [False, True])
def test_it_gives_what_onnxruntime_gives(quantised: bool) -> None:
    data = network(quantised)
    images = np.random.default_rng(1).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    expected = OnnxSession(data, "net", "cpu").run(images, "vectors")
    with torch.no_grad():
        found = torch_network(data, "net")(torch.from_numpy(images).float()).numpy()
    assert expected.std() > 0
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_shipped_model_comes_out_nearly_alike() -> None:
    card = la.ImageEmbedder("efficientnet-lite0", device="cpu").card
    photos = sorted((Path(__file__).parents[3] / "examples" / "photos").glob("flower-*.jpg"))[:3]
    expected = la.ImageEmbedder("efficientnet-lite0", threads=1).embed(photos)
    from lookalike.train.data.examples import Examples
    from lookalike.train.data.pictures import read_pictures

    pictures, _ = read_pictures(Examples(photos, np.zeros(3, int), ["flower"]), 224, 256, (), 1, False)
    with torch.no_grad():
        images = pictures.plain(np.arange(3)).permute(0, 2, 3, 1)
        found = torch_network(card.read(), card.name)(images).numpy()
    cosines = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    # It rounds activations to 8 bits, here nothing is rounded.
    assert cosines.min() > 0.99


def test_its_weights_learn() -> None:
    net = torch_network(network(True), "net")
    assert sum(weight.numel() for weight in net.parameters()) == 8 * 27 + 8 + 8 * 9 + 8
    # So many that the output's small range cannot clip everything, and with it every gradient.
    images = np.random.default_rng(1).integers(0, 256, (64, SIZE, SIZE, 3), np.uint8)
    net(torch.from_numpy(images).float()).sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


def test_what_cannot_be_read_is_named() -> None:
    data = graph([helper.make_node("Sin", ["images"], ["vectors"], name="wave")], {})
    with pytest.raises(la.Unsupported, match=r"operation Sin \('wave'\)"):
        torch_network(data, "net")
    with pytest.raises(la.ModelError, match="not an ONNX file"):
        torch_network(b"?", "net")

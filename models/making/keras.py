"""A convolutional network as Keras configures it, made into a list of layers, or run by PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (everybody calls it so)

from .network import PIXELS, Concat, Conv, Layer, Pool


@dataclass(frozen=True)
class Node:
    """One Keras layer: its class, its configuration, and where its input comes from."""

    name: str
    kind: str
    config: dict[str, Any]
    sources: tuple[str, ...]

    @property
    def stride(self) -> int:
        """The step, which is the same both ways."""
        down, right = self.config["strides"]
        assert down == right
        return down

    def pads(self, height: int, width: int) -> tuple[int, int]:
        """How much is added above and below, left and right, of a window of this size."""
        if self.config["padding"] == "valid":
            return 0, 0
        assert self.stride == 1 and height % 2 == width % 2 == 1, "the padding would not be even"
        return height // 2, width // 2


def nodes_until(layers: list[dict[str, Any]], last: str) -> list[Node]:
    """Return what a layer's result depends on, in the order it runs."""
    nodes = {
        layer["name"]: Node(
            layer["name"],
            layer["class_name"],
            layer["config"],
            tuple(source[0] for source in (layer["inbound_nodes"] or [[]])[0]),
        )
        for layer in layers
    }
    needed, open_ends = set(), [last]
    while open_ends:
        name = open_ends.pop()
        if name not in needed:
            needed.add(name)
            open_ends += nodes[name].sources
    return [node for name, node in nodes.items() if name in needed]


def layers_of(nodes: list[Node], weights: dict[str, np.ndarray]) -> list[Layer]:
    """Write the network down; a convolution, its normalisation and its ReLU become one layer."""
    layers: list[Layer] = []
    # Convolutions that wait for what follows them: weight and bias.
    waiting: dict[str, tuple[Node, np.ndarray, np.ndarray]] = {}
    names = {node.name: PIXELS if node.kind == "InputLayer" else node.name for node in nodes}
    for node in nodes:
        sources = tuple(names[source] for source in node.sources)
        if node.kind == "Conv2D":
            kernel = weights[f"{node.name}/kernel"].transpose(3, 2, 0, 1).astype(np.float64)
            waiting[node.name] = node, kernel, np.zeros(len(kernel))
        elif node.kind == "BatchNormalization":
            conv, kernel, bias = waiting.pop(node.sources[0])
            mean, variance, beta = norm_of(node, weights)
            scale = 1 / np.sqrt(variance.astype(np.float64) + node.config["epsilon"])
            waiting[node.name] = conv, kernel * scale[:, None, None, None], beta + (bias - mean) * scale
        elif node.kind == "Activation":
            conv, kernel, bias = waiting.pop(node.sources[0])
            kernel, bias = np.ascontiguousarray(kernel, np.float32), bias.astype(np.float32)
            pads = conv.pads(*kernel.shape[2:]) * 2
            layers.append(Conv(node.name, names[conv.sources[0]], kernel, bias, conv.stride, pads, "relu"))
        elif node.kind in ("MaxPooling2D", "AveragePooling2D"):
            kind, side = ("max" if node.kind[0] == "M" else "average"), node.config["pool_size"][0]
            layers.append(Pool(node.name, *sources, kind, side, node.stride, node.pads(side, side) * 2))
        elif node.kind == "Concatenate":
            layers.append(Concat(node.name, sources))
        else:
            assert node.kind == "InputLayer", f"{node.kind} is not known"
    assert not waiting
    return layers


@torch.no_grad()
def run_by_torch(nodes: list[Node], weights: dict[str, np.ndarray], images: torch.Tensor) -> torch.Tensor:
    """Return the last layer's result, step by step as Keras has it: (n, channels, height, width)."""
    results: dict[str, torch.Tensor] = {}
    for node in nodes:
        sources = [results[source] for source in node.sources]
        if node.kind == "InputLayer":
            result = images
        elif node.kind == "Conv2D":
            kernel = torch.from_numpy(weights[f"{node.name}/kernel"]).permute(3, 2, 0, 1)
            result = F.conv2d(*sources, kernel, stride=node.stride, padding=node.pads(*kernel.shape[2:]))
        elif node.kind == "BatchNormalization":
            mean, variance, beta = map(torch.from_numpy, norm_of(node, weights))
            result = F.batch_norm(*sources, mean, variance, bias=beta, eps=node.config["epsilon"])
        elif node.kind == "Activation":
            result = F.relu(*sources)
        elif node.kind == "MaxPooling2D":
            result = F.max_pool2d(*sources, node.config["pool_size"], node.stride)
        elif node.kind == "AveragePooling2D":
            side = node.config["pool_size"]
            pads = node.pads(*side)
            result = F.avg_pool2d(*sources, side, node.stride, pads, count_include_pad=False)
        else:
            result = torch.cat(sources, 1)
        results[node.name] = result
    return results[nodes[-1].name]


def norm_of(node: Node, weights: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Mean, variance and shift of a normalisation, which has no scale here."""
    assert node.config["center"] and not node.config["scale"]
    return [weights[f"{node.name}/{part}"] for part in ("moving_mean", "moving_variance", "beta")]

"""EfficientNet-Lite as PyTorch has it, made into a list of layers.

The network is a plain chain of convolutions, some bridged by an addition. It takes (x - 127) / 128, which is
dequantising with scale 1/128 and zero point 127, so preprocessing costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

from .network import PIXELS, Add, Conv, Dequantized, Layer, Network


def load(name: str, weights: str) -> EfficientNet:
    """Return the published network with its published weights."""
    return EfficientNet.from_pretrained(name, weights).eval()


def network_of(model: EfficientNet, name: str, side: int) -> Network:
    """Write the network down, from the stem to the head; the classifier is left out."""
    layers: list[Layer] = [fold("stem", PIXELS, model._conv_stem, model._bn0, "relu6")]
    for i, block in enumerate(model._blocks):
        entry = layers[-1].name
        if block._block_args.expand_ratio != 1:
            layers.append(fold(f"{i}.expand", entry, block._expand_conv, block._bn0, "relu6"))
        layers.append(fold(f"{i}.depthwise", layers[-1].name, block._depthwise_conv, block._bn1, "relu6"))
        layers.append(fold(f"{i}.project", layers[-1].name, block._project_conv, block._bn2, "none"))
        args = block._block_args
        if block.id_skip and args.stride == 1 and args.input_filters == args.output_filters:
            layers.append(Add(f"{i}.add", layers[-1].name, entry))
    layers.append(fold("head", layers[-1].name, model._conv_head, model._bn1, "relu6"))
    dim = model._conv_head.out_channels
    return Network(name, side, dim, Dequantized(np.float32(1 / 128), np.uint8(127)), layers)


def fold(name: str, source: str, conv, norm, activation: Literal["none", "relu6"]) -> Conv:
    """Fold batch normalisation into the convolution before it."""
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    weight = conv.weight.double() * scale[:, None, None, None]
    bias = norm.bias.double() - norm.running_mean.double() * scale
    left, right, top, bottom = getattr(conv.static_padding, "padding", (0, 0, 0, 0))
    weight, bias = (part.detach().numpy().astype(np.float32) for part in (weight, bias))
    return Conv(name, source, weight, bias, conv.stride[0], (top, left, bottom, right), activation)


def run_by_torch(model: EfficientNet) -> Callable[[np.ndarray], np.ndarray]:
    """Return what PyTorch makes of images, as a function."""

    @torch.no_grad()
    def embed(images: np.ndarray) -> np.ndarray:
        pixels = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127) / 128
        return torch.cat([model.extract_features(p[None]).mean((2, 3)) for p in pixels]).numpy()

    return embed

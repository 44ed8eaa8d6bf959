"""A network as a list of layers in the order they run, batch normalisation already folded into convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

#: The name by which layers call the prepared input.
PIXELS = "pixels"


@dataclass(frozen=True)
class Dequantized:
    """Pixels as (x - zero) * scale: what a DequantizeLinear does, so an int8 graph starts from the pixels."""

    scale: np.float32
    zero: np.uint8


@dataclass(frozen=True)
class Centred:
    """Pixels as x - mean, of red, green and blue: more than one DequantizeLinear can say."""

    mean: tuple[float, float, float]


@dataclass(frozen=True)
class Conv:
    """A convolution, and what its results go through; weights as (out, in, height, width)."""

    name: str
    source: str
    weight: np.ndarray
    bias: np.ndarray
    stride: int
    pads: tuple[int, int, int, int]
    activation: Literal["none", "relu", "relu6"]

    @property
    def depthwise(self) -> bool:
        """Whether each channel is convolved by itself."""
        return self.weight.shape[1] == 1

    @property
    def attributes(self) -> dict[str, object]:
        """What an ONNX Conv node is told."""
        return {
            "strides": [self.stride] * 2,
            "pads": list(self.pads),
            "group": len(self.weight) if self.depthwise else 1,
            "kernel_shape": list(self.weight.shape[2:]),
        }


@dataclass(frozen=True)
class Pool:
    """The maximum or the average of a window; what lies outside the image is not counted."""

    name: str
    source: str
    kind: Literal["max", "average"]
    side: int
    stride: int
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def op(self) -> str:
        """The ONNX node that does it."""
        return "MaxPool" if self.kind == "max" else "AveragePool"

    @property
    def attributes(self) -> dict[str, object]:
        """What that node is told."""
        return {"kernel_shape": [self.side] * 2, "strides": [self.stride] * 2, "pads": list(self.pads)}


@dataclass(frozen=True)
class Add:
    """A residual connection: left + right."""

    name: str
    left: str
    right: str


@dataclass(frozen=True)
class Concat:
    """Channels of several layers, one after the other."""

    name: str
    sources: tuple[str, ...]


Layer = Conv | Pool | Add | Concat


@dataclass(frozen=True)
class Network:
    """Layers, what goes in (uint8 RGB of side x side) and how the last layer becomes a vector of dim."""

    name: str
    side: int
    dim: int
    pixels: Dequantized | Centred
    layers: list[Layer]
    pooling: Literal["average", "max"] = "average"

"""A network spelled out in QDQ form: uint8 activations, int8 weights with one scale for each channel.

Jacob et al. (2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference") is where this comes from; the scales are found afterwards, not trained.
"""

from __future__ import annotations

import numpy as np
import onnx

from .graph import Graph
from .network import PIXELS, Add, Concat, Conv, Dequantized, Network, Pool

#: (scale, zero point) of a layer's result.
Scale = tuple[np.float32, np.uint8]


def int8_graph(network: Network, scales: dict[str, Scale]) -> onnx.ModelProto:
    """Spell the network out in QDQ form.

    No activation is written: a ReLU's range begins at 0, and a ReLU6's ends at 6 or below, so quantising does
    the clipping.
    """
    graph = Graph(network)
    scales = dict(scales)
    if isinstance(network.pixels, Dequantized):
        scales[PIXELS] = network.pixels.scale, network.pixels.zero
    for layer in network.layers:
        raw = f"{layer.name}.raw"
        match layer:
            case Add():
                graph.node("Add", [layer.left, layer.right], raw)
            case Concat():
                graph.node("Concat", layer.sources, raw, axis=1)
            case Pool():
                graph.node(layer.op, [layer.source], raw, **layer.attributes)
                # A maximum is one of its values and needs no scale of its own.
                if layer.kind == "max":
                    scales[layer.name] = scales[layer.source]
            case Conv():
                convolve(graph, layer, scales.get(layer.source))
        graph.quantize(raw, layer.name, *scales[layer.name])
    return graph.close(network.layers[-1].name)


def convolve(graph: Graph, layer: Conv, source: Scale | None) -> None:
    """Append a convolution with int8 weights; it keeps float ones where its input has no scale."""
    names = [f"{layer.name}.weight", f"{layer.name}.bias"]
    if source is None:
        graph.constant(names[0], layer.weight)
        graph.constant(names[1], layer.bias)
    else:
        levels, step = quantize_weight(layer, source[0])
        bias_step = step * source[0]
        bias = np.round(layer.bias / bias_step).astype(np.int32)
        codes = graph.constant(f"{layer.name}.codes", levels)
        graph.dequantize(codes, names[0], step, np.zeros(len(step), np.int8), axis=0)
        codes = graph.constant(f"{layer.name}.bias_codes", bias)
        graph.dequantize(codes, names[1], bias_step, np.zeros(len(step), np.int32), axis=0)
    graph.node("Conv", [layer.source, *names], f"{layer.name}.raw", **layer.attributes)


def quantize_weight(layer: Conv, source_scale: np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric int8 levels for each output channel, and their scales.

    CPUs without VNNI add two u8 x s8 products in 16 saturating bits, which 7-bit weights cannot overflow;
    depthwise convolutions do not go that way and keep all 8 bits.
    """
    top = 127 if layer.depthwise else 63
    largest = np.abs(layer.weight).max(axis=(1, 2, 3))
    # A dead channel has next to no weight: its step is what lets its bias fit into 32 bits.
    step = np.maximum(largest / top, np.abs(layer.bias) / source_scale / 2**30).astype(np.float32)
    return np.round(layer.weight / step[:, None, None, None]).clip(-top, top).astype(np.int8), step

"""A network spelled out in float32."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from .graph import Graph
from .network import Add, Concat, Conv, Network, Pool


def float_graph(network: Network, watch: Sequence[str] = ()) -> onnx.ModelProto:
    """Spell the network out in float32; `watch` names layers whose results become outputs too."""
    graph = Graph(network)
    if any(isinstance(layer, Conv) and layer.activation == "relu6" for layer in network.layers):
        graph.constant("zero", np.float32(0))
        graph.constant("six", np.float32(6))
    for layer in network.layers:
        match layer:
            case Add():
                graph.node("Add", [layer.left, layer.right], layer.name)
            case Concat():
                graph.node("Concat", layer.sources, layer.name, axis=1)
            case Pool():
                graph.node(layer.op, [layer.source], layer.name, **layer.attributes)
            case Conv():
                convolve(graph, layer)
    return graph.close(network.layers[-1].name, watch)


def convolve(graph: Graph, layer: Conv) -> None:
    """Append a convolution in float32, and its activation."""
    weight = graph.constant(f"{layer.name}.weight", layer.weight)
    bias = graph.constant(f"{layer.name}.bias", layer.bias)
    raw = layer.name if layer.activation == "none" else f"{layer.name}.raw"
    graph.node("Conv", [layer.source, weight, bias], raw, **layer.attributes)
    if layer.activation == "relu6":
        graph.node("Clip", [raw, "zero", "six"], layer.name)
    elif layer.activation == "relu":
        graph.node("Relu", [raw], layer.name)

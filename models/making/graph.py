"""The ONNX graph in the making: nodes and constants, and what goes in and comes out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .network import PIXELS, Centred, Network

OPSET = 13


class Graph:
    """Collects nodes and constants, and closes them into a model that maps images to embeddings."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._pixels()

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes) -> str:
        """Append a node; its result bears its name."""
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value) -> str:
        """Keep a constant under a name."""
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def dequantize(self, source: str, output: str, scale, zero, **attributes) -> str:
        """Append a DequantizeLinear of these scales."""
        parts = [source, self.constant(f"{output}.scale", scale), self.constant(f"{output}.zero", zero)]
        return self.node("DequantizeLinear", parts, output, **attributes)

    def quantize(self, source: str, output: str, scale, zero) -> str:
        """Append a QuantizeLinear of these scales, and its inverse, which bears the name."""
        parts = [source, self.constant(f"{output}.q.scale", scale), self.constant(f"{output}.q.zero", zero)]
        return self.dequantize(self.node("QuantizeLinear", parts, f"{output}.q"), output, scale, zero)

    def close(self, features: str, watch: Sequence[str] = ()) -> onnx.ModelProto:
        """Pool over the image and finish; `watch` names further outputs."""
        network = self.network
        pooling = "GlobalAveragePool" if network.pooling == "average" else "GlobalMaxPool"
        self.node("Flatten", [self.node(pooling, [features], "pooled")], "embeddings", axis=1)
        shape = ["n", network.side, network.side, 3]
        images = helper.make_tensor_value_info("images", TensorProto.UINT8, shape)
        outputs = [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", network.dim])]
        outputs += [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", None, None, None]) for name in watch
        ]
        graph = helper.make_graph(self.nodes, network.name, [images], outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        model.producer_name = "lookalike"
        onnx.checker.check_model(model, full_check=True)
        return model

    def _pixels(self) -> None:
        """Turn the images into the planes the first layer takes."""
        planes, how = self.node("Transpose", ["images"], "planes", perm=[0, 3, 1, 2]), self.network.pixels
        if isinstance(how, Centred):
            mean = self.constant("mean", np.array(how.mean, np.float32).reshape(1, 3, 1, 1))
            self.node("Sub", [self.node("Cast", [planes], "floats", to=TensorProto.FLOAT), mean], PIXELS)
        else:
            self.dequantize(planes, PIXELS, how.scale, how.zero)

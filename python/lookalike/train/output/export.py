"""What was learned as an ONNX file: images in, as they were decoded; vectors of length 1 out."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...embed.image.card import ModelCard
from ..extras import Module, Tensor, functional, onnx, torch

#: The tensor that comes out.
OUTPUT = "vectors"
_PREFIX = "lookalike.head."


def append_head(base: ModelCard, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> bytes:
    """Return the base's graph with a linear map (dim, d) on its vectors, scaled to length 1.

    Nothing of the base changes; where it was quantised it still is.
    """
    model = onnx.load_model_from_string(base.read())
    graph, helper = model.graph, onnx.helper
    names = [output.name for output in graph.output]
    features = base.output or names[0]
    constants = {"weight": weight, "bias": bias}
    graph.initializer.extend(
        onnx.numpy_helper.from_array(value, _PREFIX + key) for key, value in constants.items()
    )

    def node(op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        graph.node.append(helper.make_node(op, inputs, [output], name=_PREFIX + op, **attributes))
        return output

    flat = node("Flatten", [features], _PREFIX + "flat", axis=1)
    if base.normalize:
        flat = node("LpNormalization", [flat], _PREFIX + "unit", axis=1, p=2)
    mapped = node("Gemm", [flat, _PREFIX + "weight", _PREFIX + "bias"], _PREFIX + "mapped", transB=1)
    node("LpNormalization", [mapped], OUTPUT, axis=1, p=2)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, ["n", len(weight)]))
    model.producer_name = "lookalike"
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Limit a logger to errors: it reports every optional package that is missing."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def export_network(network: Module, size: int) -> bytes:
    """Return a graph from uint8 images (n, size, size, 3) to the network's vectors, scaled to length 1."""

    class Whole(torch.nn.Module):  # type: ignore[misc]
        """The network between what images are and what vectors shall be."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: Tensor) -> Tensor:
            return functional.normalize(self.network(images.permute(0, 3, 1, 2).float()))

    file = io.BytesIO()
    two = torch.zeros((2, size, size, 3), dtype=torch.uint8)
    with warnings.catch_warnings(), _quiet("torch.onnx"):
        # PyTorch warns of its own making; what counts, the vectors, is compared afterwards.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Whole().eval(),
            (two,),
            file,
            input_names=["images"],
            output_names=[OUTPUT],
            dynamic_shapes={"images": {0: torch.export.Dim("n")}},
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    return file.getvalue()

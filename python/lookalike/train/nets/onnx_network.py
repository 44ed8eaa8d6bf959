"""A network of an ONNX file in PyTorch, weights and all, so that it can learn on.

Plain convolutional networks can be read, as they were written or quantised (QDQ): the steps in `_STEPS`. Of a
quantised file the weights are what their levels mean. Its activations are clipped to the range they were
quantised in, which is how a ReLU6 survives there, and no longer rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError, Unsupported
from ..extras import Module, Tensor, functional, onnx, torch

Constants = Mapping[str, NDArray[Any]]
_Run = Callable[..., Tensor]


@dataclass(frozen=True)
class _Step:
    """One node: its operation, its tensors, and which of them no later node reads."""

    run: _Run
    inputs: Sequence[str]
    output: str
    forget: Sequence[str] = ()


def torch_network(data: bytes, name: str, output: str | None = None) -> Module:
    """Return a module that does what the graph in these bytes does, with its weights as parameters.

    It takes float32 where the graph takes uint8. `name` is what errors call the model, `output` the tensor it
    gives: the graph's first output when left out.

    Raises
    ------
    ModelError
        The bytes are no ONNX graph.
    Unsupported
        The graph holds an operation that cannot be read; the message names it.
    """
    try:
        graph = onnx.load_model_from_string(data).graph
    except Exception as error:
        raise ModelError(f"model {name}: is not an ONNX file: {error}") from None
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    steps, weights = _read(graph, constants, name)
    images_name, result = graph.input[0].name, output or graph.output[0].name
    steps = _forgetting(steps, result)

    class OnnxNetwork(torch.nn.Module):  # type: ignore[misc]
        """The steps of a graph, one after the other."""

        def __init__(self) -> None:
            super().__init__()
            # By number: names of parameters must not hold dots, names in graphs do.
            self.weights = torch.nn.ParameterList(torch.from_numpy(v.copy()) for v in weights.values())

        def forward(self, images: Tensor) -> Tensor:
            values = dict(zip(weights, self.weights, strict=True))
            values[images_name] = images
            for step in steps:
                values[step.output] = step.run(*[values[name] for name in step.inputs])
                for name in step.forget:
                    del values[name]
            return values[result]

    return OnnxNetwork()


def _read(graph: Any, constants: dict[str, NDArray[Any]], name: str) -> tuple[list[_Step], Constants]:
    """Turn nodes into steps; what depends on constants only becomes a constant."""
    steps: list[_Step] = []
    weights: dict[str, NDArray[Any]] = {}
    quantised: set[str] = set()
    for node in graph.node:
        first, output = node.input[0], node.output[0]
        if node.op_type == "DequantizeLinear" and first in constants:
            constants[output] = _dequantised(node, constants)
            continue
        if node.op_type == "DequantizeLinear" and first in quantised:
            steps.append(_Step(_same, [first], output))
            continue
        if node.op_type == "QuantizeLinear":
            quantised.add(output)
        if node.op_type not in _STEPS:
            raise Unsupported(
                f"model {name}: cannot be learned on: its operation {node.op_type} ({node.name!r}) cannot "
                f"be read; it must be one of {', '.join(sorted(_STEPS))}"
            )
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        learned = [i for i in node.input[1:] if node.op_type in _LEARNED and i in constants]
        weights |= {key: constants[key] for key in learned}
        fixed = [constants[i] for i in node.input[1:] if i in constants and i not in learned]
        inputs = [i for i in node.input if i and (i in learned or i not in constants)]
        steps.append(_Step(_STEPS[node.op_type](attributes, fixed), inputs, output))
    return steps, weights


def _forgetting(steps: list[_Step], result: str) -> list[_Step]:
    """Let every step forget what no later one needs: activations are large."""
    needed, done = {result}, []
    for step in reversed(steps):
        last = [name for name in dict.fromkeys(step.inputs) if name not in needed]
        done.append(_Step(step.run, step.inputs, step.output, last))
        needed.update(step.inputs)
    return done[::-1]


def _dequantised(node: Any, constants: Constants) -> NDArray[np.float32]:
    """(levels - zero) * scale, along one axis where each channel has its own."""
    levels, scale, zero = (constants[name] for name in [*node.input, *[""] * (3 - len(node.input))] if name)
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
    if scale.ndim:
        shape = [-1 if d == axis % levels.ndim else 1 for d in range(levels.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return ((levels.astype(np.float32) - zero.astype(np.float32)) * scale).astype(np.float32)


def _same(value: Tensor) -> Tensor:
    return value


def _conv(attributes: dict[str, Any], fixed: list[Any]) -> _Run:
    if attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
        raise Unsupported("a convolution with auto_pad cannot be read; it must have pads")
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    options = {
        "stride": tuple(attributes.get("strides", (1, 1))),
        "dilation": tuple(attributes.get("dilations", (1, 1))),
        "groups": attributes.get("group", 1),
    }
    even = top == bottom and left == right

    def run(value: Tensor, weight: Tensor, bias: Tensor = None) -> Tensor:
        if even:
            return functional.conv2d(value, weight, bias, padding=(top, left), **options)
        return functional.conv2d(functional.pad(value, (left, right, top, bottom)), weight, bias, **options)

    return run


def _clip(attributes: dict[str, Any], fixed: list[Any]) -> _Run:
    low, high = [float(limit) for limit in fixed] or [attributes["min"], attributes["max"]]
    return lambda value: value.clamp(low, high)


def _quantise(attributes: dict[str, Any], fixed: list[Any]) -> _Run:
    scale, zero = fixed
    levels = np.iinfo(zero.dtype)
    low, high = (float((level - int(zero)) * scale) for level in (levels.min, levels.max))
    return lambda value: value.clamp(low, high)


def _dequantise_input(attributes: dict[str, Any], fixed: list[Any]) -> _Run:
    scale, zero = fixed
    return lambda value: (value - float(zero)) * float(scale)


def _transpose(attributes: dict[str, Any], fixed: list[Any]) -> _Run:
    order = tuple(attributes["perm"])
    return lambda value: value.permute(order)


# What is read, and which of it has weights. An operation is a line here.
_STEPS: dict[str, Callable[[dict[str, Any], list[Any]], _Run]] = {
    "Add": lambda attributes, fixed: torch.add,
    "Clip": _clip,
    "Conv": _conv,
    "DequantizeLinear": _dequantise_input,
    "Flatten": lambda attributes, fixed: lambda value: value.flatten(1),
    "GlobalAveragePool": lambda attributes, fixed: lambda value: value.mean((2, 3), keepdim=True),
    "Identity": lambda attributes, fixed: _same,
    "QuantizeLinear": _quantise,
    "Relu": lambda attributes, fixed: torch.relu,
    "Transpose": _transpose,
}
_LEARNED = {"Conv"}

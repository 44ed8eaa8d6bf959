"""The same graph in fewer bits: int8 for CPUs, float16 for GPUs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .graph import INPUT
from .quiet import quiet

# Made of these, a network is a transformer: what lies between its products loses too much in 8 bits.
_DELICATE = {"LayerNormalization", "Softmax", "Attention", "Erf", "Gelu"}
_PRODUCTS = ["Conv", "MatMul", "Gemm"]


def write_int8(source: Path, target: Path, squares: NDArray[np.uint8]) -> None:
    """Write a static int8 graph (QDQ), its ranges taken from the values these pictures give.

    Weights have a scale a channel and 7 bits: a CPU without VNNI adds two products in 16 bits that saturate,
    and 7 bits cannot overflow them. Raises ModelError where the quantiser fails.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, quiet():
        ready = Path(folder) / "ready.onnx"
        try:
            quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
            delicate, first = _look_at(ready)
            quantize_static(
                str(ready),
                str(target),
                _Reader(squares),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=_PRODUCTS if delicate else None,
                nodes_to_exclude=first,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
            )
        # The quantiser says what it cannot do with nearly every exception there is.
        except Exception as error:
            raise ModelError(f"the graph cannot be made int8: {type(error).__name__}: {error}") from error


def write_f16(source: Path, target: Path) -> None:
    """Write the graph in float16; images stay uint8 and vectors float32."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with quiet():
        try:
            half = convert_float_to_float16(onnx.load(str(source)), keep_io_types=True)
        except Exception as error:
            raise ModelError(f"the graph cannot be made float16: {type(error).__name__}: {error}") from error
    target.write_bytes(half.SerializeToString(deterministic=True))


def _look_at(path: Path) -> tuple[bool, list[str]]:
    """Whether a graph is a transformer, and the names of the nodes that normalise pixels."""
    import onnx

    nodes = onnx.load(str(path)).graph.node
    names, values = [], {INPUT}
    for node in nodes:
        if node.op_type in ("Transpose", "Cast", "Mul", "Add", "Sub", "Div") and values & set(node.input):
            names.append(node.name)
            values |= set(node.output)
        elif node.op_type in _PRODUCTS:
            break
    return any(node.op_type in _DELICATE for node in nodes), names


class _Reader:
    """Hands the pictures to the quantiser one by one."""

    def __init__(self, squares: NDArray[np.uint8]) -> None:
        self._count, self._squares = len(squares), iter(squares)

    def get_next(self) -> dict[str, Any] | None:
        square = next(self._squares, None)
        return None if square is None else {INPUT: square[None]}

    def __len__(self) -> int:
        return self._count

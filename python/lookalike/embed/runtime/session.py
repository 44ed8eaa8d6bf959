"""An ONNX graph on one device. The only file that imports onnxruntime."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# onnxruntime sends telemetry unless this is set before it loads.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
try:
    import onnxruntime  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError("ImageEmbedder needs onnxruntime: pip install 'lookalike[images]'") from error

from ..._checks import must_be
from ...errors import ModelError, Unsupported
from .cuda_memory import has_gpu
from .onnx_file import has_external_data

Device = Literal["auto", "cpu", "cuda"]
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_CUDA_OPTIONS = {
    # The arena grows by what is requested: a batch's memory can be measured, and the rest stays free.
    "arena_extend_strategy": "kSameAsRequested",
    # The usual search tries every way to convolve, for seconds, whenever a batch has a new size.
    "cudnn_conv_algo_search": "HEURISTIC",
    # float32 means float32, so that vectors agree with those of a CPU; float16 models are there for speed.
    "use_tf32": "0",
}
# What runtime, CUDA, cuDNN and cuBLAS say when memory is short; an arena at its limit says "available memory
# of 64 is smaller than requested bytes of 256".
_SHORT_OF_MEMORY = (
    "out of memory",
    "out_of_memory",
    "failed to allocate memory",
    "smaller than requested bytes",
    "alloc_failed",
    "allocation_failed",
    "bad_alloc",
    "bad allocation",
)


class DeviceMemoryError(ModelError):
    """The device's memory does not hold such a batch; a smaller one may do."""


@dataclass(frozen=True)
class TensorInfo:
    """A graph's input or output; a dimension that is not fixed is None."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.name!r}: {self.dtype} {tuple('?' if d is None else d for d in self.shape)}"


class OnnxSession:
    """One ONNX graph on one device; `run` may be called from many threads at once, each works on its own.

    With more than one of `threads`, a run has that many CPUs work on it.
    Raises ModelError where the bytes are no graph that can run, or would read other files, and Unsupported
    where the device is not there, does not start, or has no memory left for the graph.
    """

    def __init__(self, data: bytes, name: str, device: Device = "auto", threads: int = 1) -> None:
        self._name = name
        try:
            external = has_external_data(data)
        except ModelError as error:
            raise ModelError(f"model {name}: {error}") from None
        if external:
            raise ModelError(
                f"model {name}: keeps tensors in other files (external data), which could be any file "
                "of this machine; save it as one file"
            )
        self._session = _open(data, name, device, threads)
        self.device: Device = "cuda" if self._session.get_providers()[0] == _CUDA else "cpu"
        # Images and vectors are bound to the device's memory. A CPU can do that too, and gains nothing.
        self.binds = self.device == "cuda"
        self._memory = self.device
        self.inputs = [_info(tensor) for tensor in self._session.get_inputs()]
        self.outputs = [_info(tensor) for tensor in self._session.get_outputs()]

    @property
    def name(self) -> str:
        """The model's name, for errors."""
        return self._name

    def only_input(self, what: str = "the images") -> TensorInfo:
        """Return the input of a graph that takes one tensor. Raises ModelError where it takes more."""
        if len(self.inputs) != 1:
            raise ModelError(f"model {self._name}: has {len(self.inputs)} inputs; it must have one, {what}")
        return self.inputs[0]

    def output(self, name: str | None) -> TensorInfo:
        """Return the output of that name, or the first. Raises ModelError where there is none."""
        if name is None:
            return self.outputs[0]
        for info in self.outputs:
            if info.name == name:
                return info
        names = [info.name for info in self.outputs]
        raise ModelError(f"model {self._name}: output.name is {name!r}; the graph has {names}")

    def run(self, tensors: NDArray[Any] | Mapping[str, NDArray[Any]], output: str) -> NDArray[Any]:
        """Run the graph on a batch: the tensor of its only input, or all tensors by their names.

        Where the graph's own batch is fixed, the last one is padded.
        """
        feeds = tensors if isinstance(tensors, Mapping) else {self.only_input().name: tensors}
        count = len(next(iter(feeds.values())))
        fixed = self.inputs[0].shape[0] if self.inputs[0].shape else None
        if fixed is None or fixed == count:
            return self._run(feeds, output)
        parts = []
        for start in range(0, count, fixed):
            part = {name: _padded(tensor[start : start + fixed], fixed) for name, tensor in feeds.items()}
            result = self._run(part, output)
            if result.shape[:1] != (fixed,):
                raise ModelError(
                    f"model {self._name}: output {output!r} is {result.dtype} {result.shape} for a batch of "
                    f"{fixed}; it must be one row an image. Name another in output.name of a model.toml"
                )
            parts.append(result[: count - start])
        return np.concatenate(parts)

    def _run(self, feeds: Mapping[str, NDArray[Any]], output: str) -> NDArray[Any]:
        try:
            if self.binds:
                return self._run_bound(feeds, output)
            return np.asarray(self._session.run([output], dict(feeds))[0])
        except Exception as error:
            short = any(words in str(error).lower() for words in _SHORT_OF_MEMORY)
            kind = DeviceMemoryError if short else ModelError
            shapes = ", ".join(str(tensor.shape) for tensor in feeds.values())
            raise kind(f"model {self._name}: cannot run on {shapes}: {error}") from error

    def _run_bound(self, feeds: Mapping[str, NDArray[Any]], output: str) -> NDArray[Any]:
        """Copy the images to the device once and fetch the vectors, nothing in between."""
        binding = self._session.io_binding()
        for name, tensor in feeds.items():
            binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(tensor, self._memory))
        binding.bind_output(output, self._memory)
        self._session.run_with_iobinding(binding)
        return np.asarray(binding.copy_outputs_to_cpu()[0])


def _open(data: bytes, name: str, device: Device, threads: int) -> onnxruntime.InferenceSession:
    if device not in ("auto", "cpu", "cuda"):
        raise must_be("device", device, "'auto', 'cpu' or 'cuda'")
    offered = onnxruntime.get_available_providers()
    if device == "cuda" and _CUDA not in offered:
        raise Unsupported(
            f"device is 'cuda', but this onnxruntime offers {offered} only; pip install 'lookalike[gpu]' "
            "(in place of onnxruntime), or use device='cpu'"
        )
    # Checked first, since the runtime prints a page of errors where there is no GPU.
    if device == "cuda" and not has_gpu():
        raise Unsupported("device is 'cuda', but NVIDIA's driver knows no GPU here; use device='cpu'")
    trouble: Exception | None = None
    if device != "cpu" and _CUDA in offered and has_gpu():
        _load_cuda()
        try:
            session = _start(data, threads, [(_CUDA, _CUDA_OPTIONS), _CPU])
            if session.get_providers()[0] == _CUDA:
                return session
        except Exception as error:
            trouble = error
    # A model that no CPU can run either is at fault itself; else it was CUDA.
    try:
        session = _start(data, threads, [_CPU])
    except Exception as error:
        raise ModelError(f"model {name}: onnxruntime cannot load it: {error}") from error
    if device == "cuda":
        reason = trouble or (
            "no fitting driver, CUDA or cuDNN; pip install 'lookalike[gpu]' brings the last two"
        )
        raise Unsupported(f"device is 'cuda', but CUDA could not be started here: {reason}") from trouble
    return session


def _start(data: bytes, threads: int, providers: list[Any]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Many images run side by side, one thread each, so that no thread waits for another.
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Errors are raised; printing each batch that was too large as well would be noise.
    options.log_severity_level = 4
    # By default onnxruntime prints errors to stdout and falls back to the CPU.
    return onnxruntime.InferenceSession(data, options, providers=providers, enable_fallback=False)


def _padded(tensor: NDArray[Any], count: int) -> NDArray[Any]:
    """Return a batch made as long as the graph wants it, with zeros."""
    return np.pad(tensor, [(0, count - len(tensor))] + [(0, 0)] * (tensor.ndim - 1))


@functools.cache
def _load_cuda() -> None:
    """Load CUDA and cuDNN from where pip puts them, once; those of the system are found anyway."""
    load = getattr(onnxruntime, "preload_dlls", None)
    if load is not None:
        # A session that does not start reports what is missing; this would print it.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            load()


def _info(tensor: Any) -> TensorInfo:
    shape = tuple(d if isinstance(d, int) and d > 0 else None for d in tensor.shape)
    dtype = tensor.type.removeprefix("tensor(").removesuffix(")")
    return TensorInfo(tensor.name, {"float": "float32", "double": "float64"}.get(dtype, dtype), shape)

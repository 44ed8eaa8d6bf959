"""What a graph says about itself, against what its card says, or in place of one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

import numpy as np

from ..errors import ModelError
from .card_fields import Channels
from .model_card import Dtype, InputSpec, Layout, ModelCard
from .onnx_session import Device, OnnxSession
from .preparation import Preparation

_IMAGENET_MEAN: Channels = (123.675, 116.28, 103.53)
_IMAGENET_STD: Channels = (58.395, 57.12, 57.375)
_USUAL_SIZE = 224


def check_card(card: ModelCard, session: OnnxSession) -> None:
    """Raise ModelError, naming the field, where a card and its graph disagree."""
    found, spec = session.inputs[0], card.input
    if spec.name not in (None, found.name):
        raise ModelError(f"model {card.name}: input.name is {spec.name!r}; the graph has {found.name!r}")
    if spec.dtype != found.dtype:
        raise ModelError(f"model {card.name}: input.dtype is {spec.dtype!r}; the graph takes {found.dtype}")
    size = spec.preparation.size
    needed = (size, size, 3) if spec.layout == "NHWC" else (3, size, size)
    fits = len(found.shape) == 4 and all(
        got in (None, want) for got, want in zip(found.shape[1:], needed, strict=True)
    )
    if not fits:
        raise ModelError(
            f"model {card.name}: input.layout {spec.layout} and input.size {size} make "
            f"(n, {', '.join(map(str, needed))}); the graph takes {found}"
        )
    found_dim = _dim(session, card.output, needed, spec.dtype)
    if found_dim != card.dim:
        raise ModelError(f"model {card.name}: dim is {card.dim}; the graph gives {found_dim}")


def bare_card(path: Path, device: Device) -> tuple[ModelCard, OnnxSession]:
    """Make a card for an .onnx file that has none, from what its graph takes and gives."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"model {path}: cannot be read: {error.strerror}") from None
    session = OnnxSession(data, str(path), device)
    found = session.inputs[0]
    if found.dtype not in ("uint8", "float32", "float16") or len(found.shape) != 4:
        raise ModelError(
            f"model {path}: takes {found}; needed: uint8, float32 or float16 of shape "
            "(n, height, width, 3) or (n, 3, height, width)"
        )
    if (found.shape[1] == 3) == (found.shape[3] == 3):
        raise ModelError(
            f"model {path}: takes {found}; which dimension is the colours cannot be told: write a model.toml"
        )
    layout: Layout = "NCHW" if found.shape[1] == 3 else "NHWC"
    sides = {side for side in (found.shape[2:] if layout == "NCHW" else found.shape[1:3]) if side is not None}
    if len(sides) > 1:
        raise ModelError(f"model {path}: takes {found}; needed: a square image")
    size = sides.pop() if sides else _USUAL_SIZE
    raw = found.dtype == "uint8"
    spec = InputSpec(
        Preparation(size),
        found.name,
        cast(Dtype, found.dtype),
        layout,
        (0.0, 0.0, 0.0) if raw else _IMAGENET_MEAN,
        (1.0, 1.0, 1.0) if raw else _IMAGENET_STD,
    )
    needed = (size, size, 3) if layout == "NHWC" else (3, size, size)
    dim = _dim(session, None, needed, spec.dtype)
    return ModelCard(path.stem, dim, spec, None, path, hashlib.sha256(data).hexdigest()), session


def _dim(session: OnnxSession, output: str | None, shape: tuple[int, ...], dtype: str) -> int:
    """Length of a vector, found by running one black image: graphs do not always say."""
    name = session.output(output).name
    result = session.run(np.zeros((1, *shape), dtype), name)
    if result.dtype.kind != "f" or result.shape[:1] != (1,) or result.size != max(result.shape, default=0):
        raise ModelError(
            f"output {name!r} is {result.dtype} {result.shape} for one image; needed: float (1, dim). "
            "Name another in output.name of a model.toml"
        )
    return result.size

"""Checks a graph against its card, or makes a card from a graph that has none."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

import numpy as np

from ...errors import ModelError
from ..cards.fields import Channels
from ..runtime.session import Device, OnnxSession
from .card import LARGEST_SIZE, Dtype, InputSpec, Layout, ModelCard
from .preparation import Preparation
from .tower import ImageTower

_IMAGENET_MEAN: Channels = (123.675, 116.28, 103.53)
_IMAGENET_STD: Channels = (58.395, 57.12, 57.375)
_USUAL_SIZE = 224
_LARGEST_BATCH = 1024


def open_card(card: ModelCard, device: Device) -> ImageTower:
    """Load the graph of a card, and check one against the other."""
    session = OnnxSession(card.read(), card.name, device)
    check_card(card, session)
    return ImageTower(card, session)


def check_card(card: ModelCard, session: OnnxSession) -> None:
    """Raise ModelError, naming the field, where a card and its graph disagree."""
    needed = check_input(card.name, card.input, session)
    found_dim = vector_length(session, card.output, needed, card.input.dtype)
    if found_dim != card.dim:
        raise ModelError(f"model {card.name}: dim is {card.dim}; the graph gives {found_dim}")


def check_input(model: str, spec: InputSpec, session: OnnxSession) -> tuple[int, int, int]:
    """Return the shape of an image as the graph takes it. Raises ModelError where it takes another."""
    found = session.only_input()
    if spec.name not in (None, found.name):
        raise ModelError(f"model {model}: input.name is {spec.name!r}; the graph has {found.name!r}")
    if spec.dtype != found.dtype:
        raise ModelError(f"model {model}: input.dtype is {spec.dtype!r}; the graph takes {found.dtype}")
    size = spec.preparation.size
    needed = (size, size, 3) if spec.layout == "NHWC" else (3, size, size)
    fits = len(found.shape) == 4 and all(
        got in (None, want) for got, want in zip(found.shape[1:], needed, strict=True)
    )
    if not fits:
        raise ModelError(
            f"model {model}: input.layout {spec.layout} and input.size {size} make "
            f"(n, {', '.join(map(str, needed))}); the graph takes {found}"
        )
    return needed


def bare_card(path: Path, device: Device) -> tuple[ModelCard, OnnxSession]:
    """Make a card for an .onnx file that has none, from what its graph takes and gives."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"model {path}: cannot be read: {error.strerror}") from None
    session = OnnxSession(data, str(path), device)
    found = session.only_input()
    if found.dtype not in ("uint8", "float32", "float16") or len(found.shape) != 4:
        raise ModelError(
            f"model {path}: takes {found}; it must take uint8, float32 or float16 of shape "
            "(n, height, width, 3) or (n, 3, height, width)"
        )
    if (found.shape[1] == 3) == (found.shape[3] == 3):
        raise ModelError(
            f"model {path}: takes {found}; which dimension holds the colours is ambiguous: write a model.toml"
        )
    layout: Layout = "NCHW" if found.shape[1] == 3 else "NHWC"
    sides = {side for side in (found.shape[2:] if layout == "NCHW" else found.shape[1:3]) if side is not None}
    if len(sides) > 1:
        raise ModelError(f"model {path}: takes {found}; it must take a square image")
    size = sides.pop() if sides else _USUAL_SIZE
    if size > LARGEST_SIZE:
        raise ModelError(f"model {path}: takes {found}; it must take at most {LARGEST_SIZE} pixels a side")
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
    dim = vector_length(session, None, needed, spec.dtype)
    return ModelCard(path.stem, dim, spec, None, path, hashlib.sha256(data).hexdigest()), session


def choose_output(session: OnnxSession, usual: str, axes: int, field: str) -> str:
    """Return the output of the usual name, else the only one of as many axes. Raises ModelError."""
    if any(tensor.name == usual for tensor in session.outputs):
        return usual
    fitting = [tensor for tensor in session.outputs if len(tensor.shape) == axes]
    if len(fitting) != 1:
        listed = "; ".join(map(str, session.outputs))
        raise ModelError(
            f"model {session.name}: no output is called {usual!r}, and {len(fitting)} have {axes} axes "
            f"({listed}); name one in {field}"
        )
    return fitting[0].name


def vector_length(session: OnnxSession, output: str | None, shape: tuple[int, ...], dtype: str) -> int:
    """Length of a vector, found by running one black image: graphs do not always say."""
    batch, name = session.inputs[0].shape[0], session.output(output).name
    if batch is not None and batch > _LARGEST_BATCH:
        raise ModelError(
            f"model {session.name}: takes a batch of {batch}; it must take at most {_LARGEST_BATCH}, or any"
        )
    result = session.run(np.zeros((1, *shape), dtype), name)
    if result.dtype.kind != "f" or result.shape[:1] != (1,) or result.size != max(result.shape, default=0):
        raise ModelError(
            f"model {session.name}: output {name!r} is {result.dtype} {result.shape} for one image; "
            "it must be float (1, dim). Name another in output.name of a model.toml"
        )
    return result.size

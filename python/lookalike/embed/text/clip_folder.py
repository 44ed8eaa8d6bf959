"""A CLIP model in the layout of optimum and transformers.js, which has no model.toml."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from ...errors import ModelError
from ..cards.fields import Channels, is_number
from ..cards.summary import CardFile
from ..image.card import Dtype, InputSpec, ModelCard
from ..image.graph import check_input, choose_output, vector_length
from ..image.preparation import Filter, Preparation
from ..image.tower import ImageTower
from ..runtime.session import Device, OnnxSession
from .card import TextImageCard, TextSpec

_PREPARATION = "preprocessor_config.json"
# The whole graph, or what the usual tools make of it.
_VARIANTS = ("", "_quantized", "_fp16")
# As Pillow numbers its filters; "nearest", 0, does not average.
_FILTERS: dict[int, Filter] = {1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}


def is_clip_folder(folder: Path) -> bool:
    """Whether a folder, or its ``onnx/``, holds a text tower or of pictures."""
    return any(_tower(folder, tower) is not None for tower in ("text_model", "vision_model"))


def open_clip_folder(folder: Path, device: Device) -> tuple[TextImageCard, ImageTower]:
    """Make the card such a folder lacks, from its files; and open its pictures' tower.

    Raises
    ------
    ModelError
        Where a file is missing, or says what cannot be done; the message names it.
    """
    name = folder.resolve().name
    image = _with_checksum(_needed(folder, "vision_model"))
    session = OnnxSession(image.read(name), f"{name}, image tower", device)
    output = choose_output(session, "image_embeds", 2, "image.output of a model.toml")
    spec = _input(folder, session)
    dim = vector_length(session, output, check_input(session.name, spec, session), spec.dtype)
    card = ModelCard(session.name, dim, spec, output, image.path, image.sha256, normalize=True)
    text = TextSpec(_with_checksum(_needed(folder, "text_model")), _tokenizer(folder))
    return TextImageCard(name, dim, card, text), ImageTower(card, session)


def _tower(folder: Path, tower: str) -> Path | None:
    places = [folder / sub / f"{tower}{variant}.onnx" for sub in ("", "onnx") for variant in _VARIANTS]
    return next((place for place in places if place.is_file()), None)


def _needed(folder: Path, tower: str) -> Path:
    found = _tower(folder, tower)
    if found is None:
        raise ModelError(f"model {folder}: has no {tower}.onnx, neither in itself nor in onnx/")
    return found


def _tokenizer(folder: Path) -> dict[str, CardFile]:
    if (folder / "tokenizer.json").is_file():
        return {"tokenizer": _with_checksum(folder / "tokenizer.json")}
    pair = folder / "vocab.json", folder / "merges.txt"
    if all(path.is_file() for path in pair):
        return {"tokenizer": _with_checksum(pair[0]), "merges": _with_checksum(pair[1])}
    published = folder / "bpe_simple_vocab_16e6.txt.gz"
    if published.is_file():
        return {"tokenizer": _with_checksum(published)}
    raise ModelError(
        f"model {folder}: has no tokenizer; it must have tokenizer.json, or vocab.json with merges.txt, "
        f"or {published.name}"
    )


def _with_checksum(path: Path) -> CardFile:
    """Return a file with the checksum it has now, which identifies the model."""
    try:
        return CardFile(path, hashlib.sha256(path.read_bytes()).hexdigest())
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None


def _input(folder: Path, session: OnnxSession) -> InputSpec:
    """Read how pictures are prepared, in the words of Hugging Face's image processors."""
    path = folder / _PREPARATION
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read: {error.strerror}; it says how pictures are prepared"
        ) from None
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from None
    if not isinstance(config, dict):
        raise ModelError(f"{path} is not an object")
    found = session.only_input()
    if found.dtype not in ("float32", "float16"):
        raise ModelError(f"model {session.name}: takes {found}; it must take float32 or float16")
    scale = _number(path, config, "rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1.0
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if config.get("do_normalize", True):
        mean, std = (_channels(path, config, key) for key in ("image_mean", "image_std"))
    if scale <= 0 or min(std) <= 0:
        raise ModelError(f"{path}: rescale_factor and image_std must be above 0")
    return InputSpec(
        _preparation(path, config),
        found.name,
        cast(Dtype, found.dtype),
        "NCHW",
        cast(Channels, tuple(m / scale for m in mean)),
        cast(Channels, tuple(s / scale for s in std)),
    )


def _preparation(path: Path, config: dict[str, Any]) -> Preparation:
    resample = config.get("resample", 3)
    if type(resample) is not int or resample not in _FILTERS:
        raise ModelError(f"{path}: resample is {resample!r}; it must be one of {_FILTERS}")
    filter_ = _FILTERS[resample]
    resized = _side(path, config, "size", ("shortest_edge", "height"))
    if not config.get("do_center_crop", True):
        if not isinstance(config["size"], dict) or "height" not in config["size"]:
            raise ModelError(f"{path}: do_center_crop is false, so pictures would not be square")
        return Preparation(resized, "stretch", filter=filter_)
    cropped = _side(path, config, "crop_size", ("height",))
    if cropped > resized:
        raise ModelError(f"{path}: crop_size {cropped} is more than size {resized}")
    return Preparation(cropped, "crop", cropped / resized, filter_)


def _side(path: Path, config: dict[str, Any], key: str, names: tuple[str, ...]) -> int:
    """Return a side in pixels, which is written as a number or as an object of one or two."""
    value = config.get(key)
    if isinstance(value, dict):
        sides = [value[name] for name in (*names, "width") if name in value]
        value = sides[0] if sides and sides.count(sides[0]) == len(sides) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 4096:
        raise ModelError(f"{path}: {key} is {config.get(key)!r}; it must be the side of a square, in pixels")
    return value


def _number(path: Path, config: dict[str, Any], key: str, default: float) -> float:
    value = config.get(key, default)
    if not is_number(value):
        raise ModelError(f"{path}: {key} is {value!r}; it must be a number")
    return float(value)


def _channels(path: Path, config: dict[str, Any], key: str) -> Channels:
    value = config.get(key)
    numbers = value if isinstance(value, list) else []
    if len(numbers) != 3 or not all(map(is_number, numbers)):
        raise ModelError(f"{path}: {key} is {value!r}; it must be three numbers")
    return cast(Channels, tuple(map(float, numbers)))

"""Networks of torchvision, without their classifiers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ModelError
from .network import Network, replace_last_layer, unknown_network
from .pixels import Pixels
from .quiet import quiet
from .weights import RANDOM, load_weights, weights_missing

_HEADS = ("heads", "head", "fc", "classifier")
# Classifiers beside the main one, which only training uses.
_AUXILIARY = ("aux1", "aux2", "AuxLogits")


def open_torchvision(name: str, weights: str | None) -> Network:
    """Open a classifier of torchvision; `weights` is a file, "random", or None for what torch.hub kept."""
    import torch
    import torchvision

    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise unknown_network("torchvision", name, known)
    entries = list(torchvision.models.get_model_weights(name))
    entry, file = _choose(name, entries, weights)
    with quiet():
        module = torchvision.models.get_model(name, weights=None)
    if hasattr(module, "transform_input"):
        # What torchvision sets with its weights, which were trained on other pixels than its transforms make.
        module.transform_input = True
    for auxiliary in _AUXILIARY:
        if isinstance(getattr(module, auxiliary, None), torch.nn.Module):
            setattr(module, auxiliary, None)
    cut = replace_last_layer(module, _HEADS)
    if file is not None:
        load_weights(module, file, (cut, *_AUXILIARY))
    trained = "random weights" if file is None else (file.name if weights else f"weights {entry}")
    source = f"torchvision {torchvision.__version__.split('+')[0]} {name}, {trained}"
    return Network(module, _pixels(name, entry), name, source)


def _choose(name: str, entries: list[Any], weights: str | None) -> tuple[Any, Path | None]:
    """Return the entry whose transforms hold, and the file of weights."""
    import torch

    default = next((entry for entry in entries if entry.value is type(entry).DEFAULT.value), None)
    if weights == RANDOM:
        return default, None
    if weights is not None:
        stem = Path(weights).name
        return next((entry for entry in entries if Path(entry.url).name == stem), default), Path(weights)
    kept = Path(torch.hub.get_dir()) / "checkpoints"
    for entry in sorted(entries, key=lambda entry: entry is not default):
        if (kept / Path(entry.url).name).is_file():
            return entry, kept / Path(entry.url).name
    raise weights_missing(f"torchvision {name}", f"looked for {', '.join(Path(e.url).name for e in entries)}")


def _pixels(name: str, entry: Any) -> Pixels:
    if entry is None:
        return Pixels.of(224, resized=256, filter="bilinear")
    how = entry.transforms()
    if not all(hasattr(how, word) for word in ("crop_size", "resize_size", "mean", "std")):
        raise ModelError(f"torchvision {name} prepares its images in a way of its own; it is no classifier")
    return Pixels.of(
        how.crop_size[0],
        resized=how.resize_size[0],
        filter=how.interpolation.value,
        mean=how.mean,
        std=how.std,
    )

"""Networks of timm, without their classifiers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .network import Network, unknown_network
from .pixels import Pixels
from .quiet import quiet
from .weights import RANDOM, load_weights, weights_missing

_FILES = ("model.safetensors", "pytorch_model.bin")


def open_timm(name: str, weights: str | None) -> Network:
    """Open a network of timm; `weights` is a file, "random", or None for what the hubs' caches have kept."""
    import timm

    if not timm.is_model(name.split(".")[0]):
        raise unknown_network("timm", name, timm.list_models())
    with quiet():
        module = timm.create_model(name, pretrained=False)
    config = module.pretrained_cfg
    heads = config.get("classifier") or ()
    module.reset_classifier(0)
    file = None if weights == RANDOM else Path(weights) if weights else _kept(name, config)
    if file is not None:
        load_weights(module, file, (heads,) if isinstance(heads, str) else tuple(heads))
    tag = f"{name.split('.')[0]}.{config.get('tag')}" if config.get("tag") else name
    trained = "random weights" if file is None else (file.name if weights else tag)
    source = f"timm {timm.__version__} {name}, {trained}"
    # A licence goes with weights: those of a file may be anybody's.
    license = None if weights else config.get("license")
    return Network(module, _pixels(module), name, source, license)


def _pixels(module: Any) -> Pixels:
    import timm

    how = timm.data.resolve_model_data_config(module)
    _, height, width = how["input_size"]
    return Pixels.of(
        min(height, width),
        resized=min(height, width) / how["crop_pct"],
        stretch=how["crop_mode"] == "squash",
        filter=how["interpolation"],
        mean=how["mean"],
        std=how["std"],
    )


def _kept(name: str, config: dict[str, Any]) -> Path:
    import torch
    from huggingface_hub import try_to_load_from_cache

    repository, url = config.get("hf_hub_id"), config.get("url")
    if config.get("file") and Path(config["file"]).is_file():
        return Path(config["file"])
    if repository:
        for file in (config.get("hf_hub_filename"), *_FILES):
            found = try_to_load_from_cache(repository, file) if file else None
            if isinstance(found, str):
                return Path(found)
    if url:
        kept = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
        if kept.is_file():
            return kept
    raise weights_missing(f"timm {name}", f"looked for {repository or url or 'a cached file'}")

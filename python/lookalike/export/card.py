"""Writes a model.toml."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from .._text import printable
from .graph import INPUT, OUTPUT
from .network import Network

_INTRODUCTION = "# What a model is and how its images are prepared; written by `lookalike models export`."


def write_card(
    folder: Path, network: Network, dim: int, license: str, files: Mapping[str, Path], default: str
) -> None:
    """Write folder/model.toml: `files` are the ONNX files by name, `default` the one that runs."""
    how = network.pixels.preparation
    lines = [
        _INTRODUCTION,
        f"name = {_text(network.name)}",
        f"dim = {dim}",
        f"default = {_text(default)}",
        f"license = {_text(license)}",
        f"source = {_text(network.source)}",
    ]
    for name, path in files.items():
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        lines += ["", f"[files.{name}]", f"file = {_text(path.name)}", f'sha256 = "{checksum}"']
    lines += [
        "",
        "[input]",
        f"name = {_text(INPUT)}",
        'dtype = "uint8"',
        'layout = "NHWC"',
        f"size = {how.size}",
        f"fit = {_text(how.fit)}",
        f"crop = {how.crop!r}",
        f"filter = {_text(how.filter)}",
        "# Folded into the graph, which takes uint8; kept here for the record.",
        f"mean = {[round(255 * mean, 4) for mean in network.pixels.mean]}",
        f"std = {[round(255 * std, 4) for std in network.pixels.std]}",
        "",
        "[output]",
        f"name = {_text(OUTPUT)}",
    ]
    (folder / "model.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _text(value: str) -> str:
    """Write a TOML string; JSON's escapes are TOML's, as long as all letters stand for themselves."""
    return json.dumps(printable(value), ensure_ascii=False)

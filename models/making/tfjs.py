"""A TensorFlow.js model as npm packages of nsfwjs carry it: JavaScript files of a topology and of weights."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

# What Browserify makes of a module: {1:[function(...){module.exports=...},{}]},{},[1])(1)
BUNDLE = re.compile(r"\{1:\[function\([\w,]*\)\{\w+\.exports=(.*)\},\{\}\]\},\{\},\[1\]\)\(1\)", re.DOTALL)


def read_model(folder: Path) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Return the layers as Keras configures them, and the weights by name, float32."""
    model = json.loads(as_json(exported(folder / "model.min.js")))
    weights: dict[str, np.ndarray] = {}
    for group in model["weightsManifest"]:
        shards = [exported(folder / f"{name}.min.js") for name in group["paths"]]
        data = b"".join(base64.b64decode(json.loads(shard)) for shard in shards)
        weights |= dequantized(group["weights"], data)
    return model["modelTopology"]["model_config"]["config"]["layers"], weights


def exported(path: Path) -> str:
    """Return what the one module in a bundle exports, as JavaScript."""
    found = BUNDLE.search(path.read_text())
    assert found, f"{path} is not a bundle of one module"
    return found[1]


def as_json(literal: str) -> str:
    """Turn a minified JavaScript literal into JSON: quote its keys, spell out !0, !1 and .5."""
    quoted = re.sub(r"(?<=[{,])(\w+)(?=:)", r'"\1"', literal)
    return re.sub(r"(?<=[:,\[-])\.(?=\d)", "0.", quoted.replace("!0", "true").replace("!1", "false"))


def dequantized(entries: list[dict[str, Any]], data: bytes) -> dict[str, np.ndarray]:
    """Cut the bytes into weights; those of 8 bits are levels, min + level * scale."""
    weights, at = {}, 0
    for entry in entries:
        coding, shape = entry.get("quantization"), entry["shape"]
        dtype = np.dtype(coding["dtype"] if coding else entry["dtype"])
        values = np.frombuffer(data, dtype, int(np.prod(shape)), at)
        at += values.nbytes
        if coding:
            values = values * coding["scale"] + coding["min"]
        weights[entry["name"]] = values.reshape(shape).astype(np.float32)
    assert at == len(data), f"{len(data) - at} bytes are left over"
    return weights

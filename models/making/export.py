"""From a network to the two ONNX files of a model's folder, checked and with their checksums in its card."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .calibration import activation_scales, calibration_crops
from .float_graph import float_graph
from .int8_graph import int8_graph
from .network import Network
from .running import embed, session_of

# How far the f32 graph may be from PyTorch, as a share of the largest value of an embedding.
LARGEST_ERROR = 1e-4


def export(folder: Path, network: Network, reference: Callable[[np.ndarray], np.ndarray]) -> int:
    """Make both graphs, compare, report; returns the exit status.

    `reference` is the same network run by PyTorch: uint8 (n, side, side, 3) to float32 (n, dim).
    """
    crops = calibration_crops(network.side)
    exact, small = float_graph(network), int8_graph(network, activation_scales(network, crops))
    for name, graph in [("model.f32.onnx", exact), ("model.int8.onnx", small)]:
        data = graph.SerializeToString(deterministic=True)
        (folder / name).write_bytes(data)
        write_checksum(folder / "model.toml", name, hashlib.sha256(data).hexdigest())
        print(f"{name}: {len(data) / 1e6:.2f} MB")

    f32, int8, expected = embed(session_of(exact), crops), embed(session_of(small), crops), reference(crops)
    error = np.abs(f32 - expected).max() / np.abs(expected).max()
    cosine = (f32 * int8).sum(1) / np.linalg.norm(f32, axis=1) / np.linalg.norm(int8, axis=1)

    print(
        f"f32 against PyTorch: largest difference {error:.1e} of the largest value (limit {LARGEST_ERROR:.0e})"
    )
    print(f"int8 against f32: cosine mean {cosine.mean():.4f}, least {cosine.min():.4f}")
    return 0 if error <= LARGEST_ERROR else 1


def write_checksum(card: Path, name: str, checksum: str) -> None:
    """Set a file's checksum in model.toml."""
    entry = re.compile(rf'(file = "{re.escape(name)}"\nsha256 = )"\w*"')
    text, found = entry.subn(rf'\g<1>"{checksum}"', card.read_text())
    assert found == 1, f"{card} has no checksum for {name}"
    card.write_text(text)

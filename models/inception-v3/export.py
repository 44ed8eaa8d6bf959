"""Make model.f32.onnx and model.int8.onnx from an unpacked npm package; README.md has the command."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from making import keras, tfjs
from making.export import export
from making.network import Dequantized, Network

HERE = Path(__file__).resolve().parent
MODEL = "dist/models/inception_v3"
SIDE = 299
# README.md says why the network ends here.
LAST = "mixed3"


def main(package: Path) -> int:
    """Read the package, cut the network, export it."""
    layers, weights = tfjs.read_model(package / MODEL)
    nodes = keras.nodes_until(layers, LAST)

    def embed_torch(images: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        results = [keras.run_by_torch(nodes, weights, image[None]) for image in pixels]
        return torch.cat([result.mean((2, 3)) for result in results]).numpy()

    dim = len(embed_torch(np.zeros((1, SIDE, SIDE, 3), np.uint8))[0])
    pixels = Dequantized(np.float32(1 / 255), np.uint8(0))
    return export(HERE, Network(HERE.name, SIDE, dim, pixels, keras.layers_of(nodes, weights)), embed_torch)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER, where npm's nsfwjs is unpacked")
    sys.exit(main(Path(sys.argv[1])))

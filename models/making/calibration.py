"""How large the results of layers get, seen on crops of photographs anyone may use."""

from __future__ import annotations

import numpy as np
import skimage.data
import sklearn.datasets
from PIL import Image

from .float_graph import float_graph
from .int8_graph import Scale
from .network import Network, Pool
from .running import session_of

# The share of calibration values that a quantised range may cut off at either end.
CLIPPED = 1e-3


def calibration_crops(side: int) -> np.ndarray:
    """Cut squares from the sample photographs of scikit-image and scikit-learn, uint8 (n, side, side, 3)."""
    names = ["astronaut", "coffee", "chelsea", "rocket", "coins", "grass", "gravel", "brick"]
    photos = [getattr(skimage.data, name)() for name in names]
    photos += list(skimage.data.stereo_motorcycle()[:2]) + list(sklearn.datasets.load_sample_images().images)
    random = np.random.default_rng(0)
    crops = []
    for photo in map(Image.fromarray, photos):
        rgb = photo.convert("RGB")
        for share in np.linspace(0.4, 1.0, 8):
            cut = int(min(rgb.size) * share)
            left, top = random.integers(0, rgb.width - cut + 1), random.integers(0, rgb.height - cut + 1)
            box = (left, top, left + cut, top + cut)
            crops.append(np.asarray(rgb.resize((side, side), Image.Resampling.BICUBIC, box=box)))
    return np.stack(crops)


def activation_scales(network: Network, crops: np.ndarray) -> dict[str, Scale]:
    """(scale, zero point) of every layer's result but that of a MaxPool, from its values on the crops."""
    names = [layer.name for layer in network.layers if not (isinstance(layer, Pool) and layer.kind == "max")]
    session = session_of(float_graph(network, watch=names))
    lows, highs = [], []
    for crop in crops:
        values = session.run(names, {"images": crop[None]})
        lows.append([np.quantile(v, CLIPPED) for v in values])
        highs.append([np.quantile(v, 1 - CLIPPED) for v in values])
    scales = {}
    for name, low, high in zip(names, np.min(lows, axis=0), np.max(highs, axis=0), strict=True):
        low, high = min(low, 0.0), max(high, 1e-6)
        scale = np.float32((high - low) / 255)
        scales[name] = scale, np.uint8(np.clip(round(-low / scale), 0, 255))
    return scales

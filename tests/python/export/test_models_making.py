"""What the exports of the shipped models share, on networks of a few weights."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

pytest.importorskip("onnx")
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "models"))

from making import tfjs
from making.float_graph import float_graph
from making.int8_graph import Scale, int8_graph, quantize_weight
from making.network import PIXELS, Add, Centred, Concat, Conv, Dequantized, Network, Pool

SIDE = 8
IMAGES = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8)
HALVES = Dequantized(np.float32(1 / 128), np.uint8(128))


def conv(name: str, source: str, weight: np.ndarray, activation: str = "relu") -> Conv:
    """A 1 x 1 convolution: (out, in) weights, and 0.25 added."""
    kernel = weight.astype(np.float32)[:, :, None, None]
    return Conv(name, source, kernel, np.full(len(weight), 0.25, np.float32), 1, (0, 0, 0, 0), activation)


def network(pixels: Dequantized | Centred = HALVES) -> Network:
    """Every kind of layer."""
    random = np.random.default_rng(1)
    layers = [
        conv("first", PIXELS, random.normal(size=(4, 3))),
        Pool("max", "first", "max", 2, 2),
        Pool("average", "max", "average", 3, 1, (1, 1, 1, 1)),
        conv("signed", "max", random.normal(size=(4, 4)), "none"),
        Add("sum", "average", "signed"),
        conv("clipped", "sum", 9 * random.normal(size=(4, 4)), "relu6"),
        Concat("both", ("clipped", "max")),
    ]
    return Network("tiny", SIDE, 8, pixels, layers)


def by_numpy(prepared: np.ndarray, net: Network) -> dict[str, np.ndarray]:
    """The results of the layers of `network`, (n, channels, height, width)."""
    weights = {layer.name: layer.weight[:, :, 0, 0] for layer in net.layers if isinstance(layer, Conv)}

    def mix(name: str, source: np.ndarray) -> np.ndarray:
        return np.einsum("oc,nchw->nohw", weights[name], source) + 0.25

    found = {"first": np.maximum(mix("first", prepared), 0)}
    found["max"] = found["first"].reshape(len(prepared), 4, 4, 2, 4, 2).max((3, 5))
    edged = np.pad(found["max"], [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=np.nan)
    found["average"] = np.nanmean(np.lib.stride_tricks.sliding_window_view(edged, (3, 3), (2, 3)), (4, 5))
    found["signed"] = mix("signed", found["max"])
    found["sum"] = found["average"] + found["signed"]
    found["clipped"] = mix("clipped", found["sum"]).clip(0, 6)
    found["both"] = np.concatenate([found["clipped"], found["max"]], 1)
    return found


def run(model, *names: str) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(list(names) or None, {"images": IMAGES})


@pytest.mark.parametrize("pixels", [HALVES, Centred((10.5, 20.25, 30.0))], ids=["dequantized", "centred"])
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_the_float_graph_does_what_the_layers_say(pixels: Dequantized | Centred, pooling: str) -> None:
    net = network(pixels)
    net = Network(net.name, net.side, net.dim, net.pixels, net.layers, pooling)
    planes = IMAGES.transpose(0, 3, 1, 2).astype(np.float64)
    centre = np.reshape(pixels.mean, (3, 1, 1)) if isinstance(pixels, Centred) else 128
    expected = by_numpy((planes - centre) / (1 if isinstance(pixels, Centred) else 128), net)
    got = dict(zip(expected, run(float_graph(net, list(expected)), *expected), strict=True))
    for name, values in expected.items():
        assert got[name] == pytest.approx(values, rel=1e-4, abs=1e-4), name
    pooled = expected["both"].mean((2, 3)) if pooling == "average" else expected["both"].max((2, 3))
    assert run(float_graph(net), "embeddings")[0] == pytest.approx(pooled, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("pixels", [HALVES, Centred((128.0, 128.0, 128.0))], ids=["dequantized", "centred"])
def test_the_int8_graph_is_near(pixels: Dequantized | Centred) -> None:
    net = network(pixels)
    names = [layer.name for layer in net.layers if layer.name != "max"]
    scales: dict[str, Scale] = {}
    for name, values in zip(names, run(float_graph(net, names), *names), strict=True):
        scale = np.float32((values.max() - min(values.min(), 0)) / 255)
        scales[name] = scale, np.uint8(round(-min(values.min(), 0) / scale))
    exact, small = run(float_graph(net))[0], run(int8_graph(net, scales))[0]
    assert np.abs(small - exact).max() < 0.03 * np.abs(exact).max()
    assert not np.array_equal(small, exact)


def test_weights_keep_seven_bits_and_their_scale() -> None:
    layer = conv("a", PIXELS, np.array([[1.0, -0.6, 0.25], [0.0, 0.0, 0.0]]))
    levels, step = quantize_weight(layer, np.float32(1))
    assert levels[0, :, 0, 0].tolist() == [63, -38, 16]
    assert step[0] == np.float32(1 / 63)
    # A channel without weights can still hold its bias in 32 bits.
    assert not levels[1].any() and 0.25 / step[1] <= 2**30


def test_a_javascript_bundle_is_read(tmp_path: Path) -> None:
    bundle = (
        "!function(f){if(1)module.exports=f()}(function(){return "
        "g({1:[function(a,b,c){b.exports=%s},{}]},{},[1])(1)});"
    )
    manifest = (
        '{modelTopology:{model_config:{config:{layers:[{name:"a:b,c",sparse:!1,config:{on:!0,rate:.5,'
        'low:-.25,none:null}}]}}},weightsManifest:[{paths:["one","two"],weights:[{name:"k",shape:[2,2],'
        'dtype:"float32",quantization:{min:-1.5,scale:.5,dtype:"uint8"}},{name:"v",shape:[1],dtype:"float32"}]}]}'
    )
    (tmp_path / "model.min.js").write_text(bundle % manifest)
    # Levels 0, 1, 3, 255, and then 1.0 as float32, cut in two.
    (tmp_path / "one.min.js").write_text(bundle % '"AAED"')
    (tmp_path / "two.min.js").write_text(bundle % '"/wAAgD8="')
    layers, weights = tfjs.read_model(tmp_path)
    assert layers == [
        {"name": "a:b,c", "sparse": False, "config": {"on": True, "rate": 0.5, "low": -0.25, "none": None}}
    ]
    assert weights["k"].tolist() == [[-1.5, -1.0], [0.0, 126.0]]
    assert weights["v"].tolist() == [1.0]


def keras_layer(name: str, kind: str, *sources: str, **config: object) -> dict[str, object]:
    inbound = [[[source, 0, 0, {}] for source in sources]] if sources else []
    return {"name": name, "class_name": kind, "config": config, "inbound_nodes": inbound}


def test_what_keras_configures_runs_as_its_layers_do() -> None:
    torch = pytest.importorskip("torch", reason="the making of models needs PyTorch")
    from making import keras

    random = np.random.default_rng(2)
    layers = [keras_layer("images", "InputLayer")]
    weights: dict[str, np.ndarray] = {}

    def unit(number: int, source: str, shape: tuple[int, ...], stride: int, padding: str) -> str:
        """A convolution, its normalisation and its ReLU."""
        conv, norm, relu = (f"{kind}_{number}" for kind in ("conv", "norm", "relu"))
        layers.extend(
            [
                keras_layer(conv, "Conv2D", source, strides=[stride] * 2, padding=padding),
                keras_layer(norm, "BatchNormalization", conv, center=True, scale=False, epsilon=0.001),
                keras_layer(relu, "Activation", norm, activation="relu"),
            ]
        )
        weights[f"{conv}/kernel"] = random.normal(size=shape).astype(np.float32)
        for part in ("beta", "moving_mean", "moving_variance"):
            weights[f"{norm}/{part}"] = random.uniform(0.1, 1, shape[-1]).astype(np.float32)
        return relu

    stem = unit(1, "images", (3, 3, 3, 4), 2, "valid")
    layers.append(
        keras_layer("mean", "AveragePooling2D", stem, pool_size=[3, 3], strides=[1, 1], padding="same")
    )
    layers.append(
        keras_layer("max", "MaxPooling2D", "mean", pool_size=[2, 2], strides=[1, 1], padding="valid")
    )
    wide, tall = unit(2, "max", (1, 3, 4, 5), 1, "same"), unit(3, "max", (3, 1, 4, 2), 1, "same")
    layers.append(keras_layer("mixed", "Concatenate", wide, tall, axis=3))
    unit(4, "mixed", (1, 1, 7, 3), 1, "same")

    nodes = keras.nodes_until(layers, "mixed")
    net = Network("tiny", SIDE, 7, HALVES, keras.layers_of(nodes, weights))
    assert [layer.name for layer in net.layers] == ["relu_1", "mean", "max", wide, tall, "mixed"]
    pixels = (torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() - 128) / 128
    expected = keras.run_by_torch(nodes, weights, pixels).numpy()
    got = run(float_graph(net, ["mixed"]), "mixed", "embeddings")
    assert expected.shape == (5, 7, 2, 2) and expected.std() > 0.1
    assert got[0] == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert got[1] == pytest.approx(expected.mean((2, 3)), rel=1e-4, abs=1e-4)

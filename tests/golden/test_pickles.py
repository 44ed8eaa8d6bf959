"""Objects that version 0.1.0 pickled still load, although their modules have moved since."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import lookalike as la

# A dict of class name -> the pickle of one such object.
PICKLED: dict[str, bytes] = pickle.loads((Path(__file__).parent / "objects-0.1.0.pickle").read_bytes())
# What a class needs beside the package's own requirements.
NEEDED = {
    "AudioEmbedder": ("onnxruntime", "PIL"),
    "Failure": ("onnxruntime", "PIL"),
    "ImageEmbedder": ("onnxruntime", "PIL"),
    "ModelCard": ("onnxruntime", "PIL"),
    "PixelEmbedder": ("onnxruntime", "PIL"),
    "Pixels": ("onnxruntime", "PIL"),
    "SoundWindows": ("onnxruntime", "PIL"),
    "TextImageEmbedder": ("onnxruntime", "PIL", "tokenizers"),
    "TrainingReport": ("onnxruntime", "PIL"),
}


def load(name: str) -> object:
    for package in NEEDED.get(name, ()):
        pytest.importorskip(package)
    return pickle.loads(PICKLED[name])


@pytest.mark.parametrize("name", PICKLED)
def test_it_loads_and_is_pickled_again(name: str) -> None:
    value = load(name)
    assert type(value).__name__ == name
    again = pickle.loads(pickle.dumps(value))
    assert type(again) is type(value) and repr(again) == repr(value)


@pytest.mark.parametrize("name", ["Flat", "HNSW", "IVF"])
def test_an_index_finds_what_it_found(name: str) -> None:
    hits = load("Hits")
    found = load(name).search(load("Flat")[[0, 1]], 3)
    assert np.array_equal(found.ids, hits.ids) and np.array_equal(found.distances, hits.distances)


def test_settings_of_embedders_are_kept() -> None:
    pixels = load("PixelEmbedder")
    assert pixels.dim == 16
    assert pixels.embed(np.full((8, 8), 7, np.uint8)).tolist() == [[7.0] * 16]
    failure = load("Failure")
    assert failure.position == 1 and "is not an image" in failure.message
    assert (load("ImageEmbedder").threads, load("AudioEmbedder").device) == (1, "cpu")
    assert load("ModelCard").identity == la.ImageEmbedder(device="cpu", threads=1).identity

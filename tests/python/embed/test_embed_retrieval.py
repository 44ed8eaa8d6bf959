from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import lookalike as la

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("LOOKALIKE_DATA", ROOT.parent / "shared" / "data")) / "photos"
EXAMPLES = ROOT / "examples" / "photos"


def precision_at_1(vectors: np.ndarray, classes: list[str]) -> float:
    """Share of vectors whose nearest other by cosine has their class; plain numpy, whatever Flat does."""
    rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarities = rows @ rows.T
    np.fill_diagonal(similarities, -np.inf)
    labels = np.array(classes)
    return float((labels[similarities.argmax(axis=1)] == labels).mean())


def test_example_photos_find_their_kind() -> None:
    paths = sorted(EXAMPLES.glob("*.jpg"))
    classes = [path.name.split("-")[0] for path in paths]
    model = precision_at_1(la.ImageEmbedder().embed(paths), classes)
    pixels = precision_at_1(la.PixelEmbedder().embed(paths), classes)
    assert model > 0.8
    assert model > pixels + 0.3


@pytest.mark.timeout(300)
def test_groceries_find_their_kind() -> None:
    # A third of the classes: enough to tell, and soon done.
    folders = sorted(path for path in DATA.glob("*") if path.is_dir())[::3]
    if not folders:
        pytest.skip("no photos: LOOKALIKE_DATA names no folder that holds photos/")
    paths = [path for folder in folders for path in sorted(folder.glob("*.jpg"))]
    classes = [path.parent.name for path in paths]
    model = precision_at_1(la.ImageEmbedder().embed(paths), classes)
    pixels = precision_at_1(la.PixelEmbedder().embed(paths), classes)
    assert model > 0.8
    assert model > pixels + 0.3

"""Folders of labelled images small enough for tests: a class is two colours, whatever pattern they are in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 20
RED, GREEN, BLUE, GREY = (200, 60, 60), (60, 200, 60), (60, 60, 200), (110, 110, 110)
COLOURS = [(RED, GREEN), (RED, BLUE), (GREEN, BLUE), (RED, GREY), (GREEN, GREY), (BLUE, GREY)]


def pattern(kind: int, random: np.random.Generator) -> np.ndarray:
    """An image of a class: stripes of its colours, of any width and direction, anywhere."""
    width = random.integers(2, 8)
    stripes = (np.arange(SIDE) + random.integers(0, 2 * width)) // width % 2
    which = np.broadcast_to(np.expand_dims(stripes, random.integers(0, 2)), (SIDE, SIDE))
    picture = np.array(COLOURS[kind])[which] + random.normal(0, 20, (SIDE, SIDE, 3))
    return np.uint8(np.clip(picture, 0, 255))


def write_classes(folder: Path, classes: int = 6, count: int = 6, seed: int = 0) -> Path:
    """Write folder/a/0.png, folder/a/1.png, ..., folder/b/0.png, ..."""
    random = np.random.default_rng(seed)
    for kind in range(classes):
        below = folder / "abcdef"[kind]
        below.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.fromarray(pattern(kind, random)).save(below / f"{number}.png")
    return folder

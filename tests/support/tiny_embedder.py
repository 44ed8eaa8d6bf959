"""A model small enough for tests: the mean colours of a photo's four quarters."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lookalike.errors import ImageError


class TinyEmbedder:
    def __init__(self, identity: str = "tiny-1", seconds: float = 0.0) -> None:
        self.name = identity.split("-")[0]
        self.dim = 12
        self.identity = identity
        self.seconds = seconds
        self.embedded: list[str] = []

    def embed(self, images: Any) -> np.ndarray:
        return np.stack([self._one(image) for image in images])

    def embed_stream(self, images: Iterable[Any]) -> Iterator[tuple[int, np.ndarray | Exception]]:
        for index, image in enumerate(images):
            time.sleep(self.seconds)
            try:
                yield index, self._one(image)
            except ImageError as error:
                yield index, error

    def _one(self, image: Any) -> np.ndarray:
        try:
            picture = image if isinstance(image, Image.Image) else Image.open(image)
            pixels = np.asarray(picture.convert("RGB").resize((2, 2), Image.Resampling.BOX), np.float32)
        except OSError as error:
            raise ImageError(f"image {image}: cannot be decoded: {error}") from error
        self.embedded.append("?" if isinstance(image, Image.Image) else Path(image).name)
        return (pixels.ravel() + 1.0) * (1.0 if self.identity == "tiny-1" else 2.0)


def write_photo(path: Path, seed: int, size: tuple[int, int] = (24, 16)) -> Path:
    """Write a photo of four flat quarters, of colours the seed draws."""
    colours = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(colours).resize(size, Image.Resampling.NEAREST).save(path)
    return path

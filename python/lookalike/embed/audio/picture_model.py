"""An image model over the spectrogram of a window."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from .card import AudioCard, PictureSpec

if TYPE_CHECKING:
    from ..runtime.session import Device


class PictureModel:
    """Windows to vectors by an image model, with high pitches on top and time from left to right.

    Its three colours are spectrograms of short, middling and long frames: no frame resolves both time and
    pitch. The square root of the features is taken, so that few large ones do not hide the many small ones
    (Arandjelovic and Zisserman, 2012, "Three things everyone should know to improve object retrieval",
    section 3). The network averages over the whole picture, and so forgets how high a pitch was: each band's
    mean and deviation over the window, at the same length, keep it.
    """

    def __init__(self, card: AudioCard, way: PictureSpec, device: Device) -> None:
        from ..image.embedder import ImageEmbedder

        self._card, self._way = card, way
        self._images = ImageEmbedder(way.image_model, device=device, threads=1)
        self._side = self._images.card.input.preparation.size
        bands = way.spectrograms[0].bands
        self._rows = _stretching(bands, self._side)
        self.identity = card.identity((self._images.identity,))
        self.device = self._images.device
        self.dim = self._images.dim + (2 * bands if way.bands else 0)
        if card.dim != self.dim:
            raise ModelError(f"model {card.name}: dim is {card.dim}; [spectrogram] makes {self.dim}")

    def prepare(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a window's spectrograms, float32 (3, bands, side): time is stretched to the picture's."""
        levels = [spectrogram(samples) for spectrogram in self._way.spectrograms]
        return np.stack([level @ _stretching(level.shape[1], self._side).T for level in levels])

    def infer(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the vectors, float32 (n, dim), of windows (n, 3, bands, side)."""
        features = self._images.embed_squares(self.pictures(windows))
        if self._way.root:
            features = np.sign(features) * np.sqrt(np.abs(features))
        if not self._way.bands:
            return features
        middle = windows[:, 1]
        bands_stats = np.concatenate([middle.mean(axis=2), middle.std(axis=2)], axis=1)
        return np.concatenate([_unit(features), _unit(bands_stats)], axis=1)

    def pictures(self, windows: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return windows as pictures, uint8 (n, side, side, 3)."""
        squares = self._rows @ windows[:, :, ::-1]
        return np.ascontiguousarray(np.rint(squares * 255.0).astype(np.uint8).transpose(0, 2, 3, 1))


@functools.lru_cache(maxsize=16)
def _stretching(count: int, wanted: int) -> NDArray[np.float32]:
    """Return the matrix (wanted, count) that resizes `count` pixels to `wanted`, by straight lines."""
    places = ((np.arange(wanted) + 0.5) * count / wanted - 0.5).clip(0, count - 1)
    distances = np.abs(places[:, None] - np.arange(count))
    return (1.0 - distances).clip(0.0).astype(np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)

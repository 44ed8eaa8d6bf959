"""Sound seen: a window's spectrogram as a picture, through a model of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .sound_card import AudioCard, PictureSpec

if TYPE_CHECKING:
    from .onnx_session import Device


class PictureModel:
    """Windows to vectors by a model of images, which sees high pitches on top and time from left to right.

    The network averages what it finds over the whole picture, and so forgets how high a pitch was. Where the
    card asks for it, each band's mean and deviation over the window follow, at the same length: they keep it.
    """

    def __init__(self, card: AudioCard, way: PictureSpec, device: Device) -> None:
        from .images import ImageEmbedder

        self._card, self._way = card, way
        self._images = ImageEmbedder(way.image_model, device=device, threads=1)
        side = self._images.card.input.preparation.size
        self._rows = _stretching(way.spectrogram.bands, side)
        self.identity = card.identity((self._images.identity,))
        self.device = self._images.device
        self.dim = self._images.dim + (2 * way.spectrogram.bands if way.bands else 0)
        if card.dim != self.dim:
            raise ModelError(f"model {card.name}: dim is {card.dim}; [spectrogram] makes {self.dim}")

    def prepare(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a window's spectrogram, float32 (bands, frames)."""
        return self._way.spectrogram(samples)

    def infer(self, spectrograms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the vectors, float32 (n, dim), of spectrograms (n, bands, frames)."""
        seen = self._images.embed_squares(self.pictures(spectrograms))
        if not self._way.bands:
            return seen
        heard = np.concatenate([spectrograms.mean(axis=2), spectrograms.std(axis=2)], axis=1)
        return np.concatenate([_unit(seen), _unit(heard)], axis=1)

    def pictures(self, spectrograms: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return spectrograms as grey pictures, uint8 (n, side, side, 3)."""
        columns = _stretching(spectrograms.shape[2], len(self._rows))
        squares = np.rint(self._rows @ spectrograms[:, ::-1] @ columns.T * 255.0).astype(np.uint8)
        return np.repeat(squares[..., None], 3, axis=3)


def _stretching(count: int, wanted: int) -> NDArray[np.float32]:
    """Return the matrix (wanted, count) that resizes `count` pixels to `wanted`, by straight lines."""
    places = ((np.arange(wanted) + 0.5) * count / wanted - 0.5).clip(0, count - 1)
    distances = np.abs(places[:, None] - np.arange(count))
    return (1.0 - distances).clip(0.0).astype(np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)

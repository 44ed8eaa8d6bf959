"""An audio network over short stretches of a spectrogram, pooled over a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from .card import AudioCard, FramesSpec

if TYPE_CHECKING:
    from ..runtime.session import Device


class FramesModel:
    """Windows to vectors by two graphs: samples to a spectrogram, and stretches of it to vectors, pooled."""

    def __init__(self, card: AudioCard, way: FramesSpec, device: Device) -> None:
        from ..runtime.session import OnnxSession

        self._card, self._way = card, way
        self._front = OnnxSession(way.front.read(card.name), card.name, device)
        self._back = OnnxSession(way.back.read(card.name), card.name, device)
        self.identity = card.identity(())
        self.device = self._back.device
        silence = self.prepare(np.zeros(round(card.window * card.rate), np.float32))
        self.dim = self.infer(silence[None]).shape[1]
        if card.dim != self.dim:
            raise ModelError(f"model {card.name}: dim is {card.dim}; its graphs give {self.dim}")

    def prepare(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return stretches of a window's spectrogram, float32 (n, length, bands)."""
        loud = (samples * np.float32(self._way.loudness))[None]
        found = self._front.run(loud, self._front.output(None).name)
        frames = found.reshape(-1, found.shape[-1]) * np.float32(self._way.scale)
        frames = frames + np.float32(self._way.offset)
        if len(frames) < self._way.length:
            raise ModelError(
                f"model {self._card.name}: sound.window gives {len(frames)} frames; it must give "
                f"{self._way.length} (frames.length)"
            )
        stretches = np.lib.stride_tricks.sliding_window_view(frames, self._way.length, axis=0)
        return np.ascontiguousarray(stretches[:: self._way.step].transpose(0, 2, 1), np.float32)

    def infer(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the vectors, float32 (n, dim), of windows (n, stretches, length, bands)."""
        flat = windows.reshape(-1, *windows.shape[2:])[..., None]
        found = self._back.run(flat, self._back.output(None).name).reshape(*windows.shape[:2], -1)
        mean: NDArray[np.float32] = found.mean(axis=1)
        if self._way.pooling == "mean":
            return mean
        return np.concatenate([mean, found.std(axis=1)], axis=1)

"""Draws the spectrogram of a sound: of its first seconds, or of the moment found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..embed.kinds import SOUNDS
from .scan import suffix_of

_RATE, _SECONDS = 32_000, 2.0
# From silence to the loudest spot: paper grey to ink, by way of blue.
_COLOURS = np.array(
    [(238, 238, 235), (196, 208, 222), (116, 150, 190), (52, 84, 140), (20, 28, 60)], np.float64
)


def is_sound(source: Any) -> bool:
    """Whether something is a sound by its looks: a path that ends like one, or (samples, rate)."""
    if isinstance(source, str | os.PathLike):
        return suffix_of(Path(source)) in SOUNDS.suffixes
    return isinstance(source, tuple)


def draw_sound(source: Any, side: int, start: float = 0.0, end: float | None = None) -> Image.Image:
    """Draw a sound from `start` to `end` seconds, RGB, `side` pixels a side: time to the right, pitch up.

    Raises
    ------
    lookalike.errors.AudioError
        If it cannot be read.
    """
    from ..embed.audio.decode import SoundLimits, read_sound
    from ..embed.audio.mel import Spectrogram

    last = start + _SECONDS if end is None else end
    samples = np.concatenate(
        [*read_sound(source, _RATE, SoundLimits(), start, last), np.zeros(1, np.float32)]
    )
    step = max(1, len(samples) // (2 * side))
    spectrogram = Spectrogram(_RATE, 2048, step, 96, 50.0, 14_000.0)
    picture = Image.fromarray(_coloured(spectrogram(samples)[::-1]))
    return picture.resize((side, side), Image.Resampling.BILINEAR)


def _coloured(levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Give levels from 0 to 1, (height, width), their colours, uint8 (height, width, 3)."""
    steps = np.linspace(0.0, 1.0, len(_COLOURS))
    channels = [np.interp(levels, steps, _COLOURS[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=2)).astype(np.uint8)

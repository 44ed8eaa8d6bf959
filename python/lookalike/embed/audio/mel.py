"""Log-mel spectrograms: the power in each mel band over time, in decibels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Scale = Literal["slaney", "htk"]
# Slaney's scale is linear up to 1000 Hz, 15 mel, and logarithmic above: 27 mel to a factor of 6.4.
_KNEE_HZ, _KNEE_MEL = 1000.0, 15.0
_STEP = np.log(6.4) / 27.0
# Power of what is taken for silence: a sine at -100 dB of full scale, summed over a window of Hann.
_SILENCE = 1e-10


def mel_of(hertz: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Return the pitch of frequencies.

    "slaney" is the scale of the Auditory Toolbox (Slaney, 1998, "Auditory Toolbox, version 2", section 4),
    "htk" that of the Hidden Markov Model Toolkit (Young et al., 2006, "The HTK Book", section 5.4).

    >>> mel_of(np.array([0.0, 1000.0, 6400.0]), "slaney").round(6)
    array([ 0., 15., 42.])
    >>> mel_of(np.array([0.0, 1000.0]), "htk").round(2)
    array([  0.  , 999.99])
    """
    if scale == "htk":
        return np.asarray(2595.0 * np.log10(1.0 + hertz / 700.0))
    above = _KNEE_MEL + np.log(np.maximum(hertz, _KNEE_HZ) / _KNEE_HZ) / _STEP
    return np.where(hertz < _KNEE_HZ, hertz * (_KNEE_MEL / _KNEE_HZ), above)


def hertz_of(mel: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Return the frequencies of pitches: what `mel_of` undoes.

    >>> hertz_of(mel_of(np.array([20.0, 440.0, 8000.0]), "htk"), "htk").round(6)
    array([  20.,  440., 8000.])
    """
    if scale == "htk":
        return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
    above = _KNEE_HZ * np.exp((np.maximum(mel, _KNEE_MEL) - _KNEE_MEL) * _STEP)
    return np.where(mel < _KNEE_MEL, mel * (_KNEE_HZ / _KNEE_MEL), above)


@dataclass(frozen=True)
class Spectrogram:
    """How a log-mel spectrogram is made.

    Parameters
    ----------
    rate
        Samples a second.
    frame
        Samples of one Fourier transform, weighted by a Hann window.
    step
        Samples from one frame to the next.
    bands
        How many bands, evenly spaced on the mel scale, from `low` to `high` Hz. Their filters are triangles
        of equal area, as Slaney has them.
    scale
        "slaney" or "htk".
    decibels
        How far below its loudest spot a spectrogram reaches; that spot is the reference, so it does not
        depend on how loud the sound is.
    """

    rate: int
    frame: int
    step: int
    bands: int
    low: float
    high: float
    scale: Scale = "slaney"
    decibels: float = 80.0

    @cached_property
    def filters(self) -> NDArray[np.float32]:
        """How much of each frequency of a Fourier transform belongs to each band: (bands, frame // 2 + 1)."""
        low, high = mel_of(np.array([self.low, self.high]), self.scale)
        edges = hertz_of(np.linspace(low, high, self.bands + 2), self.scale)
        hertz = np.fft.rfftfreq(self.frame, 1.0 / self.rate)
        below, peak, above = edges[:-2, None], edges[1:-1, None], edges[2:, None]
        triangles = np.minimum((hertz - below) / (peak - below), (above - hertz) / (above - peak))
        return (triangles.clip(0.0) * (2.0 / (above - below))).astype(np.float32)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the spectrogram, float32 (bands, frames), from 0 (silent) to 1 (the loudest spot).

        Frames are centred on every `step`-th sample; silence lies before and after the samples, (n,).
        """
        half = self.frame // 2
        padded = np.pad(samples, (half, self.frame - half))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.frame)[:: self.step]
        hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(self.frame) / self.frame)
        spectrum = np.fft.rfft(frames * hann.astype(np.float32), axis=1)
        power = self.filters @ (spectrum.real**2 + spectrum.imag**2).astype(np.float32).T
        loudest = max(float(power.max(initial=0.0)), _SILENCE)
        decibels = 10.0 * np.log10(np.maximum(power, np.float32(_SILENCE)) / loudest)
        return np.asarray((decibels / self.decibels + 1.0).clip(0.0, 1.0), np.float32)

"""Sounds that a formula makes: tones, chirps, noise and clicks, written as any format there is."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")

RATE = 32_000


def times(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.arange(round(seconds * rate)) / rate


def tone(hertz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * times(seconds, rate))).astype(np.float32)


def chirp(low: float, high: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    t = times(seconds, rate)
    return (0.5 * np.sin(2 * np.pi * (low * t + (high - low) * t**2 / (2 * seconds)))).astype(np.float32)


def noise(seed: int, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.2, round(seconds * rate)).clip(-1, 1).astype(np.float32)


def clicks(each: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    samples = np.zeros(round(seconds * rate), np.float32)
    samples[:: round(each * rate)] = 0.9
    return samples


def write(path: Path, samples: np.ndarray, rate: int = RATE, **how: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **how)
    return path


def encoded(samples: np.ndarray, rate: int = RATE, **how: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **how)
    return file.getvalue()

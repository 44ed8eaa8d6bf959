"""How fast is learned at what time, and where chance comes from: functions of time alone.

Nothing here keeps state, so a resumed training takes the same steps as an uninterrupted one.
"""

from __future__ import annotations

import math

import numpy as np

_WARM_UP = 0.05


def rate_at(time: float) -> float:
    """Return the share of the learning rate at a time from 0 to 1: up in a line, then down along a cosine.

    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), without restarts.

    >>> [round(rate_at(time), 2) for time in (0.0, 0.025, 0.05, 0.525, 1.0)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if time < _WARM_UP:
        return time / _WARM_UP
    return (1 + math.cos(math.pi * (time - _WARM_UP) / (1 - _WARM_UP))) / 2


def seed_at(seed: int, epoch: int, step: int) -> int:
    """Return the seed of all chance in one step.

    >>> seed_at(0, 1, 2) == seed_at(0, 1, 2) != seed_at(0, 2, 1)
    True
    """
    return int(np.random.SeedSequence([seed, epoch, step]).generate_state(1)[0])

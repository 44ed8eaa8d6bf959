"""Points of recall and cost, their Pareto front, and what a recall costs between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class Point:
    """One setting of one index: what it finds, and what that takes."""

    setting: Any
    recall: float
    rate: float  # queries a second
    p50: float = math.nan  # seconds
    p99: float = math.nan
    distances: float | None = None  # computed for a query


def front(points: Sequence[Point]) -> list[Point]:
    """Those that no other beats in both recall and rate, by rising recall."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (-point.rate, -point.recall)):
        if not kept or point.recall > kept[-1].recall:
            kept.append(point)
    return kept


@dataclass(frozen=True)
class Reading:
    """A value at a recall; `bound` where even the fastest point finds more, whose value it then is."""

    value: float
    bound: bool = False


def at(points: Sequence[Point], recall: float, value: Callable[[Point], float | None]) -> Reading | None:
    """A positive value at a recall, its logarithm linear between points of the front; None out of reach."""
    best = [point for point in front(points) if value(point)]
    above = [point for point in best if point.recall >= recall]
    if not above:
        return None
    high = above[0]
    below = [point for point in best if point.recall < recall]
    if not below or high.recall == recall:
        return Reading(value(high), bound=high.recall > recall)
    low = below[-1]
    share = (recall - low.recall) / (high.recall - low.recall)
    return Reading(math.exp(math.log(value(low)) * (1 - share) + math.log(value(high)) * share))

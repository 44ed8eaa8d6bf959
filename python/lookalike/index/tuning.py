"""Recall against effort: confidence intervals, and the least effort that reaches a recall."""

from __future__ import annotations

from collections.abc import Callable

Measured = list[tuple[float, int]]

Z = 1.959964  # of 95 %


def wilson(share: float, trials: int) -> tuple[float, float]:
    """Return where a probability lies with 95 % confidence, a share of the trials having succeeded.

    The interval of Wilson (1927), which stays inside [0, 1] and has a width even where every trial succeeded.
    A recall is a mean over queries, each between 0 and 1; no such mean scatters more than that of as many
    trials that succeed or fail, so with queries for trials the interval is, if anything, too wide.

    >>> wilson(0.95, 1000)
    (0.934686, 0.96187)
    """
    if trials == 0:
        return 0.0, 1.0
    slack = Z * Z / trials
    centre = (share + slack / 2) / (1 + slack)
    half = Z / (1 + slack) * (share * (1 - share) / trials + slack / (4 * trials)) ** 0.5
    return round(max(0.0, centre - half), 6), round(min(1.0, centre + half), 6)


def least_effort(measure: Callable[[int], float], target: float, first: int, last: int) -> Measured:
    """Return recalls measured at efforts from `first` to `last`, ascending in effort.

    Among them is, within a thirty-second, the least effort that reaches the target, if any does: efforts are
    doubled until one does, then the gap is halved. `measure` should not fall with the effort.

    >>> least_effort(lambda effort: min(1.0, effort / 100), 0.7, 10, 1000)
    [(0.1, 10), (0.2, 20), (0.4, 40), (0.6, 60), (0.65, 65), (0.67, 67), (0.68, 68), (0.7, 70), (0.8, 80)]
    """
    measured = {first: measure(first)}
    low = high = first
    while measured[high] < target and high < last:
        low, high = high, min(2 * high, last)
        measured[high] = measure(high)
    while high - low > max(1, low // 32) and measured[high] >= target:
        middle = (low + high) // 2
        measured[middle] = measure(middle)
        low, high = (low, middle) if measured[middle] >= target else (middle, high)
    return [(measured[effort], effort) for effort in sorted(measured)]


def effort_for(recall: float, measured: Measured) -> int | None:
    """Return the least effort that was measured to reach a recall, to a millionth; None where none was.

    >>> effort_for(0.9, [(0.8, 16), (0.93, 32), (0.97, 64)])
    32
    """
    return min((effort for reached, effort in measured if reached > recall - 1e-6), default=None)


def merge(old: Measured, new: Measured) -> Measured:
    """Return the new measurements and those of the old ones that they do not contradict, ascending.

    An old one is contradicted by a new one that reached less with as much effort or more.

    >>> merge([(0.9, 20), (0.99, 200)], [(0.85, 20), (0.96, 80)])
    [(0.85, 20), (0.96, 80), (0.99, 200)]
    """
    kept = [
        (recall, effort)
        for recall, effort in old
        if all(effort > other or (effort < other and recall <= reached) for reached, other in new)
    ]
    return sorted({*kept, *new})

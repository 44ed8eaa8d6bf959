"""Which photos are queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np


def choose_queries(classes: Sequence[str], count: int, seed: int) -> list[int]:
    """Draw rows evenly from all classes of more than one photo: one of each, a second of each, and so on.

    The last round, which may not go round, takes classes by chance. Returns at most `count` rows, ascending.

    >>> classes = ["cat", "dog", "cat", "cat", "dog", "emu"]
    >>> sorted(classes[row] for row in choose_queries(classes, 4, seed=0))
    ['cat', 'cat', 'dog', 'dog']
    """
    rng = np.random.default_rng(seed)
    sizes = Counter(classes)
    round_of: Counter[str] = Counter()
    drawn: list[tuple[int, float, int]] = []
    for row in rng.permutation(len(classes)).tolist():
        if sizes[classes[row]] > 1:
            drawn.append((round_of[classes[row]], rng.random(), row))
            round_of[classes[row]] += 1
    return sorted(row for _, _, row in sorted(drawn)[:count])

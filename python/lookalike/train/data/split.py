"""Which classes are trained on, and which are held out to validate."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InvalidArgument
from .examples import Examples

#: Two of a kind: with fewer classes, or images of a class, nothing can be nearer than something else.
LEAST = 2


@dataclass(frozen=True)
class Split:
    """The names of the classes of either part."""

    training: list[str]
    validation: list[str]


def split_classes(classes: Sequence[str], validation: float | Sequence[str], seed: int) -> Split:
    """Set classes apart for validation: those named, or a share of them, drawn by the seed.

    Raises
    ------
    InvalidArgument
        Where a named class does not exist, or either part would have fewer than two classes (none at all is
        allowed for validation: `validation` 0, or no names).

    Examples
    --------
    >>> from lookalike.train.data.split import split_classes
    >>> split_classes(["ant", "bee", "cat", "dog"], 0.5, seed=0)
    Split(training=['bee', 'dog'], validation=['ant', 'cat'])
    """
    if isinstance(validation, (int, float)):
        if not 0 <= validation < 1:
            raise InvalidArgument(
                f"validation_classes is {validation}; it must be names, or a share in [0, 1)"
            )
        count = max(LEAST, round(validation * len(classes))) if validation else 0
        chosen = np.random.default_rng(seed).permutation(len(classes))[:count]
        names = {classes[number] for number in chosen}
    else:
        names = set(validation)
        if unknown := sorted(names - set(classes)):
            raise InvalidArgument(f"validation_classes names {unknown[0]!r}; there is {_some(classes)}")
    split = Split([c for c in classes if c not in names], [c for c in classes if c in names])
    if len(split.training) < LEAST or len(split.validation) == 1:
        raise InvalidArgument(
            f"validation_classes takes {len(split.validation)} of {len(classes)} classes and leaves "
            f"{len(split.training)} to learn from; there must be 2 or more of each, or validation_classes 0 "
            "to go without"
        )
    return split


def usable_classes(examples: Examples) -> tuple[list[str], list[str]]:
    """Return the classes of two images or more, and a line for each of one, which has nothing to be near to.

    Raises
    ------
    InvalidArgument
        Where fewer than two such classes remain.

    Examples
    --------
    >>> from lookalike.train.data.examples import Examples
    >>> from lookalike.train.data.split import usable_classes
    >>> usable_classes(Examples("abcde", np.array([0, 0, 1, 2, 2]), ["ant", "bee", "cat"]))
    (['ant', 'cat'], ['class bee: has one image; it must have 2'])
    """
    counts = dict(zip(examples.classes, examples.counts().tolist(), strict=True))
    usable = [name for name, count in counts.items() if count >= LEAST]
    if len(usable) < LEAST:
        raise InvalidArgument(
            f"there are {len(examples)} usable images in {sum(map(bool, counts.values()))} classes, and "
            f"{len(usable)} of the classes have 2 or more; at least 2 classes must, or there is nothing "
            "to tell apart"
        )
    single = [f"class {name}: has one image; it must have 2" for name, count in counts.items() if count == 1]
    return usable, single


def _some(classes: Sequence[str], limit: int = 8) -> str:
    names = ", ".join(os.fsdecode(name) for name in classes[:limit])
    return names if len(classes) <= limit else f"{names}, ... ({len(classes)} in all)"

"""P classes times K images: batches in which every image has others of its class and others of other classes.

Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person Re-Identification" (2017), section 2.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidArgument

Rows = NDArray[np.int64]


class Deck:
    """Cards that are dealt in random order, each once before any comes again."""

    def __init__(self, cards: Rows, random: np.random.Generator) -> None:
        self._cards, self._random = cards, random
        self._left = random.permutation(cards)

    def deal(self, count: int) -> Rows:
        """Take `count` different cards; where too few are left, all are shuffled again for the rest."""
        hand, self._left = self._left[:count], self._left[count:]
        if len(hand) < count:
            fresh = self._random.permutation(self._cards)
            rest = fresh[~np.isin(fresh, hand)][: count - len(hand)]
            self._left = fresh[~np.isin(fresh, rest)]
            hand = np.concatenate([hand, rest])
        return hand


def batches(
    labels: Rows, classes_per_batch: int, images_per_class: int, seed: int, epoch: int
) -> Iterator[Rows]:
    """Yield an epoch's batches, each the rows of P classes times K images, grouped by class.

    There are as many as it takes to see as many images as there are. Classes come equally often, however many
    images they have. The same seed and epoch give the same batches, so nothing has to be remembered between
    epochs.

    Examples
    --------
    >>> from lookalike.train.data.batches import batches
    >>> labels = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    >>> [labels[rows].tolist() for rows in batches(labels, 2, 2, seed=0, epoch=0)]
    [[0, 0, 1, 1], [2, 2, 1, 1]]
    """
    random = np.random.default_rng([seed, epoch])
    decks = {label: Deck(np.flatnonzero(labels == label), random) for label in np.unique(labels)}
    classes = Deck(np.array(list(decks)), random)
    for _ in range(batches_per_epoch(labels, classes_per_batch, images_per_class)):
        yield np.concatenate([decks[c].deal(images_per_class) for c in classes.deal(classes_per_batch)])


def batches_per_epoch(labels: Rows, classes_per_batch: int, images_per_class: int) -> int:
    """How many batches show as many images as there are; one at least."""
    return max(1, len(labels) // (classes_per_batch * images_per_class))


def fit_batch(
    labels: Rows, names: list[str], classes_per_batch: int | None, images_per_class: int | None
) -> tuple[int, int]:
    """Return P and K: as given, or up to 8 and 4, as the data allow.

    Raises
    ------
    InvalidArgument
        Where more are given than there are.

    Examples
    --------
    >>> from lookalike.train.data.batches import fit_batch
    >>> fit_batch(np.array([0, 0, 0, 1, 1]), ["cat", "dog"], None, None)
    (2, 2)
    """
    counts = np.bincount(labels, minlength=len(names))
    least = int(counts.argmin())
    if (images_per_class or 0) > counts[least]:
        raise InvalidArgument(
            f"images_per_class is {images_per_class}, but class {names[least]} has {counts[least]} images; "
            f"it must be at most {counts[least]}"
        )
    if (classes_per_batch or 0) > len(names):
        raise InvalidArgument(
            f"classes_per_batch is {classes_per_batch}, but there are {len(names)} classes to learn from; "
            f"it must be at most {len(names)}"
        )
    return classes_per_batch or min(8, len(names)), images_per_class or min(4, int(counts[least]))

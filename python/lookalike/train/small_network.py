"""A small convolutional network to learn from scratch: for small pictures, and for machines without a GPU."""

from __future__ import annotations

from .extras import Module, torch

_WIDTH, _LARGEST_SIDE = 32, 7


def side_for(size: int) -> int:
    """Return the side of the map that features are averaged down to: where something is matters.

    >>> side_for(28), side_for(16), side_for(224)
    (7, 4, 7)
    """
    return min(size // 4, _LARGEST_SIDE)


def features_for(size: int) -> int:
    """Return how many features there are.

    >>> features_for(28)
    1568
    """
    return _WIDTH * side_for(size) ** 2


def small_network(size: int) -> Module:
    """Return a module from pixels, float (n, 3, size, size), 0 to 255, to `features_for(size)` features.

    One layer, and shallow on purpose. Deeper ones, learned from few classes, forget what those did not need:
    on unseen classes they lost to plain pixels, and this one, under a whitened head, wins (docs/training.md).
    """
    return torch.nn.Sequential(
        # Batch normalisation has a bias of its own. It also takes pixels as they are.
        torch.nn.Conv2d(3, _WIDTH, 3, padding=1, bias=False),
        torch.nn.BatchNorm2d(_WIDTH),
        torch.nn.ReLU(inplace=True),
        torch.nn.AdaptiveAvgPool2d(side_for(size)),
        torch.nn.Flatten(),
    )

"""A small convolutional network to learn from scratch: for small pictures, and for machines without a GPU."""

from __future__ import annotations

from itertools import pairwise

from .extras import Module, torch

_NARROWEST, _WIDEST = 32, 256
# The features are averaged over a map of about this side.
_LAST_SIDE = 4


def widths_for(size: int) -> list[int]:
    """Return how many channels each stage has: one stage of full size, then each halves the side.

    >>> widths_for(28), widths_for(96)
    ([32, 64, 128, 256], [32, 64, 128, 256, 256, 256])
    """
    halvings = 0
    while size > _LAST_SIDE:
        size, halvings = -(-size // 2), halvings + 1
    return [min(_NARROWEST << stage, _WIDEST) for stage in range(halvings + 1)]


def small_network(size: int, dim: int) -> Module:
    """Return a module from pixels, float (n, 3, size, size), 0 to 255, to vectors (n, dim)."""
    widths = widths_for(size)
    stages = [_stage(3, widths[0], 1)]
    stages += [_stage(narrow, wide, 2) for narrow, wide in pairwise(widths)]
    return torch.nn.Sequential(
        *stages, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(widths[-1], dim)
    )


def _stage(channels: int, width: int, stride: int) -> Module:
    # Batch normalisation has a bias of its own. It also takes pixels as they are.
    convolution = torch.nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
    return torch.nn.Sequential(convolution, torch.nn.BatchNorm2d(width), torch.nn.ReLU(inplace=True))

"""Augmentation: random crops, mirroring and light."""

from __future__ import annotations

from typing import Any, Literal, get_args

from ...errors import InvalidArgument
from ..extras import Tensor, functional, torch

Change = Literal["crop", "flip", "colour"]
CHANGES: tuple[Change, ...] = get_args(Change)

# Szegedy et al., "Going Deeper with Convolutions" (2015), section 6, began the habit with areas from 0.08
# on; what an embedding compares are whole things, so less is cut away here.
_LEAST_AREA, _ASPECT = 0.4, 4 / 3
# By how much brightness, contrast and saturation vary, as a factor either way.
_LIGHT = 0.3


def check_changes(changes: Any) -> tuple[Change, ...]:
    """Return the changes in a fixed order. Raises InvalidArgument, which names one that does not exist.

    >>> check_changes(["flip", "crop"])
    ('crop', 'flip')
    """
    for change in changes:
        if change not in CHANGES:
            raise InvalidArgument(f"augment is {change!r}; it must be some of {', '.join(CHANGES)}")
    return tuple(change for change in CHANGES if change in changes)


def augment(pictures: Tensor, size: int, changes: tuple[Change, ...], random: Any) -> Tensor:
    """Change every picture of a batch by chance.

    Parameters
    ----------
    pictures
        Tensor (n, 3, side, side), 0 to 255.
    size
        Side of what is returned; without "crop" the centre of that size is.
    changes
        What may happen to a picture.
    random
        The torch.Generator all chance comes from.

    Returns
    -------
    float32 (n, 3, size, size), 0 to 255.
    """
    pictures = pictures.float()
    if "crop" in changes:
        pictures = _crop(pictures, size, random)
    else:
        first = (pictures.shape[-1] - size) // 2
        pictures = pictures[:, :, first : first + size, first : first + size]
    if "flip" in changes:
        mirrored = torch.rand(len(pictures), generator=random) < 0.5
        pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
    return _light(pictures, random) if "colour" in changes else pictures


def _crop(pictures: Tensor, size: int, random: Any) -> Tensor:
    """Cut out a part of random area, aspect and place, and make it a square."""
    count = len(pictures)
    area = _uniform(count, _LEAST_AREA, 1.0, random)
    stretch = torch.exp(_uniform(count, -1.0, 1.0, random) * torch.log(torch.tensor(_ASPECT)) / 2)
    # Shares of the picture's width and height.
    width, height = (area.sqrt() * stretch).clamp(max=1.0), (area.sqrt() / stretch).clamp(max=1.0)
    left = _uniform(count, -1.0, 1.0, random) * (1 - width)
    top = _uniform(count, -1.0, 1.0, random) * (1 - height)
    zero = torch.zeros(count)
    where = torch.stack(
        [torch.stack([width, zero, left], dim=1), torch.stack([zero, height, top], dim=1)], dim=1
    )
    grid = functional.affine_grid(where, [count, 3, size, size], align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def _light(pictures: Tensor, random: Any) -> Tensor:
    """Vary brightness, contrast and saturation."""
    brightness, contrast, saturation = (
        _uniform(len(pictures), 1 - _LIGHT, 1 + _LIGHT, random)[:, None, None, None] for _ in range(3)
    )
    pictures = pictures * brightness
    grey = pictures.mean(dim=1, keepdim=True)
    pictures = grey + (pictures - grey) * saturation
    mean = grey.mean(dim=(2, 3), keepdim=True)
    return (mean + (pictures - mean) * contrast).clamp(0, 255)


def _uniform(count: int, low: float, high: float, random: Any) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=random)

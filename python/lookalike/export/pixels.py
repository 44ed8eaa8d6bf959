"""How a network wants its pixels: what its source says, and what the user says instead."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from ..embed.cards.fields import Channels
from ..embed.image.preparation import Filter, Fit, Preparation
from ..errors import InvalidArgument, ModelError

IMAGENET_MEAN: Channels = (0.485, 0.456, 0.406)
IMAGENET_STD: Channels = (0.229, 0.224, 0.225)
_LARGEST = 4096


@dataclass(frozen=True)
class Pixels:
    """The square an image is made into, and the mean and deviation its pixels, 0 to 1, are normalised by.

    Examples
    --------
    >>> from lookalike.export import Pixels
    >>> Pixels.of(size=224, resized=256, filter="bilinear").preparation
    Preparation(size=224, fit='crop', crop=0.875, filter='bilinear')
    """

    preparation: Preparation
    mean: Channels = IMAGENET_MEAN
    std: Channels = IMAGENET_STD

    @classmethod
    def of(
        cls,
        size: int,
        *,
        resized: float | None = None,
        stretch: bool = False,
        filter: str = "bicubic",
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> Pixels:
        """Say it in the words of training code: the shorter side is `resized`, then `size` is cut out.

        A filter that no model.toml knows is taken, and refused where it is not changed.
        """
        crop = 1.0 if stretch or resized is None else min(1.0, size / resized)
        fit: Fit = "stretch" if stretch else "crop"
        return cls(Preparation(size, fit, crop, filter), _channels("mean", mean), _channels("std", std))  # type: ignore[arg-type]

    def changed(
        self,
        size: int | None = None,
        fit: str | None = None,
        crop: float | None = None,
        filter: str | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> Pixels:
        """Return it with what is given in place of what was there.

        Raises InvalidArgument, which names the argument, and ModelError where the network's own filter is
        none that images can be shrunk by.
        """
        if size is not None and not 1 <= size <= _LARGEST:
            raise InvalidArgument(f"size is {size}; it must be from 1 to {_LARGEST} pixels")
        if crop is not None and not 0 < crop <= 1:
            raise InvalidArgument(f"crop is {crop}; it must be a number above 0 and up to 1")
        for name, value, words in (("fit", fit, get_args(Fit)), ("filter", filter, get_args(Filter))):
            if value is not None and value not in words:
                raise InvalidArgument(f"{name} is {value!r}; it must be one of {list(words)}")
        said: dict[str, Any] = {"size": size, "fit": fit, "crop": crop, "filter": filter}
        given = {name: value for name, value in said.items() if value is not None}
        preparation = dataclasses.replace(self.preparation, **given)
        if preparation.filter not in get_args(Filter):
            raise ModelError(
                f"the network's images are resized by {preparation.filter!r}; --filter names another: "
                f"one of {list(get_args(Filter))}"
            )
        return Pixels(
            preparation,
            self.mean if mean is None else _channels("mean", mean),
            self.std if std is None else _channels("std", std),
        )


def _channels(name: str, values: Sequence[float]) -> Channels:
    numbers = tuple(float(value) for value in values)
    if len(numbers) == 1:
        numbers *= 3
    right = len(numbers) == 3 and all(abs(number) < 1e6 for number in numbers)
    if not right or (name == "std" and min(numbers) <= 0):
        above = " above 0" if name == "std" else ""
        raise InvalidArgument(
            f"{name} is {list(values)}; it must be one number or three (red, green, blue){above}, "
            "for pixels from 0 to 1"
        )
    red, green, blue = numbers
    return red, green, blue

"""How an image becomes a square of pixels, and how large a file may be: settings only, no pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fit = Literal["crop", "stretch"]
Filter = Literal["box", "bilinear", "hamming", "bicubic", "lanczos"]


@dataclass(frozen=True)
class Preparation:
    """The square an image is made into.

    Parameters
    ----------
    size
        Side of the square in pixels.
    fit
        "crop" takes the centre square, `crop` times the shorter side; "stretch" squeezes the whole image.
    crop
        Share of the shorter side, in (0, 1].
    filter
        How it is shrunk; every filter averages. An image that is too small is enlarged by bicubic.
    """

    size: int
    fit: Fit = "crop"
    crop: float = 1.0
    filter: Filter = "bicubic"

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) of the part of a width x height image that is kept.

        >>> Preparation(224, crop=0.5).box(400, 200)
        (150.0, 50.0, 250.0, 150.0)
        """
        if self.fit == "stretch":
            return 0.0, 0.0, float(width), float(height)
        side = min(width, height) * self.crop
        left, top = (width - side) / 2, (height - side) / 2
        return left, top, left + side, top + side

    @property
    def least_side(self) -> int:
        """The shorter side below which an image would have to be enlarged."""
        return -int(-self.size // (self.crop if self.fit == "crop" else 1.0))


@dataclass(frozen=True)
class Limits:
    """How large an image may be: pixels, read from its header before decoding, and bytes of file."""

    pixels: int = 178_956_970
    bytes: int = 1 << 30

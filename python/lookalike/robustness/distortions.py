"""What happens to photos between a camera and the web: shifts, scalings, crops, turns, light, blur and JPEG.

Each takes an upright RGB photo, uint8 of shape (height, width, 3), and how strong it is to be, and gives
another photo of the same shape (`crop` alone gives a smaller one). None draws a random number, none changes
what it was given, and at strength 0 each gives the photo back. Where a photo has to go on beyond its edge,
the words say how.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Photo = NDArray[np.uint8]


def shift(photo: Photo, share: float) -> Photo:
    """Move right and down by a share of width and height; behind it the photo goes on as its mirror image.

    >>> shift(np.arange(12, dtype=np.uint8).reshape(1, 4, 3), 0.25)[0, :, 0]
    array([0, 0, 3, 6], dtype=uint8)
    """
    height, width = photo.shape[:2]
    down, right = round(share * height), round(share * width)
    return np.pad(photo, ((down, 0), (right, 0), (0, 0)), mode="symmetric")[:height, :width]


def enlarge(photo: Photo, share: float) -> Photo:
    """Enlarge by a share about the centre, as zooming in does; what no longer fits is cut off."""
    height, width = photo.shape[:2]
    kept_x, kept_y = width / (1 + share), height / (1 + share)
    left, top = (width - kept_x) / 2, (height - kept_y) / 2
    box = (left, top, left + kept_x, top + kept_y)
    return np.asarray(Image.fromarray(photo).resize((width, height), Image.Resampling.BICUBIC, box))


def shrink(photo: Photo, share: float) -> Photo:
    """Make smaller by a share about the centre; around it lies the photo's mean colour."""
    height, width = photo.shape[:2]
    small_width, small_height = max(1, round(width * (1 - share))), max(1, round(height * (1 - share)))
    small = Image.fromarray(photo).resize((small_width, small_height), Image.Resampling.BICUBIC)
    page = np.empty_like(photo)
    page[:] = np.rint(photo.mean(axis=(0, 1)))
    left, top = (width - small_width) // 2, (height - small_height) // 2
    page[top : top + small_height, left : left + small_width] = np.asarray(small)
    return page


def crop(photo: Photo, share: float) -> Photo:
    """Cut a share of width off the right and of height off the bottom."""
    height, width = photo.shape[:2]
    return photo[: max(1, round(height * (1 - share))), : max(1, round(width * (1 - share)))]


def rotate(photo: Photo, degrees: float) -> Photo:
    """Turn counterclockwise about the centre inside its frame; corners are filled with its mirror image."""
    height, width = photo.shape[:2]
    # As far from the centre as a corner is, there must be something to turn into the frame.
    reach = math.hypot(width, height)
    pad_x, pad_y = math.ceil((reach - width) / 2), math.ceil((reach - height) / 2)
    padded = Image.fromarray(np.pad(photo, ((pad_y, pad_y), (pad_x, pad_x), (0, 0)), mode="symmetric"))
    # Rounded, so that quarter turns move pixels and nothing else.
    cos, sin = round(math.cos(math.radians(degrees)), 12), round(math.sin(math.radians(degrees)), 12)
    x, y = width / 2, height / 2
    # Where a point of the result, counted from the centre, lay before.
    before = (cos, -sin, pad_x + x - cos * x + sin * y, sin, cos, pad_y + y - sin * x - cos * y)
    turned = padded.transform((width, height), Image.Transform.AFFINE, before, Image.Resampling.BICUBIC)
    return np.asarray(turned)


def darken(photo: Photo, share: float) -> Photo:
    """Take away a share of the light: every value is multiplied by 1 - share."""
    return _lit(photo, 1 - share)


def brighten(photo: Photo, share: float) -> Photo:
    """Add a share of light: every value is multiplied by 1 + share, and what exceeds 255 is lost.

    >>> brighten(np.array([[[0, 100, 200]]], np.uint8), 0.5)
    array([[[  0, 150, 255]]], dtype=uint8)
    """
    return _lit(photo, 1 + share)


def blur(photo: Photo, share: float) -> Photo:
    """Blur by a Gaussian whose deviation is a share of the shorter side; the edge goes on outside."""
    deviation = share * min(photo.shape[:2])
    return np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(deviation)))


def jpeg(photo: Photo, loss: float) -> Photo:
    """Compress as JPEG of quality 100 - loss, and decode; at a loss of 0 the photo is left alone."""
    if loss == 0:
        return photo
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=round(100 - loss))
    return np.asarray(Image.open(file))


def _lit(photo: Photo, factor: float) -> Photo:
    lit: Photo = np.rint(photo * factor).clip(0, 255).astype(np.uint8)
    return lit


@dataclass(frozen=True)
class Distortion:
    """A distortion, the strengths it is measured at, and how people write them.

    Examples
    --------
    >>> from lookalike.robustness import DISTORTIONS
    >>> shift = DISTORTIONS[0]
    >>> shift.name, [shift.label(strength) for strength in shift.strengths]
    ('shift', ['5 %', '10 %', '20 %', '30 %'])
    """

    name: str
    apply: Callable[[Photo, float], Photo]
    strengths: tuple[float, ...]
    label: Callable[[float], str]

    @property
    def says(self) -> str:
        """What it does, in a line."""
        return (self.apply.__doc__ or "").splitlines()[0]


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _degrees(angle: float) -> str:
    return f"{angle:g}°"


def _quality(loss: float) -> str:
    return f"q {100 - loss:g}" if loss else "none"


#: What photos are put through, in the order of tables and plots. A new one is a line here.
DISTORTIONS = (
    Distortion("shift", shift, (0.05, 0.1, 0.2, 0.3), _percent),
    Distortion("enlarge", enlarge, (0.1, 0.25, 0.5, 1.0), _percent),
    Distortion("shrink", shrink, (0.1, 0.2, 0.35, 0.5), _percent),
    Distortion("crop", crop, (0.1, 0.2, 0.3, 0.5), _percent),
    Distortion("rotate", rotate, (10.0, 30.0, 90.0, 180.0), _degrees),
    Distortion("darken", darken, (0.2, 0.4, 0.6, 0.8), _percent),
    Distortion("brighten", brighten, (0.25, 0.5, 1.0, 2.0), _percent),
    Distortion("blur", blur, (0.005, 0.01, 0.02, 0.04), _percent),
    Distortion("jpeg", jpeg, (50.0, 75.0, 90.0, 95.0), _quality),
)

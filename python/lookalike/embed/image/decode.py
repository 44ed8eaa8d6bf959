"""From a file, bytes, a PIL image or an array to a square of pixels. The only file that imports Pillow."""

from __future__ import annotations

import functools
import io
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

try:
    from PIL import Image, UnidentifiedImageError
except ImportError as error:
    raise ImportError("images need Pillow: pip install 'lookalike[images]'") from error

from ...errors import ImageError
from .preparation import Limits, Preparation

# What people keep photos in. Formats that run programs or name other files (EPS, WMF, ...) stay out.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
_ORIENTATION = 0x0112
# How to undo each EXIF orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# A PIL image reads its file at first use, and may stand in a list twice: one thread at a time.
_loading = threading.Lock()


def prepare(
    source: Any, how: Preparation, limits: Limits, mode: Literal["RGB", "L"] = "RGB"
) -> NDArray[np.uint8]:
    """Decode an image and make it a square of pixels, upright, alpha over white.

    Returns uint8 (size, size, 3), or (size, size) for mode "L". Raises ImageError, which says what is wrong
    but not with which image.
    """
    with _loaded(source, limits, how.least_side) as image:
        return _square(image, how, mode)


def upright(source: Any, longest: int, limits: Limits) -> NDArray[np.uint8]:
    """Decode an image whole: RGB, upright, alpha over white, shrunk to at most `longest` pixels a side.

    Returns uint8 (height, width, 3). Raises ImageError, which says what is wrong but not with which image.
    """
    with _loaded(source, limits, longest) as image:
        turn = _UPRIGHT.get(_orientation(image))
        image = _opaque(image).convert("RGB")
        image.thumbnail((longest, longest), Image.Resampling.BICUBIC, reducing_gap=3.0)
        return np.asarray(image if turn is None else image.transpose(turn))


@contextmanager
def _loaded(source: Any, limits: Limits, least_side: int) -> Iterator[Image.Image]:
    """Open an image and read it; a JPEG at no less than `least_side` pixels for its shorter side."""
    try:
        if isinstance(source, Image.Image):
            _check_pixels(source.size, limits)
            with _loading:
                source.load()
            yield source
            return
        with _open(source, limits) as image:
            _check_pixels(image.size, limits)
            # Lets JPEG skip the detail that resizing would throw away.
            image.draft(None, (least_side, least_side))
            image.load()
            yield image
    except ImageError:
        raise
    # Pillow answers damaged files with nearly every exception there is.
    except Exception as error:
        raise ImageError(f"cannot be decoded: {error or type(error).__name__}") from error


def _open(source: Any, limits: Limits) -> Image.Image:
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        _check_bytes(memoryview(source).nbytes, limits)
        return _open_file(io.BytesIO(source), limits)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        _check_file(path, limits)
        return _open_file(path, limits)
    raise ImageError(
        f"is a {type(source).__name__}; it must be a path, bytes, PIL image or uint8 array (height, width, 3)"
    )


def _open_file(file: Path | io.BytesIO, limits: Limits) -> Image.Image:
    try:
        return Image.open(file, formats=_formats())
    except UnidentifiedImageError:
        raise ImageError(f"is not an image of a known format ({', '.join(_formats())})") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"has too many pixels for Pillow's MAX_IMAGE_PIXELS: {error}") from None


@functools.cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _check_file(path: Path, limits: Limits) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise ImageError("does not exist") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(status.st_mode):
        raise ImageError("is a folder" if stat.S_ISDIR(status.st_mode) else "is not a regular file")
    _check_bytes(status.st_size, limits)


def _check_bytes(size: int, limits: Limits) -> None:
    if size == 0:
        raise ImageError("is empty (0 bytes)")
    if size > limits.bytes:
        raise ImageError(f"has {size:,} bytes; the limit is {limits.bytes:,} (max_bytes)")


def _check_pixels(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height == 0:
        raise ImageError(f"has no pixels ({width} x {height})")
    if width * height > limits.pixels:
        raise ImageError(
            f"has {width} x {height} = {width * height:,} pixels; the limit is {limits.pixels:,} (max_pixels)"
        )


def _from_array(array: NDArray[Any]) -> Image.Image:
    shape = f"array of shape {array.shape}, dtype {array.dtype}"
    if array.dtype != np.uint8:
        raise ImageError(f"is an {shape}; it must be uint8")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] in (3, 4)):
        channels_first = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        hint = "; move the channels last: array.transpose(1, 2, 0)" if channels_first else ""
        raise ImageError(f"is an {shape}; it must be (height, width), or (height, width, 1, 3 or 4){hint}")
    if array.size == 0:
        raise ImageError(f"is an {shape}: no pixels")
    return Image.fromarray(np.ascontiguousarray(array))


def _square(image: Image.Image, how: Preparation, mode: Literal["RGB", "L"]) -> NDArray[np.uint8]:
    turn = _UPRIGHT.get(_orientation(image))
    image = _opaque(image)
    if image.mode != mode:
        image = image.convert(mode)
    left, top, right, bottom = box = how.box(*image.size)
    shrinks = min(right - left, bottom - top) >= how.size
    resampling = Image.Resampling[how.filter.upper()] if shrinks else Image.Resampling.BICUBIC
    square = image.resize((how.size, how.size), resampling, box, reducing_gap=3.0)
    # The kept part is centred, so it may as well be turned when it is small.
    return np.asarray(square if turn is None else square.transpose(turn))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    # Broken metadata are no reason to lose a photo.
    except Exception:
        return 1


def _opaque(image: Image.Image) -> Image.Image:
    """Bring any mode to one that Pillow converts to RGB and L rightly: 8 bits, nothing transparent."""
    if image.mode.startswith("I"):
        # 16 bits a sample, also where Pillow keeps them in 32.
        samples = np.asarray(image).astype(np.int64).clip(0, 65535)
        return Image.fromarray(((samples * 255 + 32767) // 65535).astype(np.uint8))
    if image.mode == "F":
        values = np.asarray(image)
        if not np.isfinite(values).all():
            raise ImageError("has pixels that are NaN or infinite")
        # Floating point images run from 0 to 1, or to 255.
        scaled = values * (255.0 if values.max() <= 1.0 else 1.0)
        return Image.fromarray(np.rint(scaled.clip(0, 255)).astype(np.uint8))
    if image.has_transparency_data:
        if image.mode == "La":
            image = image.convert("LA")
        rgba = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(rgba, mask=rgba)
        return paper
    return image

"""The contact sheet: a query and its neighbours on one picture."""

from __future__ import annotations

import errno
import io
import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from .._checks import as_count
from .._progress import clock
from .._text import printable
from ..errors import AudioError, InvalidArgument, io_error
from .hit import PhotoHit
from .lettering import draw_words
from .query import Words
from .sound_picture import draw_sound, is_sound

_PAPER, _MOUNT, _INK, _PALE = (250, 250, 248), (238, 238, 235), (34, 34, 34), (128, 128, 124)
_MARGIN, _GAP = 36, 20
_QUERY = 360  # pixels a side; neighbours are smaller
_CELL = 220
_CAPTION = 46
_HEADER = 30
_UNNAMED = "an example given directly"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_sheet(query: Any, hits: Sequence[PhotoHit], columns: int | None = None) -> Image.Image:
    """Draw the query large on the left and the hits, nearest first, in a grid on the right."""
    shown = [(rank, hit) for rank, hit in enumerate(hits, 1) if not _is_same_file(query, hit.path)]
    if columns is None:
        columns = _suited_columns(len(shown))
    columns = as_count(columns, "columns")
    rows = math.ceil(len(shown) / columns)
    grid_width = columns * (_CELL + _GAP) - _GAP
    grid_height = _HEADER + rows * (_CELL + _CAPTION + _GAP) - _GAP
    height = max(grid_height, _HEADER + _QUERY + _CAPTION)
    sheet = Image.new(
        "RGB", (_MARGIN + _QUERY + 2 * _MARGIN + grid_width + _MARGIN, height + 2 * _MARGIN), _PAPER
    )
    draw = ImageDraw.Draw(sheet)
    _header(draw, _MARGIN, "QUERY")
    _draw_query(sheet, draw, (_MARGIN, _MARGIN + _HEADER), query)
    left = _MARGIN + _QUERY + 2 * _MARGIN
    draw.line([(left - _MARGIN, _MARGIN), (left - _MARGIN, _MARGIN + height)], fill=(224, 224, 220))
    _header(draw, left, _title(len(shown), len(hits)))
    for place, (rank, hit) in enumerate(shown):
        x = left + place % columns * (_CELL + _GAP)
        y = _MARGIN + _HEADER + place // columns * (_CELL + _CAPTION + _GAP)
        _mount(sheet, (x, y), _CELL, hit.path, hit)
        _caption(draw, (x, y + _CELL + 7), rank, hit)
    return sheet


def _draw_query(sheet: Image.Image, draw: ImageDraw.ImageDraw, corner: tuple[int, int], query: Any) -> None:
    x, y = corner
    if isinstance(query, Words):
        draw.rounded_rectangle([x, y, x + _QUERY - 1, y + _QUERY - 1], radius=6, fill=_MOUNT)
        draw_words(draw, (x + 20, y + 20), _QUERY - 40, query, _INK)
        return
    _mount(sheet, corner, _QUERY, query)
    name = printable(Path(query).name) if isinstance(query, str | os.PathLike) else _UNNAMED
    _text(draw, (x, y + _QUERY + 10), name, _font(17), _INK, _QUERY)


def _title(shown: int, found: int) -> str:
    if shown:
        return "NEAREST FIRST, COSINE DISTANCE"
    return "ONLY THE QUERY ITSELF WAS FOUND" if found else "NOTHING FOUND"


def _suited_columns(count: int) -> int:
    """Return how many columns make a grid of `count` wide rather than high, with few places left empty."""
    ideal = math.sqrt(1.5 * count)
    near = range(max(1, math.ceil(ideal) - 1), max(1, min(6, math.ceil(ideal) + 1)) + 1)
    return min(near, key=lambda columns: (-count % columns, abs(columns - ideal)), default=6)


def check_format(path: Path) -> None:
    """Refuse a path whose suffix is of no format that can be written."""
    Image.init()
    if path.suffix.lower() not in Image.EXTENSION or Image.EXTENSION[path.suffix.lower()] not in Image.SAVE:
        raise InvalidArgument(
            f"sheet {path}: no image format has the suffix {path.suffix!r}; take .png or .jpg"
        )


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Write the sheet in the format the path's suffix says."""
    check_format(path)
    try:
        sheet.save(path)
    except OSError as error:
        reason = f"sheet {path}: cannot be written: {error.strerror or error}"
        raise io_error(error.errno or errno.EIO, reason) from error


def open_upright(image: Any, side: int) -> Image.Image:
    """Open an image of any kind as RGB, upright, at most `side` pixels a side; transparency becomes paper.

    Raises
    ------
    OSError, ValueError
        If it cannot be read.
    """
    with _open(image) as picture:
        picture.draft("RGB", (2 * side, 2 * side))
        upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith(("I", "F")):
        upright = _stretched(upright)
    if upright.has_transparency_data:
        clear = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", clear.size, (*_PAPER, 255)), clear)
    upright = upright.convert("RGB")
    upright.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return upright


def _open(image: Any) -> Image.Image:
    if isinstance(image, Image.Image):
        return image.copy()
    if isinstance(image, bytes | bytearray | memoryview):
        return Image.open(io.BytesIO(image))
    if isinstance(image, str | os.PathLike):
        return Image.open(image)
    array = np.asarray(image)
    return Image.fromarray(array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def _stretched(picture: Image.Image) -> Image.Image:
    """Bring 16-bit and float greys, whatever their range, to 8 bits."""
    values = np.asarray(picture, np.float64)
    low, high = values.min(), values.max()
    return Image.fromarray(((values - low) * (255.0 / max(high - low, 1e-9))).astype(np.uint8))


def _mount(
    sheet: Image.Image, corner: tuple[int, int], side: int, image: Any, hit: PhotoHit | None = None
) -> None:
    x, y = corner
    draw = ImageDraw.Draw(sheet)
    draw.rounded_rectangle([x, y, x + side - 1, y + side - 1], radius=6, fill=_MOUNT)
    try:
        with warnings.catch_warnings():
            # A photo larger than Pillow likes was embedded all the same.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if is_sound(image):
                start, end = (None, None) if hit is None else (hit.start, hit.end)
                picture = draw_sound(image, side - 16, start or 0.0, end)
            else:
                picture = open_upright(image, side - 16)
    except (AudioError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        draw.text((x + side / 2, y + side / 2), "cannot be shown", font=_font(15), fill=_PALE, anchor="mm")
        return
    sheet.paste(picture, (x + (side - picture.width) // 2, y + (side - picture.height) // 2))


def _caption(draw: ImageDraw.ImageDraw, corner: tuple[int, int], rank: int, hit: PhotoHit) -> None:
    x, y = corner
    place = str(rank) if hit.start is None else f"{rank}   {clock(hit.start)}"
    _text(draw, (x, y), place, _font(16), _INK, _CELL)
    distance = f"{hit.distance:.3f}"
    draw.text((x + _CELL - draw.textlength(distance, font=_font(16)), y), distance, font=_font(16), fill=_INK)
    _text(draw, (x, y + 21), printable(hit.path.name), _font(14), _PALE, _CELL)


def _header(draw: ImageDraw.ImageDraw, x: int, text: str) -> None:
    draw.text((x, _MARGIN), text, font=_font(13), fill=_PALE)


def _text(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: str,
    font: Font,
    fill: tuple[int, int, int],
    width: int,
) -> None:
    """Write text, its middle cut out where it is wider than `width`."""
    keep = len(text)
    fitting = text
    while draw.textlength(fitting, font=font) > width and keep > 4:
        keep -= 1
        fitting = f"{text[: keep // 2]}…{text[-(keep - keep // 2) :]}"
    draw.text(corner, fitting, font=font, fill=fill)


def _font(size: int) -> Font:
    return ImageFont.load_default(size=size)


def _is_same_file(query: Any, path: Path) -> bool:
    if isinstance(query, Words) or not isinstance(query, str | os.PathLike):
        return False
    try:
        return Path(query).samefile(path)
    except OSError:
        return False

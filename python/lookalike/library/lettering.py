"""Draws text in place of a query's photo on a contact sheet."""

from __future__ import annotations

from PIL import ImageDraw, ImageFont

from .._text import printable

_LARGEST, _SMALLEST = 56, 12
_LEADING = 1.25


def draw_words(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], side: int, words: str, ink: tuple[int, int, int]
) -> None:
    """Draw words in the middle of a square, as large as they fit; what never fits is cut off."""
    for size in range(_LARGEST, _SMALLEST - 1, -4):
        font = ImageFont.load_default(size=size)
        lines = _wrap(draw, printable(words), font, side)
        room = int(side / (size * _LEADING))
        if len(lines) <= room and all(draw.textlength(line, font=font) <= side for line in lines):
            break
    else:
        lines = [*lines[: room - 1], "…"] if len(lines) > room else lines
    x, y = corner
    top = y + (side - len(lines) * size * _LEADING) / 2
    for place, line in enumerate(lines):
        middle = (x + side / 2, top + (place + 0.5) * size * _LEADING)
        draw.text(middle, _cut(draw, line, font, side), font=font, fill=ink, anchor="mm")


def _wrap(
    draw: ImageDraw.ImageDraw,
    words: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    width: int,
) -> list[str]:
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and draw.textlength(longer, font=font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _cut(
    draw: ImageDraw.ImageDraw, line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> str:
    keep = len(line)
    while keep > 1 and draw.textlength(line[:keep], font=font) > width:
        keep -= 1
    return line[:keep]

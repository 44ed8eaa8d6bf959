"""A picture that makes the idea obvious: one photo distorted in every way, and what models take it for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .._text import printable
from ..errors import ImageError, InvalidArgument
from .distortions import Photo
from .embedding import decode
from .study import Study

if TYPE_CHECKING:
    from ..embed import Embedder

_PAPER, _INK, _PALE, _LINE = (255, 255, 255), (34, 34, 34), (120, 120, 116), (224, 224, 220)
# Blue for right, orange for nearly, and vermilion for wrong; the words below say the same.
_ITSELF, _CLASS, _WRONG = (0, 114, 178), (0, 158, 115), (213, 94, 0)
_CELL, _GAP, _CAPTION, _MARGIN = 140, 14, 30, 30
_SIDE = 190  # the words at the left
_TITLE, _HEAD, _WORDS = 25, 20, 18  # sizes of letters


def draw_examples(found: Study, models: Sequence[Embedder], subject: Path | None = None) -> Image.Image:
    """Draw one photo under every distortion and, below, what each model finds nearest to it.

    The searches are made for the last but one strength, among all photos, the photo itself included.

    Parameters
    ----------
    found
        A study.
    models
        The models it was made with, in the same order.
    subject
        One of its photos; the first that was searched for when left out.

    Raises
    ------
    InvalidArgument
        `subject` is none of the photos of the study, or nothing was distorted.
    """
    if not found.distortions:
        raise InvalidArgument("examples: nothing was distorted, so there is nothing to draw")
    own = found.queries[0] if subject is None else _row_of(found, subject)
    photo = _read(found.photos.paths[own])
    rows = max(len(distortion.strengths) for distortion in found.distortions)
    columns = [_Column("as it is", [photo], [""], 0)]
    for distortion in found.distortions:
        pictures = [distortion.apply(photo, strength) for strength in distortion.strengths]
        labels = [distortion.label(strength) for strength in distortion.strengths]
        columns.append(_Column(distortion.name, pictures, labels, max(0, len(pictures) - 2)))
    return _Sheet(found, models, columns, own, rows).draw()


@dataclass(frozen=True)
class _Column:
    """One distortion: its pictures and their strengths, and which of them is searched for."""

    name: str
    pictures: list[Photo]
    labels: list[str]
    query: int


class _Sheet:
    def __init__(
        self, found: Study, models: Sequence[Embedder], columns: list[_Column], own: int, rows: int
    ) -> None:
        self._found, self._models, self._columns, self._own = found, models, columns, own
        # Distorted photos are as wide and high as the photo itself, or less; others may be anything.
        height, width = columns[0].pictures[0].shape[:2]
        self._step = min(_CELL, round(_CELL * height / width)) + _CAPTION + 4
        self._middle = _MARGIN + 74 + rows * self._step + _GAP  # where the second half begins
        width = 2 * _MARGIN + _SIDE + len(columns) * (_CELL + _GAP) - _GAP
        height = self._middle + 70 + len(models) * (_CELL + _CAPTION + 8) + _MARGIN // 2
        self._sheet = Image.new("RGB", (width, height), _PAPER)
        self._pen = ImageDraw.Draw(self._sheet)

    def draw(self) -> Image.Image:
        name = printable(self._found.photos.paths[self._own].name)
        self._write(_MARGIN, _MARGIN - 6, f"{name}, distorted", _TITLE, _INK)
        for number, column in enumerate(self._columns):
            x, y = self._left(number), _MARGIN + 74
            self._write(x, y - 34, column.name, _HEAD, _INK)
            for place, (picture, label) in enumerate(zip(column.pictures, column.labels, strict=True)):
                self._place(picture, x, y, _INK if place == column.query else None)
                self._write(x, y + self._step - _CAPTION, label, _WORDS, _PALE)
                y += self._step
        self._draw_searches()
        return self._sheet

    def _draw_searches(self) -> None:
        y = self._middle
        self._pen.line([(_MARGIN, y), (self._sheet.width - _MARGIN, y)], fill=_LINE)
        count = len(self._found.photos.paths)
        title = f"Which of the {count:,} photos is nearest to the framed one, by each model"
        self._write(_MARGIN, y + 16, title, _TITLE, _INK)
        y += 70
        for model, study in zip(self._models, self._found.models, strict=True):
            self._write(_MARGIN, y + _CELL // 3, study.name, _HEAD, _INK, _SIDE - 10)
            asked = model.embed([column.pictures[column.query] for column in self._columns])
            for number, vector in enumerate(asked):
                row, _ = study.gallery.nearest(vector)
                words, colour = self._verdict(row)
                x = self._left(number)
                below = self._place(_read(self._found.photos.paths[row]), x, y, colour)
                self._write(x, below + 6, words, _WORDS, colour, _CELL)
            y += _CELL + _CAPTION + 8

    def _verdict(self, row: int) -> tuple[str, tuple[int, int, int]]:
        if row == self._own:
            return "itself", _ITSELF
        name = printable(self._found.photos.classes[row])
        if self._found.photos.classes[row] == self._found.photos.classes[self._own]:
            return f"another {name}", _CLASS
        return f"wrong: {name}", _WRONG

    def _left(self, column: int) -> int:
        return _MARGIN + _SIDE + column * (_CELL + _GAP)

    def _place(self, photo: Photo, x: int, y: int, frame: tuple[int, int, int] | None) -> int:
        """Put a photo into its cell, in a frame; return where it ends below."""
        picture = Image.fromarray(photo)
        picture.thumbnail((_CELL, _CELL), Image.Resampling.LANCZOS)
        self._sheet.paste(picture, (x, y))
        if frame:
            box = [x - 4, y - 4, x + picture.width + 3, y + picture.height + 3]
            self._pen.rectangle(box, outline=frame, width=4)
        return y + picture.height

    def _write(
        self, x: int, y: int, text: str, size: int, fill: tuple[int, int, int], width: int | None = None
    ) -> None:
        font = ImageFont.load_default(size=size)
        while width and len(text) > 1 and self._pen.textlength(text, font=font) > width:
            text = f"{text.rstrip('…')[:-1]}…"
        self._pen.text((x, y), text, font=font, fill=fill)


def _row_of(found: Study, subject: Path) -> int:
    for row, path in enumerate(found.photos.paths):
        if path == subject or (subject.exists() and path.samefile(subject)):
            return row
    raise InvalidArgument(
        f"subject {subject}: is none of the {len(found.photos.paths)} photos that were read"
    )


def _read(path: Path) -> Photo:
    photo = decode(path)
    if isinstance(photo, ImageError):
        raise photo
    return np.asarray(photo)

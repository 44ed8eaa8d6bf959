"""What a search in a library found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .hit import PhotoHit

if TYPE_CHECKING:
    from PIL import Image


class PhotoHits(Sequence[PhotoHit]):
    """The photos found, nearest first: a list of `PhotoHit` that can be drawn.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lookalike.library import PhotoHit, PhotoHits
    >>> hits = PhotoHits([PhotoHit(Path("a.jpg"), 0.0), PhotoHit(Path("b.jpg"), 0.25)], query="a.jpg")
    >>> len(hits), hits[1].score, [hit.path.name for hit in hits]
    (2, 0.75, ['a.jpg', 'b.jpg'])
    """

    def __init__(self, hits: Sequence[PhotoHit], query: Any) -> None:
        self._hits = list(hits)
        #: What was searched for, as it was given.
        self.query = query

    @overload
    def __getitem__(self, index: int) -> PhotoHit: ...
    @overload
    def __getitem__(self, index: slice) -> PhotoHits: ...
    def __getitem__(self, index: int | slice) -> PhotoHit | PhotoHits:
        if isinstance(index, slice):
            return PhotoHits(self._hits[index], self.query)
        return self._hits[index]

    def __len__(self) -> int:
        return len(self._hits)

    def __eq__(self, other: object) -> bool:
        return self._hits == other._hits if isinstance(other, PhotoHits) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # equal by content, and a list at heart

    def __repr__(self) -> str:
        return f"PhotoHits({self._hits!r})"

    @property
    def paths(self) -> list[Path]:
        """Where the photos are, nearest first."""
        return [hit.path for hit in self._hits]

    @property
    def distances(self) -> list[float]:
        """How far they are, smallest first."""
        return [hit.distance for hit in self._hits]

    def sheet(self, path: str | os.PathLike[str] | None = None, *, columns: int | None = None) -> Image.Image:
        """Draw a contact sheet: the query large, its neighbours in a grid with rank, distance and name.

        The query itself, where it is among the hits, is not drawn again.

        Parameters
        ----------
        path : str or PathLike, optional
            Where to save it; the suffix says the format (``.png``, ``.jpg``, ...).
        columns : int, optional
            How many neighbours in a row; chosen to suit their number when left out.

        Returns
        -------
        PIL.Image.Image
            The sheet, RGB.

        Raises
        ------
        lookalike.errors.InvalidArgument
            If `path` has a suffix of no image format, or `columns` is not positive.
        lookalike.errors.IoError
            If `path` cannot be written.
        """
        from .sheet import draw_sheet, save_sheet

        sheet = draw_sheet(self.query, self._hits, columns)
        if path is not None:
            save_sheet(sheet, Path(path))
        return sheet

"""One photo, or one moment of a sound, that a search found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PhotoHit:
    """One photo, or one moment of a sound, that was found.

    Attributes
    ----------
    path : Path
        Where it is.
    distance : float
        1 - cosine similarity of the two vectors: 0 for the same content, smaller is nearer.
    start, end : float or None
        Of a sound: from which second to which it was found to be alike. None of a photo.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lookalike.library import PhotoHit
    >>> PhotoHit(Path("a.jpg"), 0.25).score
    0.75
    >>> PhotoHit(Path("rain.ogg"), 0.25, start=12.0, end=14.0).start
    12.0
    """

    path: Path
    distance: float
    start: float | None = None
    end: float | None = None

    @property
    def score(self) -> float:
        """The cosine similarity, 1 - distance: larger is nearer."""
        return 1.0 - self.distance

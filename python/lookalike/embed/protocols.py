"""What every model that turns images or sounds into vectors offers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .audio.windows import SoundWindows


class Embedder(Protocol):
    """Turns images into vectors; `ImageEmbedder` and `PixelEmbedder` are two.

    Examples
    --------
    >>> import lookalike as la
    >>> from lookalike.embed import Embedder
    >>> model: Embedder = la.PixelEmbedder(size=8)
    >>> model.name, model.dim
    ('pixels-8', 64)
    """

    @property
    def name(self) -> str:
        """What people call the model."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def identity(self) -> str:
        """Identifies the model: two that give different vectors have different identities."""
        ...

    def embed(self, images: Any) -> NDArray[np.float32]:
        """Return the vectors, float32 of shape (n, dim), of a list of images."""
        ...

    def embed_stream(self, images: Iterable[Any]) -> Iterator[tuple[int, NDArray[np.float32] | Exception]]:
        """Yield (position, vector or why there is none) for every image, taking images as it goes."""
        ...


class WindowEmbedder(Embedder, Protocol):
    """Turns sounds into vectors, as a whole and window by window; `AudioEmbedder` is one.

    Examples
    --------
    >>> import lookalike as la
    >>> from lookalike.embed.protocols import WindowEmbedder
    >>> model: WindowEmbedder = la.AudioEmbedder()
    >>> model.kind
    'audio'
    """

    @property
    def kind(self) -> Literal["audio"]:
        """What it takes."""
        ...

    def embed_windows(self, sound: Any) -> SoundWindows:
        """Return the windows of one sound: when each starts and ends, and its vector."""
        ...

    def windows_stream(self, sounds: Iterable[Any]) -> Iterator[tuple[int, SoundWindows | Exception]]:
        """Yield (position, windows or why there are none) for every sound, taking sounds as it goes."""
        ...

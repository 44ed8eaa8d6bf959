"""What a library asks of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class PhotoEmbedder(Protocol):
    """Turns photos into vectors; `lookalike.ImageEmbedder` is one, and any object with these members will do."""

    @property
    def name(self) -> str:
        """What people call the model."""
        ...

    @property
    def identity(self) -> str:
        """What tells models apart: two that give different vectors have different identities."""
        ...

    def embed(self, images: Any) -> NDArray[np.float32]:
        """Return the vectors, float32 of shape (n, dim), of a list of images."""
        ...

    def embed_stream(self, images: Iterable[Any]) -> Iterator[tuple[int, NDArray[np.float32] | Exception]]:
        """Yield (index, vector or why there is none) for every image, in any order, taking images as it goes."""
        ...

"""Vectors of a model that stays as it is, as a source to learn from: computed once, kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...embed.image.embedder import ImageEmbedder
from ..extras import Tensor, torch
from .batches import Rows
from .examples import Examples
from .reading import gather


class Features:
    """Vectors, float32 (n, dim), and the images they are of."""

    def __init__(self, vectors: NDArray[np.float32], images: Sequence[Any]) -> None:
        self.vectors = vectors
        self._images = images

    def changed(self, rows: Rows, random: Any) -> Tensor:
        """Return float32 (n, dim), as they are: to learn from changed pictures too was no gain."""
        return self.plain(rows)

    def plain(self, rows: Rows) -> Tensor:
        """Return float32 (n, dim)."""
        return torch.from_numpy(self.vectors[rows])

    def images(self, rows: Rows) -> list[Any]:
        """Return what the vectors are of."""
        return [self._images[row] for row in rows]


def read_features(examples: Examples, base: ImageEmbedder, progress: bool) -> tuple[Features, Examples]:
    """Embed what can be decoded."""
    vectors, kept = gather(
        base.embed_stream(examples.images), examples, (base.dim,), np.float32, "embedding", progress
    )
    return Features(vectors, kept.images), kept

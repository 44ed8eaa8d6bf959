"""A small graph that maps the vectors of an image model into the space of a text model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ..image.tower import unit
from ..runtime.session import Device, OnnxSession
from .card import HeadSpec

_ROWS = 1024


class Head:
    """The head of a card; may be called from many threads at once."""

    def __init__(self, spec: HeadSpec, name: str, dim: int, device: Device) -> None:
        self._name = f"{name}, head"
        self._session = OnnxSession(spec.file.read(self._name), self._name, device)
        found = self._session.only_input("the vectors")
        if found.dtype != "float32" or found.shape[1:] != (spec.over.dim,):
            raise ModelError(
                f"model {self._name}: takes {found}; {spec.over.name} gives float32 (n, {spec.over.dim})"
            )
        self._output = self._session.output(None).name
        given = self(np.ones((1, spec.over.dim), np.float32))
        if given.shape != (1, dim):
            raise ModelError(f"model {self._name}: gives {given.shape} for one vector; dim is {dim}")

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn vectors of the other model (n, its dim) into vectors of length 1 (n, dim)."""
        parts = [
            self._session.run(np.ascontiguousarray(vectors[start : start + _ROWS], np.float32), self._output)
            for start in range(0, len(vectors), _ROWS)
        ]
        return unit(np.concatenate(parts).astype(np.float32, copy=False))

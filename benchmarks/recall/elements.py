"""The same vectors in other elements: float16, or scaled to bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[Any]
DTYPES = {"f32": np.float32, "f16": np.float16, "u8": np.uint8, "s8": np.int8}


def as_element(base: Rows, queries: Rows, element: str) -> tuple[Rows, Rows]:
    """Base and queries as one of DTYPES; scaled to bytes together, unless they are bytes already."""
    dtype = DTYPES[element]
    if element in ("u8", "s8") and not (_fits(base, dtype) and _fits(queries, dtype)):
        base, queries = _scaled(base, queries, element)
    return (np.ascontiguousarray(base, dtype), np.ascontiguousarray(queries, dtype))


def _fits(rows: Rows, dtype: type) -> bool:
    """Whether all values are whole numbers that the bytes can hold."""
    limits = np.iinfo(dtype)
    inside = rows.min() >= limits.min and rows.max() <= limits.max
    return bool(inside and (rows == np.rint(rows)).all())


def _scaled(base: Rows, queries: Rows, element: str) -> tuple[Rows, Rows]:
    low, high = min(base.min(), queries.min()), max(base.max(), queries.max())
    if element == "u8":  # an offset changes no l2 distance
        offset, scale = low, 255 / (high - low)
    else:  # no offset: angles and products stay what they are
        offset, scale = 0.0, 127 / max(abs(low), abs(high))
    return np.rint((base - offset) * scale), np.rint((queries - offset) * scale)

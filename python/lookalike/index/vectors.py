"""Converts vectors: arrays of any layout, lists, tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InvalidArgument

F32, F16, U8, S8 = map(np.dtype, (np.float32, np.float16, np.uint8, np.int8))
# What the core takes as it is.
EXACT = (F32, F16, U8, S8)


def as_vectors(values: Any, name: str, metric: str) -> np.ndarray[Any, Any]:
    """Return vectors as an array of one or two axes, in a dtype the core takes, elements side by side.

    float64 is rounded to float32. Other integers and bools must be exactly float32 values.

    Parameters
    ----------
    values
        An array of any layout, nested lists of numbers, or any object with DLPack or the array protocol.
    name
        What the argument is called in messages.
    metric
        With "hamming" only packed bits, uint8, are taken.

    Raises
    ------
    InvalidArgument
        Where the values are no real numbers, have more than two axes, or do not fit in float32.
    """
    array = _as_array(values, name)
    if array.ndim not in (1, 2):
        raise InvalidArgument(f"{name} have {array.ndim} axes, shape {array.shape}; they must have 1 or 2")
    if metric == "hamming":
        array = _packed_bits(array, name)
    elif array.dtype.newbyteorder("=") not in EXACT:
        array = _to_exact(array, name)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    itemsize = array.dtype.itemsize
    dense = array.shape[-1] <= 1 or array.strides[-1] == itemsize
    if not (dense and array.strides[0] >= itemsize and array.flags.aligned):
        array = array.copy(order="C")
    return array


def as_queries(values: Any, metric: str) -> np.ndarray[Any, Any]:
    """Return queries as the core takes them; the commonest kinds some microseconds sooner."""
    if (
        type(values) is np.ndarray
        and ((dtype := values.dtype) is F32 or dtype is U8 or dtype is F16 or dtype is S8)
        and (flags := values.flags).c_contiguous
        and flags.aligned
        and 0 < values.ndim < 3
    ):
        return values
    return as_vectors(values, "queries", metric)


def _as_array(values: Any, name: str) -> np.ndarray[Any, Any]:
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            raise InvalidArgument(f"{name} hold masked values; fill or drop them first")
        return np.asarray(values.data)
    if isinstance(values, np.ndarray):
        return values
    if isinstance(values, (str, bytes, bytearray, dict, set, frozenset)):
        raise InvalidArgument(
            f"{name} are a {type(values).__name__}; they must be an array or a list of numbers"
        )
    try:
        if hasattr(values, "__dlpack__"):
            return np.from_dlpack(values)
        return np.asarray(values if hasattr(values, "__array__") else _listed(values))
    except Exception as error:
        raise InvalidArgument(f"{name} cannot be read as an array of numbers: {error}") from error


def _listed(values: Any) -> Any:
    """List what a generator yields; numpy would make a single object of it."""
    return values if hasattr(values, "__len__") or not hasattr(values, "__iter__") else list(values)


def _packed_bits(array: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    if array.size == 0:
        return array.astype(np.uint8)
    if array.dtype != np.uint8:
        raise InvalidArgument(
            f"{name} have dtype {array.dtype}; metric='hamming' takes packed bits, uint8 (see numpy.packbits)"
        )
    return array


def _to_exact(array: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    kind = array.dtype.kind
    if kind == "b":
        return array.view(np.uint8) if array.flags.c_contiguous else array.astype(np.uint8)
    if kind == "f":
        return _round(array, name)
    if kind in "iu":
        return _from_integers(array, name)
    raise InvalidArgument(f"{name} have dtype {array.dtype}; they must be real numbers")


def _round(array: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = array.astype(F32)
    overflow = np.isinf(rounded)
    if overflow.any() and (overflow := overflow & np.isfinite(array)).any():
        raise InvalidArgument(f"{_first(array, overflow, name)}, which is beyond float32")
    return rounded


def _from_integers(array: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    if array.size == 0 or (array.min() >= 0 and array.max() <= 255):
        return array.astype(np.uint8)
    rounded = array.astype(F32)
    limits = np.iinfo(array.dtype)
    # A float just above the largest integer would wrap on its way back.
    inside = (rounded >= float(limits.min)) & (rounded < float(limits.max) + 1.0)
    exact = np.where(inside, rounded, 0).astype(array.dtype) == array
    if not exact.all():
        raise InvalidArgument(f"{_first(array, ~exact, name)}, which float32 cannot hold exactly")
    return rounded


def _first(array: np.ndarray[Any, Any], bad: np.ndarray[Any, Any], name: str) -> str:
    row, column = np.argwhere(np.atleast_2d(bad))[0]
    return f"{name}[{row}, {column}] is {np.atleast_2d(array)[row, column]}"

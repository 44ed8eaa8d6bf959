"""The linear head on a model's vectors, initialised by within-class whitening."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..extras import Module, torch

# How far the scatter within classes is shrunk towards a ball: there are fewer images than directions.
_SHRINKAGE = 0.3


def within_class_whitening(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], dim: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (weight (dim, d), bias (dim,)) of a map after which images scatter evenly around their class.

    Directions in which images of one class differ a lot count less: Hatch, Kajarekar and Stolcke,
    "Within-class covariance normalization" (2006), with the covariance shrunk as by Ledoit and Wolf (2004),
    by a fixed share. Where `dim` is below d, the directions in which the vectors then vary most are kept. The
    vectors come out of length 1 on average.

    Examples
    --------
    >>> from lookalike.train.nets.head import within_class_whitening
    >>> loud = np.float32([[0, 0], [9, 0], [0, 1], [9, 1]])  # the classes differ in the second number
    >>> weight, bias = within_class_whitening(loud, np.array([0, 0, 1, 1]), 2)
    >>> before, after = loud, loud @ weight.T + bias
    >>> bool(np.ptp(after[:2, 0]) / np.ptp(after[::2, 1]) < np.ptp(before[:2, 0]) / np.ptp(before[::2, 1]))
    True
    """
    centre = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - centre
    within = centred.copy()
    for label in np.unique(labels):
        within[labels == label] -= centred[labels == label].mean(axis=0)
    scatter = within.T @ within / len(within)
    # Vectors that do not differ at all have no scatter to divide by.
    even = np.trace(scatter) / len(scatter) or 1.0
    scatter = (1 - _SHRINKAGE) * scatter + _SHRINKAGE * even * np.eye(len(scatter))
    values, axes = np.linalg.eigh(scatter)
    weight = (axes / np.sqrt(values)) @ axes.T
    if dim < len(weight):
        _, _, directions = np.linalg.svd(centred @ weight, full_matrices=False)
        weight = weight @ _filled(directions[:dim], dim, len(weight)).T
    weight = weight / (np.linalg.norm(centred @ weight, axis=1).mean() or 1.0)
    return weight.T.astype(np.float32), (-centre @ weight).astype(np.float32)


def _filled(directions: NDArray[Any], dim: int, width: int) -> NDArray[Any]:
    """Add directions at right angles where there are fewer vectors than dimensions."""
    if len(directions) == dim:
        return directions
    others = np.random.default_rng(0).standard_normal((dim, width))
    others[: len(directions)] = directions
    return np.asarray(np.linalg.qr(others.T)[0].T)


def make_head(vectors: NDArray[np.float32], labels: NDArray[np.int64], dim: int) -> Module:
    """Return a linear module from d to dim numbers that begins as `within_class_whitening`."""
    weight, bias = within_class_whitening(vectors, labels, dim)
    head = torch.nn.Linear(weight.shape[1], dim)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight))
        head.bias.copy_(torch.from_numpy(bias))
    return head

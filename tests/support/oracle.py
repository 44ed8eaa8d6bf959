"""What searches should return, computed in float64 by numpy."""

from __future__ import annotations

import numpy as np


def distances(queries, rows, metric: str) -> np.ndarray:
    """All distances, float64, shape (n, m)."""
    if metric == "hamming":
        a = np.unpackbits(np.atleast_2d(queries), axis=1).astype(np.int64)
        b = np.unpackbits(np.atleast_2d(rows), axis=1).astype(np.int64)
        return (a[:, None, :] != b[None, :, :]).sum(-1).astype(np.float64)
    a = np.atleast_2d(queries).astype(np.float64)
    b = np.atleast_2d(rows).astype(np.float64)
    if metric == "l2":
        return ((a[:, None, :] - b[None, :, :]) ** 2).sum(-1)
    products = a @ b.T
    if metric == "ip":
        return -products
    norms = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)[None, :]
    return 1 - np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)


def tolerance(queries, rows, metric: str) -> float:
    """How far float32 distances may be from float64 ones: rounded once, as are inverse norms."""
    exact = np.abs(distances(queries, rows, metric))
    return 4e-7 * max(1.0, float(exact.max(initial=0.0)))


def check_distances(found_ids, found_distances, exact, ids, k: int, within: float) -> list[np.ndarray]:
    """As many as there can be, each once, each at its true distance, in order, and then nothing.

    Returns the true distances of what was found.
    """
    position = {id: i for i, id in enumerate(ids)}
    found = []
    for row, (got_ids, got) in enumerate(zip(found_ids, found_distances, strict=True)):
        live = [id for id in got_ids if id is not None and id != -1]
        assert len(live) == min(k, len(ids)) == len(set(live))
        assert np.isinf(got[len(live) :]).all()
        assert (np.diff(got[: len(live)]) >= 0).all()
        found.append(exact[row, [position[id] for id in live]])
        np.testing.assert_allclose(got[: len(live)], found[-1], rtol=0, atol=within)
    return found


def check_nearest(found_ids, found_distances, exact, ids, k: int, within: float) -> None:
    """Every distance is the true one of its id, and no nearer row was left out."""
    found = check_distances(found_ids, found_distances, exact, ids, k, within)
    for got, true in zip(found, exact, strict=True):
        np.testing.assert_allclose(np.sort(got), np.sort(true)[: len(got)], rtol=0, atol=within)

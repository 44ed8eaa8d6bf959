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


def check_nearest(found_ids, found_distances, exact, ids, k: int, within: float) -> None:
    """Every distance is the true one of its id, and no nearer row was left out."""
    position = {id: i for i, id in enumerate(ids)}
    for row, (got_ids, got) in enumerate(zip(found_ids, found_distances, strict=True)):
        live = [id for id in got_ids if id is not None and id != -1]
        assert len(live) == min(k, len(ids)) == len(set(live))
        assert np.isinf(got[len(live) :]).all()
        assert (np.diff(got[: len(live)]) >= 0).all()
        true = exact[row, [position[id] for id in live]]
        np.testing.assert_allclose(got[: len(live)], true, rtol=0, atol=within)
        np.testing.assert_allclose(np.sort(true), np.sort(exact[row])[: len(live)], rtol=0, atol=within)

"""Data for approximate indexes, and how good their answers are, measured against Flat."""

from __future__ import annotations

import numpy as np

import lookalike as la


def clustered(count: int, dim: int, seed: int = 0, dtype=np.float32) -> np.ndarray:
    """Vectors as embeddings are: in clusters, near a subspace, and not centred."""
    shape = np.random.default_rng(99)
    centres = shape.normal(size=(20, 12)) * 1.5
    plane = shape.normal(size=(12, dim)) / 3
    rng = np.random.default_rng(seed)
    latent = centres[rng.integers(0, 20, count)] + rng.normal(size=(count, 12))
    rows = latent @ plane + 0.15 * rng.normal(size=(count, dim)) + 0.2
    scale = {np.uint8: (30, 120), np.int8: (25, 0)}.get(dtype)
    if scale is None:
        return rows.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(rows * scale[0] + scale[1]), limits.min, limits.max).astype(dtype)


def uniform(count: int, dim: int, seed: int = 0, dtype=np.float32) -> np.ndarray:
    """Vectors without structure."""
    rng = np.random.default_rng(seed)
    low, high = {np.uint8: (0, 256), np.int8: (-128, 128)}.get(dtype, (-1, 1))
    return rng.uniform(low, high, (count, dim)).astype(dtype)


def exact(index: la.HNSW | la.IVF) -> la.Flat:
    """What `index` holds in an index that cannot be wrong."""
    flat = la.Flat(metric=index.metric)
    ids = list(index)
    flat.add(index[ids], ids)
    return flat


def effort(index: la.HNSW | la.IVF, value: int) -> dict[str, int]:
    """A search's words for `value` as its effort."""
    return {"ef" if isinstance(index, la.HNSW) else "nprobe": value}


def recall(index: la.HNSW | la.IVF, flat: la.Flat, queries: np.ndarray, k: int = 10, **how) -> float:
    """Recall@k; never fewer found than there are, and whatever is as near as the last true one is as good."""
    where = how.get("where")
    found, true = index.search(queries, k, **how), flat.search(queries, k, where=where)
    assert np.array_equal(found.counts, true.counts), "fewer were found than exist"
    finite = np.where(np.isfinite(true.distances), true.distances, -np.inf)
    limit = finite.max(axis=-1, keepdims=True)
    # Distances are Flat's, but for codes that stand alone.
    rounding = 1e-5 * np.abs(limit) + 1e-6 if index.keep == "none" else 0
    right = found.distances <= limit + rounding
    return float(right.sum() / np.sum(true.counts))

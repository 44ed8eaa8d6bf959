"""The ten nearest of 100,000 random vectors, exactly."""

from __future__ import annotations

import numpy as np

import lookalike as la

rng = np.random.default_rng(0)
index = la.Flat(metric="l2")
index.add(rng.standard_normal((100_000, 128), np.float32))

ids, distances = index.search(rng.standard_normal(128, np.float32), k=10)
for id_, distance in zip(ids, distances, strict=True):
    print(f"{id_:6d}  {distance:.2f}")

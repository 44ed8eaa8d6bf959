"""Indexes of vectors: exact (Flat), a graph (HNSW), inverted lists (IVF), and k-means. Needs numpy only."""

from __future__ import annotations

from .flat import Flat
from .health import Check
from .hits import Hits, RangeHits
from .hnsw import HNSW
from .ivf import IVF
from .kmeans import KMeans
from .loading import load

__all__ = ["HNSW", "IVF", "Check", "Flat", "Hits", "KMeans", "RangeHits", "load"]

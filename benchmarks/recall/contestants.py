"""Who is measured: our indexes without an argument, hnswlib grown likewise, faiss trained on everything."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import has_package
from benchmarks.recall import SEED, K, growth
from benchmarks.recall.elements import Rows

Found = NDArray[np.int64]
INDEXES = {"hnsw": "HNSW", "ivf": "IVF", "flat": "Flat"}  # "flat" is for tests: it is never wrong
PEERS = {"hnsw": "hnswlib", "ivf": "faiss"}


def peer_of(index: str) -> str | None:
    """Whom an index is held against, if that is installed."""
    peer = PEERS.get(index)
    return peer if peer and has_package(peer) else None


class Ours:
    """An index of lookalike, by the name of its class."""

    rounds = growth.ROUNDS

    def __init__(self, kind: str, metric: str, seed: int = SEED) -> None:
        import lookalike as la

        seeded = {} if kind == "Flat" else {"seed": seed}
        self.index: Any = getattr(la, kind)(metric=metric, **seeded)

    def add(self, vectors: Rows, ids: Found) -> None:
        self.index.add(vectors, ids)

    def upsert(self, vectors: Rows, ids: Found) -> None:
        self.index.upsert(vectors, ids)

    def remove(self, ids: Found) -> None:
        self.index.remove(ids)

    def reopen(self) -> None:
        import lookalike as la

        with tempfile.TemporaryDirectory() as folder:
            self.index.save(Path(folder) / "saved.look")
            self.index = la.load(Path(folder) / "saved.look")

    def queries(self, queries: Rows) -> Rows:
        return queries

    def search(self, queries: Rows, k: int = K) -> Found:
        ids: Found = self.index.search(queries, k, threads=1).ids
        return ids


class Hnswlib:
    """M=16, ef_construction=200, ef=64. It takes some 2 ms to replace a row, and is asked to once."""

    rounds = 1

    def __init__(self, metric: str, dim: int, capacity: int, threads: int, seed: int = SEED) -> None:
        import hnswlib

        self.space, self.dim, self.capacity, self.threads = metric, dim, capacity, threads
        self.index = hnswlib.Index(space=metric, dim=dim)
        self.index.init_index(capacity, M=16, ef_construction=200, random_seed=seed)
        self.index.set_ef(64)

    def add(self, vectors: Rows, ids: Found) -> None:
        self.index.add_items(np.asarray(vectors, np.float32), ids, num_threads=self.threads)

    upsert = add

    def remove(self, ids: Found) -> None:
        for id in ids:
            self.index.mark_deleted(id)

    def reopen(self) -> None:
        import hnswlib

        with tempfile.TemporaryDirectory() as folder:
            self.index.save_index(f"{folder}/saved")
            self.index = hnswlib.Index(space=self.space, dim=self.dim)
            self.index.load_index(f"{folder}/saved", self.capacity)
        self.index.set_ef(64)

    def queries(self, queries: Rows) -> Rows:
        return np.asarray(queries, np.float32)

    def search(self, queries: Rows, k: int = K) -> Found:
        try:
            return self.index.knn_query(queries, k, 1)[0].astype(np.int64)
        except RuntimeError:  # a query found fewer than k
            return np.stack([self._search(query, k) for query in queries])

    def _search(self, query: Rows, k: int) -> Found:
        try:
            return self.index.knn_query(query, k, 1)[0][0].astype(np.int64)
        except RuntimeError:
            return np.full(k, -1)


class Faiss:
    """Inverted lists of whole vectors, as many and as many scanned as ours, trained on all there is."""

    def __init__(self, metric: str, lists: int, probes: int, threads: int) -> None:
        self.metric, self.lists, self.probes, self.threads = metric, lists, probes, threads

    def add(self, vectors: Rows, ids: Found) -> None:
        """Train on all rows, and add them."""
        import faiss

        rows, self.ids = self.queries(vectors), ids
        faiss.omp_set_num_threads(self.threads)
        measure = faiss.METRIC_L2 if self.metric == "l2" else faiss.METRIC_INNER_PRODUCT
        quantizer = (faiss.IndexFlatL2 if self.metric == "l2" else faiss.IndexFlatIP)(rows.shape[1])
        self.index = faiss.IndexIVFFlat(quantizer, rows.shape[1], min(self.lists, len(rows)), measure)
        self.index.cp.min_points_per_centroid = 1  # no warning
        self.index.train(rows)
        self.index.add(rows)
        self.index.nprobe = self.probes

    def queries(self, queries: Rows) -> Rows:
        rows = np.array(queries, np.float32)
        if self.metric == "cosine":
            wide = rows.astype(np.float64)
            rows = (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)
        return rows

    def search(self, queries: Rows, k: int = K) -> Found:
        import faiss

        faiss.omp_set_num_threads(1)
        found = self.index.search(queries, k)[1]
        return np.where(found >= 0, self.ids[np.maximum(found, 0)], -1)

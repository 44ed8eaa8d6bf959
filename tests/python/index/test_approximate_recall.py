"""How much of the truth default settings find."""

from __future__ import annotations

import numpy as np
import pytest
from truth import clustered, effort, exact, recall, uniform

import lookalike as la

FLOOR = 0.95
DTYPES = [np.float32, np.float16, np.uint8, np.int8]
METRICS = ["l2", "ip", "cosine"]


def built(kind: type, rows: np.ndarray, **how) -> la.HNSW | la.IVF:
    index = kind(**how)
    index.add(rows)
    return index


def check_gate(index: la.HNSW | la.IVF, queries: np.ndarray, floor: float = FLOOR) -> None:
    flat = exact(index)
    reached = recall(index, flat, queries)
    assert reached >= floor, f"recall@10 is {reached:.4f}"
    assert recall(index, flat, queries, **effort(index, 256)) >= max(reached, 0.99)
    assert index.check().unreachable == 0


@pytest.mark.parametrize("data", [clustered, uniform])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("metric", METRICS)
def test_defaults_find_nearly_all(approximate, metric: str, dtype, data) -> None:
    dim = 48 if data is clustered else 12
    index = built(approximate, data(4000, dim, dtype=dtype), metric=metric)
    check_gate(index, data(300, dim, seed=1, dtype=dtype))


def test_defaults_find_nearly_all_bits(approximate) -> None:
    rows, queries = (np.packbits(clustered(n, 128, seed) > 0.2, axis=1) for n, seed in ((4000, 0), (300, 1)))
    index = built(approximate, rows, metric="hamming")
    assert index.codes == index.keep == "bits"
    check_gate(index, queries)


@pytest.mark.parametrize("codes", ["f32", "f16", "u8", "s8", "u4", "rabitq"])
@pytest.mark.parametrize("metric", METRICS)
def test_every_code_finds_nearly_all(approximate, metric: str, codes: str) -> None:
    index = built(approximate, clustered(4000, 96), metric=metric, codes=codes)
    assert index.codes == ("u8" if codes == "s8" else codes)
    check_gate(index, clustered(300, 96, seed=1))


@pytest.mark.parametrize(("codes", "keep"), [("u4", "f16"), ("u4", "f32"), ("f16", "none"), ("auto", "f16")])
def test_what_is_kept_measures(approximate, codes: str, keep: str) -> None:
    rows = clustered(3000, 96)
    index = built(approximate, rows, codes=codes, keep=keep)
    assert index.keep == ("f16" if codes == "f16" else keep)
    kept = rows.astype(np.float16 if index.keep == "f16" else np.float32)
    assert np.array_equal(index[range(3000)], kept)
    check_gate(index, clustered(300, 96, seed=1))


@pytest.mark.parametrize(("dtype", "codes"), [(np.uint8, "u8"), (np.int8, "s8")])
def test_bytes_can_be_all_there_is(approximate, dtype, codes: str) -> None:
    rows = clustered(3000, 96, dtype=dtype)
    index = built(approximate, rows, codes=codes, keep="none")
    assert np.array_equal(index[range(3000)], rows)
    # Edges, or a place in a list and the centroids; but no vector twice.
    beside = 3000 * 48 * 4 if approximate is la.HNSW else 3000 * 4 + 1300 * index.nlist
    assert index.nbytes < 3000 * (96 + 8 + 32) + beside
    check_gate(index, clustered(300, 96, seed=1, dtype=dtype))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_range_misses_nothing(approximate, metric: str, dtype) -> None:
    index = built(approximate, clustered(2000, 24, dtype=dtype), metric=metric)
    flat, queries = exact(index), clustered(20, 24, seed=1, dtype=dtype)
    radius = float(flat.search(queries, k=30).distances[:, -1].max())
    near, true = index.range(queries, radius), flat.range(queries, radius)
    assert near.ids.tolist() == true.ids.tolist() and near.offsets.tolist() == true.offsets.tolist()


@pytest.mark.parametrize("k", [1, 10, 100, 700])
def test_any_k(approximate, k: int) -> None:
    index = built(approximate, clustered(4000, 32))
    assert recall(index, exact(index), clustered(100, 32, seed=1), k) >= FLOOR
    one = index.search(clustered(1, 32, seed=2)[0], k=k)
    assert one.counts == k and (np.diff(one.distances) >= 0).all()

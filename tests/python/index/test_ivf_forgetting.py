"""IVF with keep="none" and codes="u4": nothing is kept but ids, lists and codes."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from truth import clustered

import lookalike as la

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("LOOKALIKE_DATA", ROOT.parent / "shared" / "data")) / "vectors"
ROWS, QUERIES = clustered(6000, 96), clustered(100, 96, seed=5)


def without_vectors(rows: np.ndarray = ROWS, **settings) -> la.IVF:
    index = la.IVF(codes="u4", keep="none", **settings)
    index.add(rows)
    return index


def listed(rows: np.ndarray, metric: str = "l2") -> la.Flat:
    flat = la.Flat(metric=metric)
    flat.add(rows)
    return flat


def assert_near(hits, flat: la.Flat, queries: np.ndarray, recall: float, within: float) -> None:
    """Hold a recall, and distances of what was rightly found, which are shares off the true ones."""
    true = flat.search(queries, hits.ids.shape[-1])
    both = [set(a) & set(b) for a, b in zip(hits.ids.tolist(), true.ids.tolist(), strict=True)]
    assert np.mean([len(same) for same in both]) / hits.ids.shape[-1] >= recall
    off = [
        abs(dict(zip(hits.ids[q].tolist(), hits.distances[q].tolist(), strict=True))[id] / distance - 1)
        for q in range(len(queries))
        for id, distance in zip(true.ids[q].tolist(), true.distances[q].tolist(), strict=True)
        if id in both[q] and distance != 0
    ]
    assert np.mean(off) <= within


@pytest.mark.parametrize(
    ("name", "dtype", "metric", "count"),
    [
        ("fashion-mnist-784", "u8", "l2", 60_000),
        ("sift-128", "u8", "l2", 300_000),
        ("cnn-1280", "f16", "cosine", 10_000),
        ("cnn-1280", "f16", "ip", 10_000),
    ],
)
def test_real_data_in_a_fifth_of_the_memory(name: str, dtype: str, metric: str, count: int) -> None:
    files = [FOLDER / f"{name}_{part}_{dtype}.npy" for part in ("base", "query")]
    if not all(file.is_file() for file in files):
        pytest.skip(f"no {name}: LOOKALIKE_DATA names no folder that holds vectors/")
    rows, queries = (np.load(file, mmap_mode="r") for file in files)
    rows, queries = np.array(rows[:count]), np.array(queries[:200])
    index = without_vectors(rows, metric=metric)
    assert index.nbytes <= 0.2 * 4 * rows.size
    assert_near(index.search(queries, nprobe=64), listed(rows, metric), queries, 0.85, 0.06)


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_distances_are_nearly_those_of_a_flat(metric: str) -> None:
    index = without_vectors(metric=metric)
    assert (index.codes, index.keep) == ("u4", "none")
    assert_near(index.search(QUERIES), listed(ROWS, metric), QUERIES, 0.85, 0.04)
    assert_near(index.search(QUERIES[:1]), listed(ROWS, metric), QUERIES[:1], 0.7, 0.05)


def test_what_needs_vectors_says_so() -> None:
    for count in (10, 6000):
        index = without_vectors(ROWS[:count])
        for ask in (
            lambda index=index: index[3],
            lambda index=index: index[[3, 4]],
            lambda index=index: index.range(QUERIES, 1.0),
            lambda index=index: index.check(),
            lambda index=index: index.tune(0.9),
            lambda index=index: index.tune(0.9, QUERIES),
            lambda index=index: index.stats(),
        ):
            with pytest.raises(la.InvalidArgument, match="keep='none' does not keep; keep='auto' keeps them"):
                ask()
        with pytest.raises(la.UnknownId):
            index[7000]
        assert 3 in index and 7000 not in index and len(index) == count
    assert index.stats(QUERIES)["reranked"] == 0 < index.stats(QUERIES)["distances"]
    with pytest.raises(la.InvalidArgument, match="codes is 'auto'"):
        la.IVF(keep="none")


def test_a_filter_never_finds_fewer_than_there_are() -> None:
    index = without_vectors()
    rng = np.random.default_rng(0)
    for passing in (1, 9, 100, 3000):
        ids = rng.permutation(len(ROWS))[:passing]
        hits = index.search(QUERIES, 10, where=ids, nprobe=2)
        assert (hits.counts == min(10, passing)).all()
        assert np.isin(hits.ids[hits.ids >= 0], ids).all()
    flat, mask = listed(ROWS), rng.random(len(ROWS)) < 0.02
    true = flat.search(QUERIES, 10, where=mask).ids
    found = index.search(QUERIES, 10, where=mask).ids
    assert np.mean([len(set(a) & set(b)) for a, b in zip(found, true, strict=True)]) >= 8.5
    assert (index.search(QUERIES, 6000, nprobe=1).counts == 6000).all()


def test_it_is_saved_mapped_and_pickled(tmp_path: Path) -> None:
    index = without_vectors()
    index.remove(range(0, 600, 7))
    index.upsert(ROWS[:50] + 0.5, range(100, 150))
    expected = index.search(QUERIES)
    index.save(tmp_path / "small.look")
    assert (tmp_path / "small.look").stat().st_size < 0.4 * ROWS.nbytes
    buffer = io.BytesIO()
    index.save(buffer)
    for same in (
        la.load(tmp_path / "small.look"),
        la.load(tmp_path / "small.look", mmap=True),
        la.load(io.BytesIO(buffer.getvalue())),
        pickle.loads(pickle.dumps(index)),
    ):
        assert np.array_equal(same.search(QUERIES).ids, expected.ids)
        assert np.array_equal(same.search(QUERIES).distances, expected.distances)
        same.add(ROWS[:5] + 1)
        assert len(same) == len(index) + 5
        assert same.search(ROWS[2] + 1, k=1).distances[0] < 0.05 * expected.distances.mean()


def test_it_grows_from_nothing_to_many_and_back() -> None:
    index = la.IVF(codes="u4", keep="none")
    for first in range(0, 6000, 500):
        index.add(ROWS[first : first + 500])
    assert_near(index.search(QUERIES, nprobe=64), listed(ROWS), QUERIES, 0.8, 0.05)
    index.remove(range(5900))
    assert (index.search(QUERIES, k=200).counts == 100).all()
    index.remove(range(5900, 6000))
    index.add(ROWS[:20])
    assert np.array_equal(index.search(ROWS[:20], k=1).distances, np.zeros((20, 1)))

"""Files written by every released version still load, and mean what they meant."""

from __future__ import annotations

import io

import numpy as np
import pytest
from make import CASES, FOLDER, GRAPH_ROWS, GRAPHS, LIST_ROWS, LISTS, build, names, vectors

import lookalike as la


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_loads_as_it_was_saved(name: str, mmap: bool) -> None:
    metric, codes, string = CASES[name]
    loaded, fresh = la.load(FOLDER / f"{name}.look", mmap=mmap), build(metric, codes, string)
    assert (loaded.metric, loaded.codes, loaded.dim, len(loaded)) == (metric, codes, 7, 10)
    assert list(loaded) == list(fresh) and loaded.check() == fresh.check()
    kept = np.delete(vectors(codes), [2, 9], axis=0)
    assert np.array_equal(loaded[list(loaded)], kept) and loaded[list(loaded)].dtype == kept.dtype
    found, expected = loaded.search(vectors(codes), k=12), fresh.search(vectors(codes), k=12)
    assert found.ids.tolist() == expected.ids.tolist()
    assert np.array_equal(found.distances, expected.distances)


@pytest.mark.parametrize("name", CASES)
def test_saving_writes_the_same_bytes(name: str) -> None:
    file = io.BytesIO()
    build(*CASES[name]).save(file)
    assert file.getvalue() == (FOLDER / f"{name}.look").read_bytes()


WRITTEN = [*GRAPHS, *LISTS]


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("name", WRITTEN)
def test_graphs_and_lists_load_as_they_were_saved(name: str, mmap: bool) -> None:
    metric, element, codes, string = {**GRAPHS, **LISTS}[name]
    count = GRAPH_ROWS if name in GRAPHS else LIST_ROWS
    index = la.load(FOLDER / f"{name}.look", mmap=mmap)
    made = (index.metric, index.codes, index.keep, index.dim, index.seed)
    assert made == (metric, codes, element, 7, 7)
    if isinstance(index, la.HNSW):
        assert (index.M, index.ef_construction) == (4, 50)
        much = {"ef": 16}
    else:
        assert index.nlist == 20
        much = {"nprobe": 20}
    ids, rows = (
        np.delete(np.array(values), [2, 9], axis=0)
        for values in (names(string, count), vectors(element, count))
    )
    assert list(index) == ids.tolist() and np.array_equal(index[list(index)], rows)
    flat = la.Flat(metric=metric)
    flat.add(rows, ids)
    found, true = index.search(rows, k=5, **much), flat.search(rows, k=5)
    # Of the 68 different ones among the halves, each many times, codes tell apart not quite all.
    assert (found.distances <= true.distances[:, -1:] + 1e-5).mean() > 0.9
    assert index.search(rows, k=5, recall=0.9).ids.shape == (count - 2, 5)
    assert index.check().unreachable == 0


# Graphs of inner products have other codes now: old ones are read, and written as new ones.
@pytest.mark.parametrize("name", [name for name in WRITTEN if not name.startswith("hnsw-v1-ip")])
def test_saving_what_was_loaded_writes_the_same_bytes(name: str) -> None:
    file = io.BytesIO()
    la.load(FOLDER / f"{name}.look").save(file)
    assert file.getvalue() == (FOLDER / f"{name}.look").read_bytes()


def test_every_golden_file_is_tested() -> None:
    there = {path.stem for path in FOLDER.glob("*.look")}
    assert there == {*CASES, *GRAPHS, *LISTS}

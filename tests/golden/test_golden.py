"""Files written by every released version still load, and mean what they meant."""

from __future__ import annotations

import io

import numpy as np
import pytest
from make import CASES, FOLDER, GRAPHS, ROWS, build, names, vectors

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


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_load_as_they_were_saved(name: str, mmap: bool) -> None:
    metric, element, codes, string = GRAPHS[name]
    index = la.load(FOLDER / f"{name}.look", mmap=mmap)
    assert (index.metric, index.codes, index.keep, index.dim, len(index)) == (metric, codes, element, 7, 598)
    assert (index.M, index.ef_construction, index.seed) == (4, 50, 7)
    ids, rows = (
        np.delete(np.array(values), [2, 9], axis=0) for values in (names(string), vectors(element, ROWS))
    )
    assert list(index) == ids.tolist() and np.array_equal(index[list(index)], rows)
    flat = la.Flat(metric=metric)
    flat.add(rows, ids)
    found, true = index.search(rows, k=5, ef=16), flat.search(rows, k=5)
    assert (found.distances <= true.distances[:, -1:] + 1e-5).mean() > 0.95
    assert index.search(rows, k=5, recall=0.9).ids.shape == (598, 5)
    assert index.check().unreachable == 0


@pytest.mark.parametrize("name", GRAPHS)
def test_saving_a_loaded_graph_writes_the_same_bytes(name: str) -> None:
    file = io.BytesIO()
    la.load(FOLDER / f"{name}.look").save(file)
    assert file.getvalue() == (FOLDER / f"{name}.look").read_bytes()


def test_every_golden_file_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("*.look")} == {*CASES, *GRAPHS}

"""Files written by every released version still load, and mean what they meant."""

from __future__ import annotations

import io

import numpy as np
import pytest
from make import CASES, FOLDER, build, vectors

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


def test_every_golden_file_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("flat-*.look")} == set(CASES)

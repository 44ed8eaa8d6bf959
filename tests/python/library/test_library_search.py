"""Searching a library, and its near copies."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_embedder import TinyEmbedder, write_photo

pytest.importorskip("PIL")
from PIL import Image

import lookalike as la
from lookalike.errors import Error, InvalidArgument
from lookalike.library import Library, PhotoHit, PhotoHits


@pytest.fixture
def library(tmp_path: Path) -> Library:
    for seed in range(30):
        write_photo(tmp_path / "photos" / f"{seed}.png", seed)
    library = Library(tmp_path / "photos", model=TinyEmbedder())
    library.sync()
    return library


def test_neighbours_are_those_numpy_finds(library: Library) -> None:
    model = TinyEmbedder()
    paths = sorted(library.folder.glob("*.png"))
    vectors = model.embed(paths).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for path, vector in zip(paths, vectors, strict=True):
        distances = 1 - vectors @ vector
        hits = library.search(path, k=7)
        np.testing.assert_allclose(hits.distances, np.sort(distances)[:7], atol=1e-6)
        assert {hit.path for hit in hits} == {paths[row] for row in np.argsort(distances)[:7]}
        assert hits[0].path == path


def test_a_query_inside_uses_its_stored_vector(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    asleep = Library(library.folder)  # Its model is never loaded.
    monkeypatch.setattr(
        "lookalike.library.library._as_embedder", lambda model: pytest.fail("model was loaded")
    )
    assert asleep.search(library.folder / "3.png", k=1)[0].path.name == "3.png"
    monkeypatch.chdir(library.folder)
    assert asleep.search("4.png", k=1)[0].path.name == "4.png"


def test_a_photo_changed_since_the_sync_is_embedded_as_it_is(library: Library) -> None:
    write_photo(library.folder / "0.png", 7, size=(50, 50))
    assert library.search(library.folder / "0.png", k=1)[0].path.name == "7.png"


def test_paths_images_and_outside_files_are_queries(library: Library, tmp_path: Path) -> None:
    outside = write_photo(tmp_path / "outside.png", 12)
    for query in (outside, str(outside), Image.open(outside)):
        hits = library.search(query, k=2)
        assert hits[0].path.name == "12.png"
        assert hits.query is query


def test_hits_are_a_list_of_path_distance_score(library: Library) -> None:
    hits = library.search(library.folder / "1.png", k=5)
    assert isinstance(hits, PhotoHits)
    assert len(hits) == 5
    for hit in hits:
        assert isinstance(hit, PhotoHit)
        assert hit.score == 1 - hit.distance
    assert hits.distances == sorted(hits.distances)
    assert hits[1:3].paths == hits.paths[1:3]
    assert list(hits)[-1] == hits[-1]
    assert hits == library.search(library.folder / "1.png", k=5)


def test_k_beyond_the_library_finds_all(library: Library) -> None:
    assert len(library.search(library.folder / "1.png", k=500)) == 30


@pytest.mark.parametrize("k", [0, -1, 2.5, "3", None, True])
def test_a_wrong_k_is_refused(library: Library, k: object) -> None:
    with pytest.raises(InvalidArgument, match="k is"):
        library.search(library.folder / "1.png", k=k)  # type: ignore[arg-type]


def test_numpy_integers_are_good_for_k(library: Library) -> None:
    assert len(library.search(library.folder / "1.png", k=np.int32(4))) == 4  # type: ignore[arg-type]


def test_a_broken_query_is_an_error_and_harms_nothing(library: Library, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"?")
    for query in (tmp_path / "broken.jpg", tmp_path / "missing.jpg"):
        with pytest.raises(Error):
            library.search(query)
    assert len(library.search(library.folder / "1.png")) == 20


def test_near_copies_are_grouped(library: Library) -> None:
    write_photo(library.folder / "3-larger.png", 3, size=(64, 64))
    write_photo(library.folder / "3-largest.png", 3, size=(128, 64))
    (library.folder / "9-copy.png").write_bytes((library.folder / "9.png").read_bytes())
    library.sync()
    names = [[path.name for path in group] for group in library.duplicates(0.9999)]
    assert names == [["3-larger.png", "3-largest.png", "3.png"], ["9-copy.png", "9.png"]]
    assert ["9-copy.png", "9.png"] in [[path.name for path in group] for group in library.duplicates(1.0)]


def test_groups_agree_with_all_pairs(library: Library) -> None:
    model = TinyEmbedder()
    paths = sorted(library.folder.glob("*.png"))
    vectors = model.embed(paths).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near = vectors @ vectors.T >= 0.93
    reach = np.linalg.matrix_power(near.astype(np.int64).clip(max=1), 1)
    for _ in range(6):
        reach = ((reach @ reach) > 0).astype(np.int64)
    expected = {frozenset(np.flatnonzero(row)) for row in reach if row.sum() > 1}
    found = {frozenset(paths.index(path) for path in group) for group in library.duplicates(0.93)}
    assert found == expected
    assert expected


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01, "0.9", None, True])
def test_a_wrong_threshold_is_refused(library: Library, threshold: object) -> None:
    with pytest.raises(InvalidArgument, match="threshold is"):
        library.duplicates(threshold)  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [70_000, 2**31, 10**12])
def test_a_huge_k_finds_all(library: Library, k: int) -> None:
    assert len(library.search(library.folder / "0.png", k=k)) == 30


def test_a_model_that_was_asked_for_is_held_to_it(library: Library) -> None:
    for model in ("no-such-model", la.PixelEmbedder()):
        with pytest.raises(InvalidArgument, match="model"):
            Library(library.folder, model=model).search(library.folder / "0.png")


@pytest.mark.parametrize("vector", [b"", b"abc", b"\0" * 400, b"\xff" * (4 * TinyEmbedder().dim)])
def test_a_damaged_vector_is_a_corrupt_catalogue(library: Library, vector: bytes) -> None:
    (library.store / "photos.look").unlink()
    with closing(sqlite3.connect(library.store / "catalogue.sqlite")) as db, db:
        db.execute("UPDATE vectors SET vector = ? WHERE hash = (SELECT min(hash) FROM vectors)", (vector,))
    with pytest.raises(la.CorruptFile, match=r"catalogue.*remove .* and sync again"):
        Library(library.folder).search(library.folder / "0.png")


@pytest.mark.parametrize("wrong", [{"model": 3}, {"model": None}, {"store": 3}, {"store": ""}])
def test_a_wrong_model_or_store_is_named(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        Library(tmp_path, **wrong)


def test_numpy_floats_are_good_thresholds(library: Library) -> None:
    assert library.duplicates(np.float32(0.95)) == library.duplicates(float(np.float32(0.95)))

"""The whole way with the shipped model: the photos in examples/ find their own kind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("PIL")
pytest.importorskip("onnxruntime")

from lookalike.cli import main
from lookalike.library import Library

PHOTOS = Path(__file__).resolve().parents[3] / "examples" / "photos"


def kind(path: Path) -> str:
    return path.name.split("-")[0]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("examples") / "photos"
    shutil.copytree(PHOTOS, folder, ignore=shutil.ignore_patterns(".*"))
    library = Library(folder)
    report = library.sync()
    assert (report.added, report.errors) == (len(list(folder.glob("*.jpg"))), {})
    return library


def test_nine_of_ten_photos_have_their_own_kind_nearest(library: Library) -> None:
    photos = sorted(library.folder.glob("*.jpg"))
    nearest = [next(hit.path for hit in library.search(photo, k=2) if hit.path != photo) for photo in photos]
    right = sum(kind(photo) == kind(other) for photo, other in zip(photos, nearest, strict=True))
    assert right >= 0.9 * len(photos)


@pytest.mark.parametrize(
    "name", ["windmill-01", "fish-02", "hammer-04", "solar-panels-02", "castle-chambord"]
)
def test_a_photo_from_elsewhere_finds_its_kind(library: Library, tmp_path: Path, name: str) -> None:
    query = tmp_path / "holiday.jpg"
    shutil.copy(library.folder / f"{name}.jpg", query)
    hits = library.search(query, k=5)
    assert hits[0].path.name == f"{name}.jpg"
    assert hits[0].distance == pytest.approx(0, abs=1e-5)
    assert sum(path.name.startswith(name.split("-")[0]) for path in hits.paths) >= 4


def test_the_two_copies_of_giza_are_near_copies_and_nothing_else_is(library: Library) -> None:
    assert [[path.name for path in group] for group in library.duplicates(0.95)] == [
        ["pyramid-giza-01.jpg", "pyramid-giza-02.jpg"]
    ]


def test_the_first_command_of_the_readme(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    query = os.fspath(PHOTOS / "windmill-01.jpg")
    store = os.fspath(tmp_path / "store")
    assert (
        main(["search", query, os.fspath(PHOTOS), "--store", store, "-k", "6", "--sheet", os.fspath(sheet)])
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert sum("windmill" in line for line in lines[1:]) >= 5
    assert sheet.stat().st_size > 50_000


def test_every_example_photo_is_attributed() -> None:
    attribution = (PHOTOS / "ATTRIBUTION.md").read_text(encoding="utf-8")
    listed = {line.split("`")[1] for line in attribution.splitlines() if line.startswith("| `")}
    assert listed == {path.name for path in PHOTOS.glob("*.jpg")}

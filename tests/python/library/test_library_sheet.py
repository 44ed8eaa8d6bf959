"""The contact sheet."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
from tiny_embedder import write_photo

pytest.importorskip("PIL")
from PIL import Image, ImageOps

from lookalike.errors import InvalidArgument, IoError
from lookalike.library import PhotoHit, PhotoHits
from lookalike.library.sheet import open_upright


@pytest.fixture
def hits(tmp_path: Path) -> PhotoHits:
    paths = [write_photo(tmp_path / f"{seed}.png", seed, size=(90, 60)) for seed in range(7)]
    return PhotoHits([PhotoHit(path, 0.1 * rank) for rank, path in enumerate(paths)], query=paths[0])


def test_a_sheet_is_a_picture_of_the_size_its_grid_needs(hits: PhotoHits, tmp_path: Path) -> None:
    sheet = hits.sheet(tmp_path / "out.png", columns=3)
    # Six neighbours (the query is not drawn twice) in three columns: two rows.
    assert sheet.size == (36 * 4 + 360 + 3 * 220 + 2 * 20, 2 * 36 + 30 + 2 * (220 + 46) + 20)
    with Image.open(tmp_path / "out.png") as saved:
        assert saved.size == sheet.size
        assert (np.asarray(saved) == np.asarray(sheet)).all()


def test_every_photo_is_on_the_sheet(hits: PhotoHits) -> None:
    sheet = np.asarray(hits.sheet())
    for hit in hits:
        colours = np.unique(np.asarray(Image.open(hit.path)).reshape(-1, 3), axis=0)
        for colour in colours:
            assert (np.abs(sheet.astype(int) - colour).max(axis=2) <= 3).sum() > 500


def test_captions_have_ink(hits: PhotoHits) -> None:
    with_text = np.asarray(hits.sheet(columns=3))
    caption = with_text[36 + 30 + 220 + 4 : 36 + 30 + 220 + 46, 36 * 3 + 360 :]
    assert (caption.min(axis=2) < 60).sum() > 50


def test_no_hits_one_hit_and_twenty_make_sheets(hits: PhotoHits) -> None:
    empty, one, twenty = (PhotoHits((list(hits) * 3)[:count], query=b"").sheet() for count in (0, 1, 20))
    assert empty.size == one.size
    assert (np.asarray(empty) != np.asarray(one)).any()
    assert twenty.width > one.width
    assert twenty.height > one.height


def test_photos_that_went_bad_leave_an_empty_mount(hits: PhotoHits, tmp_path: Path) -> None:
    hits[1].path.write_bytes(b"gone")
    hits[2].path.unlink()
    assert hits.sheet().size[0] > 600


def test_odd_names_are_drawn(tmp_path: Path) -> None:
    path = write_photo(tmp_path / ("two\nlines " + "long" * 40 + " 猫.png"), 1)
    PhotoHits([PhotoHit(path, 0.5)], query=np.zeros((9, 9, 3), np.uint8)).sheet(tmp_path / "out.jpg")


def test_a_wrong_suffix_or_place_is_refused(hits: PhotoHits, tmp_path: Path) -> None:
    for name in ("out.txt", "out"):
        with pytest.raises(InvalidArgument, match="no image format"):
            hits.sheet(tmp_path / name)
    with pytest.raises(IoError, match="cannot be written"):
        hits.sheet(tmp_path / "nowhere" / "out.png")
    with pytest.raises(InvalidArgument, match="columns"):
        hits.sheet(columns=0)


def test_photos_are_drawn_upright(tmp_path: Path) -> None:
    picture = Image.fromarray(np.arange(60 * 40 * 3, dtype=np.uint32).astype(np.uint8).reshape(40, 60, 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.png", exif=exif)
    upright = open_upright(tmp_path / "turned.png", 100)
    assert upright.size == (40, 60)
    assert (np.asarray(upright) == np.asarray(picture.transpose(Image.Transpose.ROTATE_270))).all()
    assert ImageOps.exif_transpose(upright).size == (40, 60)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16"]
)
def test_every_mode_can_be_drawn(mode: str) -> None:
    picture = (
        Image.new(mode, (20, 10)) if mode == "I;16" else Image.new("RGB", (20, 10), "teal").convert(mode)
    )
    assert open_upright(picture, 16).mode == "RGB"
    assert open_upright(picture, 16).size == (16, 8)


def test_what_can_be_searched_for_can_be_drawn(hits: PhotoHits) -> None:
    grey = np.zeros((5, 90, 1), np.uint8)
    assert PhotoHits(list(hits), query=grey).sheet(columns=4).size == hits.sheet(columns=4).size


def test_no_file_is_left_open(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    Image.new("P", (50, 50)).save(path)
    PhotoHits([PhotoHit(path, 0.0)], query=b"").sheet()
    gc.collect()  # A file left open is a ResourceWarning now, and so an error.


def test_a_query_that_finds_only_itself_is_not_called_nothing(hits: PhotoHits) -> None:
    alone, none = hits[:1].sheet(), PhotoHits([], query=hits.query).sheet()
    assert (np.asarray(alone) != np.asarray(none)).any()

"""A folder changes; the library follows."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_embedder import TinyEmbedder, write_photo

pytest.importorskip("PIL")

from lookalike.errors import CorruptFile, InvalidArgument, IoError, Unsupported
from lookalike.library import Library, SyncReport


def counts(report: SyncReport) -> tuple[int, int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged, len(report.errors)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for seed in range(6):
        write_photo(root / f"{seed}.png", seed)
    return root


@pytest.fixture
def model() -> TinyEmbedder:
    return TinyEmbedder()


def found(library: Library) -> set[str]:
    """Every photo the index holds, found by searching."""
    anything = next(iter(sorted(library.folder.rglob("*.png"))))
    hits = library.search(anything, k=10_000)
    return {hit.path.relative_to(library.folder).as_posix() for hit in hits}


def test_first_sync_adds_all_and_second_does_nothing(folder: Path, model: TinyEmbedder) -> None:
    library = Library(folder, model=model)
    assert not library.is_synced
    assert counts(library.sync()) == (6, 0, 0, 0, 0)
    assert library.is_synced
    assert len(library) == 6
    assert len(model.embedded) == 6
    index_bytes = library.index_path.read_bytes()
    assert counts(library.sync()) == (0, 0, 0, 6, 0)
    assert len(model.embedded) == 6
    assert library.index_path.read_bytes() == index_bytes
    assert found(library) == {f"{n}.png" for n in range(6)}


def test_new_changed_and_removed_photos_are_noticed(folder: Path, model: TinyEmbedder) -> None:
    library = Library(folder, model=model)
    library.sync()
    write_photo(folder / "nested" / "deep" / "new.png", 50)
    write_photo(folder / "3.png", 51, size=(40, 40))
    (folder / "5.png").unlink()
    assert counts(library.sync()) == (1, 1, 1, 4, 0)
    assert found(library) == {"0.png", "1.png", "2.png", "3.png", "4.png", "nested/deep/new.png"}
    probe = write_photo(folder.parent / "probe.png", 51, size=(40, 40))
    hit = library.search(probe, k=1)[0]
    assert (hit.path.name, hit.distance) == ("3.png", pytest.approx(0.0, abs=1e-6))


def test_touched_renamed_and_copied_photos_are_not_embedded_again(folder: Path, model: TinyEmbedder) -> None:
    library = Library(folder, model=model)
    library.sync()
    os.utime(folder / "0.png", ns=(1, 1))
    (folder / "1.png").rename(folder / "renamed.png")
    shutil.copy(folder / "2.png", folder / "copy.png")
    assert counts(library.sync()) == (2, 0, 1, 5, 0)
    assert len(model.embedded) == 6
    assert found(library) == {"0.png", "renamed.png", "2.png", "3.png", "4.png", "5.png", "copy.png"}
    assert counts(library.sync()) == (0, 0, 0, 7, 0)


def test_broken_files_are_reported_and_retried_only_when_changed(folder: Path, model: TinyEmbedder) -> None:
    (folder / "broken.jpg").write_bytes(b"not a photo")
    (folder / "empty.png").touch()
    (folder / "cut.png").write_bytes((folder / "0.png").read_bytes()[:40])
    library = Library(folder, model=model)
    report = library.sync()
    assert counts(report) == (6, 0, 0, 0, 3)
    assert set(report.errors) == {folder / "broken.jpg", folder / "empty.png", folder / "cut.png"}
    assert all(report.errors.values())
    assert library.errors == report.errors

    tried: list[Path] = []
    embed_stream = model.embed_stream
    model.embed_stream = lambda images: embed_stream(tried.append(p) or p for p in images)  # type: ignore[method-assign]
    os.utime(folder / "empty.png", ns=(5, 5))
    assert counts(library.sync()) == (0, 0, 0, 6, 3)
    assert tried == []

    write_photo(folder / "cut.png", 77)
    assert counts(library.sync()) == (0, 1, 0, 6, 2)
    assert tried == [folder / "cut.png"]
    (folder / "broken.jpg").unlink()
    assert counts(library.sync()) == (0, 0, 1, 7, 1)
    assert list(library.errors) == [folder / "empty.png"]


def test_a_photo_that_breaks_leaves_the_results(folder: Path, model: TinyEmbedder) -> None:
    library = Library(folder, model=model)
    library.sync()
    (folder / "4.png").write_bytes(b"gone bad")
    assert counts(library.sync()) == (0, 0, 0, 5, 1)
    assert found(library) == {"0.png", "1.png", "2.png", "3.png", "5.png"}


def test_hidden_files_other_files_and_the_store_are_left_out(folder: Path, model: TinyEmbedder) -> None:
    write_photo(folder / ".hidden.png", 8)
    write_photo(folder / ".trash" / "old.png", 9)
    write_photo(folder / "store" / "thumb.png", 10)
    (folder / "notes.txt").write_text("no photo")
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    library = Library(folder, model=model, store=folder / "store")
    assert counts(library.sync()) == (6, 0, 0, 0, 0)
    assert not (folder / ".lookalike").exists()


def test_links_to_folders_are_not_followed_and_loops_do_no_harm(folder: Path, model: TinyEmbedder) -> None:
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "self.png").symlink_to(folder / "self.png")
    (folder / "linked.png").symlink_to(folder / "0.png")
    report = Library(folder, model=model).sync()
    assert counts(report) == (7, 0, 0, 0, 1)
    assert list(report.errors) == [folder / "self.png"]


@pytest.mark.parametrize(
    "name", ["ünï ☃ 猫.png", "two\nlines.png", "'; DROP TABLE files.png", "%41?#.PNG", "a" * 240 + ".png"]
)
def test_odd_names_are_kept(folder: Path, model: TinyEmbedder, name: str) -> None:
    path = write_photo(folder / "x.png", 90).rename(folder / name)
    library = Library(folder, model=model)
    library.sync()
    assert library.search(path, k=1)[0].path == path
    assert len(model.embedded) == 7


def test_names_of_no_encoding_are_kept(folder: Path, model: TinyEmbedder) -> None:
    path = folder / os.fsdecode(b"caf\xe9\xff.png")
    try:
        write_photo(folder / "x.png", 90).rename(path)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    broken = folder / os.fsdecode(b"\xfe.jpg")
    broken.write_bytes(b"?")
    library = Library(folder, model=model)
    report = library.sync()
    assert list(report.errors) == [broken]
    assert library.search(path, k=1)[0].path == path
    assert counts(library.sync()) == (0, 0, 0, 7, 1)


def test_a_folder_of_odd_name_can_be_a_library(tmp_path: Path, model: TinyEmbedder) -> None:
    folder = tmp_path / os.fsdecode(b"50% \xff?#")
    try:
        write_photo(folder / "a.png", 1)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    library = Library(folder, model=model)
    assert counts(library.sync()) == (1, 0, 0, 0, 0)
    assert library.search(folder / "a.png")[0].path == folder / "a.png"


def test_an_unreadable_folder_is_reported_and_its_photos_are_kept(
    folder: Path, model: TinyEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photo(folder / "shut" / "inside.png", 60)
    library = Library(folder, model=model)
    library.sync()
    scandir = os.scandir

    def refuse(path: bytes) -> object:
        if os.fsencode(path).endswith(b"shut"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = library.sync()
    assert counts(report)[:3] == (0, 0, 0)
    assert report.errors == {folder / "shut": "folder cannot be read: Permission denied"}
    assert library.errors == report.errors
    assert "shut/inside.png" in found(library)
    monkeypatch.undo()
    assert counts(library.sync()) == (0, 0, 0, 7, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_reported_and_retried(folder: Path, model: TinyEmbedder) -> None:
    (folder / "0.png").chmod(0)
    library = Library(folder, model=model)
    assert counts(library.sync()) == (5, 0, 0, 0, 1)
    (folder / "0.png").chmod(0o644)
    assert counts(library.sync()) == (0, 1, 0, 5, 0)


def test_an_empty_folder_is_a_library_of_nothing(tmp_path: Path, model: TinyEmbedder) -> None:
    library = Library(tmp_path, model=model)
    assert counts(library.sync()) == (0, 0, 0, 0, 0)
    assert len(library) == 0
    probe = write_photo(tmp_path / ".probe" / "a.png", 1)
    assert list(library.search(probe)) == []
    assert library.duplicates() == []


def test_a_library_that_loses_its_last_photo_is_empty(folder: Path, model: TinyEmbedder) -> None:
    library = Library(folder, model=model)
    library.sync()
    for photo in folder.glob("*.png"):
        photo.unlink()
    assert counts(library.sync()) == (0, 0, 6, 0, 0)
    assert len(Library(folder, model=model)) == 0


def test_another_model_embeds_everything_again(folder: Path) -> None:
    Library(folder, model=TinyEmbedder()).sync()
    other = TinyEmbedder("other-2")
    library = Library(folder, model=other)
    with pytest.raises(InvalidArgument, match="made with 'tiny'"):
        library.search(write_photo(folder.parent / "probe.png", 3))
    assert counts(library.sync()) == (0, 6, 0, 0, 0)
    assert len(other.embedded) == 6
    assert counts(library.sync()) == (0, 0, 0, 6, 0)


def test_a_lost_or_corrupt_index_is_made_again_from_the_catalogue(folder: Path, model: TinyEmbedder) -> None:
    Library(folder, model=model).sync()
    index = folder / ".lookalike" / "photos.look"
    good = index.read_bytes()
    for damage in (b"", b"nonsense", good[:-7], good[:100] + bytes([good[100] ^ 255]) + good[101:]):
        index.write_bytes(damage)
        library = Library(folder, model=model)
        assert len(found(library)) == 6
        library.sync()
        assert index.read_bytes() == good
    index.unlink()
    library = Library(folder, model=model)
    assert len(found(library)) == 6
    library.sync()
    assert index.read_bytes() == good
    assert len(model.embedded) == 6


def test_a_search_sees_what_another_process_synced(folder: Path, model: TinyEmbedder) -> None:
    first, second = Library(folder, model=model), Library(folder, model=TinyEmbedder())
    first.sync()
    assert len(found(first)) == 6
    write_photo(folder / "late.png", 99)
    second.sync()
    assert len(found(first)) == 7


def test_a_missing_folder_a_file_and_a_wrong_type_are_refused(folder: Path) -> None:
    with pytest.raises(IoError, match="no such folder"):
        Library(folder / "nowhere")
    with pytest.raises(InvalidArgument, match="is a file"):
        Library(folder / "0.png")
    with pytest.raises(InvalidArgument, match="it must be a path"):
        Library(17)  # type: ignore[arg-type]


def test_searching_before_any_sync_says_so(folder: Path, model: TinyEmbedder) -> None:
    with pytest.raises(IoError, match="never synced"):
        Library(folder, model=model).search(folder / "0.png")


def test_a_corrupt_or_newer_catalogue_is_refused_clearly(folder: Path, model: TinyEmbedder) -> None:
    Library(folder, model=model).sync()
    catalogue = folder / ".lookalike" / "catalogue.sqlite"
    db = sqlite3.connect(catalogue)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(Unsupported, match="schema version is 99"):
        Library(folder, model=model).sync()
    catalogue.write_bytes(b"this is no database at all, not even close" * 100)
    with pytest.raises(CorruptFile, match="sync again"):
        Library(folder, model=model).search(folder / "0.png")


def test_a_store_that_cannot_be_made_is_refused(folder: Path, model: TinyEmbedder) -> None:
    with pytest.raises(IoError, match="cannot be made"):
        Library(folder, model=model, store=folder / "0.png" / "store").sync()


def test_the_bar_counts_every_photo(
    folder: Path, model: TinyEmbedder, capsys: pytest.CaptureFixture[str]
) -> None:
    Library(folder, model=model).sync(progress=True)
    assert "6/6" in capsys.readouterr().err
    Library(folder, model=model).sync()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("harm", [Path.mkdir, lambda path: path.write_bytes(b"no lock" * 100)])
def test_a_lock_that_cannot_be_taken_is_named(tmp_path: Path, harm: Callable[[Path], object]) -> None:
    write_photo(tmp_path / "0.png", 0)
    (tmp_path / ".lookalike").mkdir()
    harm(tmp_path / ".lookalike" / "lock")
    with pytest.raises(IoError, match=r"lock file .* cannot be taken"):
        Library(tmp_path, model=TinyEmbedder()).sync()

"""A folder of sounds as a library: several vectors a file, each with its time."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from synth import RATE, chirp, encoded, noise, tone, write
from tiny_embedder import TinyEmbedder, write_photo

import lookalike as la
from lookalike.cli import main
from lookalike.embed.audio.decode import SoundLimits, read_sound
from lookalike.embed.audio.windows import SoundWindows, cut
from lookalike.library import Library, PhotoHit
from lookalike.library.schema import SCHEMA_VERSION

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "sounds"


class TinyEar:
    """The loudness of eight bands, in windows of a second, every half."""

    name, dim, identity, kind = "tiny-ear", 8, "tiny-ear-1", "audio"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def embed_windows(self, sound: Any) -> SoundWindows:
        windows = list(cut(read_sound(sound, 16_000, SoundLimits()), 16_000, 8_000))
        spectra = np.abs(np.fft.rfft(np.stack([samples for _, _, samples in windows]), axis=1))[:, :8000]
        bands = spectra.reshape(len(windows), 8, 1000).sum(axis=2).astype(np.float32)
        starts, ends = (np.array([window[side] for window in windows]) / 16_000 for side in (0, 1))
        return SoundWindows(starts, ends, bands)

    def windows_stream(self, sounds: Any) -> Iterator[tuple[int, SoundWindows | Exception]]:
        for position, sound in enumerate(sounds):
            self.heard.append(Path(sound).name)
            try:
                yield position, self.embed_windows(sound)
            except la.AudioError as error:
                yield position, la.AudioError(f"sound {sound}: {error}")

    def embed(self, sounds: Any) -> np.ndarray:
        return np.stack([self.embed_windows(sound).vectors.mean(axis=0) for sound in sounds])

    def embed_stream(self, sounds: Any) -> Iterator[tuple[int, Any]]:
        yield from enumerate(self.embed([sound])[0] for sound in sounds)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "sounds"
    for hertz in (300, 1500, 2500, 3500):
        write(root / f"{hertz}.wav", tone(hertz, 0.7))
    write(root / "two.flac", np.concatenate([tone(300, 3.0), tone(5500, 2.2)]))
    write(root / "noise.ogg", noise(1, 2.0))
    return root


@pytest.fixture
def ear() -> TinyEar:
    return TinyEar()


def test_a_moment_is_found_in_its_second(folder: Path, ear: TinyEar) -> None:
    library = Library(folder, model=ear)
    report = library.sync()
    assert (report.added, report.errors, report.model) == (6, {}, "tiny-ear")
    assert len(library) == 6
    hit = library.search((tone(5500, 1.0), RATE), k=1)[0]
    assert (hit.path.name, hit.distance) == ("two.flac", pytest.approx(0, abs=1e-2))
    assert hit.start is not None and hit.end is not None
    assert hit.start >= 3.0 and hit.end <= 5.2 and hit.end - hit.start == 1.0


def test_windows_that_overlap_are_told_once_and_k_is_kept(folder: Path, ear: TinyEar) -> None:
    library = Library(folder, model=ear)
    library.sync()
    for k in (1, 2, 5, 8, 500):
        hits = library.search(folder / "300.wav", k=k)
        assert len(hits) == k or k > 8
        assert hits.distances == sorted(hits.distances)
        for one in hits:
            for other in hits:
                if one is not other and one.path == other.path:
                    assert one.end <= other.start or other.end <= one.start  # type: ignore[operator]
    assert len(library.search(folder / "300.wav", k=500)) >= 4 + 5


def test_a_long_query_is_as_near_as_its_nearest_window(folder: Path, ear: TinyEar) -> None:
    library = Library(folder, model=ear)
    library.sync()
    long = np.concatenate([noise(5, 4.0), tone(3500, 2.0), noise(6, 3.0)])
    near = {hit.path.name: hit.distance for hit in library.search((long, RATE), k=50)[::-1]}
    assert near["3500.wav"] < 0.02
    assert near["noise.ogg"] < 0.02
    assert near["1500.wav"] > 0.1


def test_a_sound_inside_uses_its_stored_vectors(folder: Path, ear: TinyEar) -> None:
    Library(folder, model=ear).sync()
    asleep = Library(folder)
    hits = asleep.search(folder / "two.flac", k=4)
    assert {hit.path.name for hit in hits[:2]} == {"two.flac"}
    assert all(hit.distance == pytest.approx(0, abs=1e-6) for hit in hits[:2])


def test_words_find_no_sounds(folder: Path, ear: TinyEar) -> None:
    library = la.Library(folder, model=ear)
    library.sync()
    with pytest.raises(la.InvalidArgument, match=r"is words, .* knows none; search by a sound$"):
        library.search("a dog")


def test_changes_renames_and_breaks_are_followed(folder: Path, ear: TinyEar) -> None:
    library = Library(folder, model=ear)
    library.sync()
    (folder / "two.flac").rename(folder / "renamed.flac")
    write(folder / "300.wav", tone(4500, 3.0))
    (folder / "noise.ogg").write_bytes((folder / "noise.ogg").read_bytes()[:3000])
    (folder / "1500.wav").unlink()
    report = library.sync()
    assert (report.added, report.changed, report.removed, len(report.errors)) == (1, 1, 2, 1)
    assert ear.heard.count("two.flac") == 1 and "renamed.flac" not in ear.heard
    assert "truncated" in report.errors[folder / "noise.ogg"]
    hits = library.search((tone(4500), RATE), k=2)
    assert {hit.path.name for hit in hits} == {"300.wav"}
    assert library.sync().unchanged == 4


def test_copies_are_found_and_what_repeats_itself_is_none(folder: Path, ear: TinyEar) -> None:
    whole = chirp(500, 7000, 2.3)
    write(folder / "chirp.wav", whole)
    write(folder / "chirp.mp3", whole)
    write(folder / "chirp-stereo.flac", np.stack([whole, whole], axis=1) * 0.3)
    write(folder / "chirp-thrice.wav", np.tile(whole, 3))
    library = Library(folder, model=ear)
    library.sync()
    assert [[path.name for path in group] for group in library.duplicates(0.98)] == [
        ["chirp-stereo.flac", "chirp.mp3", "chirp.wav"]
    ]


# What the release before this one wrote, statement by statement.
VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE files (id INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL UNIQUE, size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL, hash BLOB, error TEXT);
CREATE TABLE unreached (path BLOB PRIMARY KEY, error TEXT NOT NULL);
CREATE INDEX files_by_hash ON files (hash);
CREATE TABLE vectors (hash BLOB PRIMARY KEY, vector BLOB NOT NULL);
CREATE TRIGGER added AFTER INSERT ON files BEGIN
  UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;
CREATE TRIGGER removed AFTER DELETE ON files BEGIN
  UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;
CREATE TRIGGER changed AFTER UPDATE OF hash, error ON files BEGIN
  UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;
INSERT INTO meta VALUES ('generation', 1);
PRAGMA application_id = 1280266059;
PRAGMA user_version = 1;
"""


@pytest.fixture
def old_library(tmp_path: Path) -> Path:
    """A library of photos as version 1 of the catalogue has it, with the index that belongs to it."""
    photos = tmp_path / "photos"
    for seed in range(5):
        write_photo(photos / f"{seed}.png", seed)
    library = Library(photos, model=TinyEmbedder())
    library.sync()
    new = library.store / "catalogue.sqlite"
    old = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(old)) as db:
        db.executescript(VERSION_1)
        db.execute("ATTACH ? AS new", (str(new),))
        db.execute("INSERT INTO files SELECT * FROM new.files")
        db.execute("INSERT INTO vectors SELECT hash, vector FROM new.vectors")
        db.execute("DELETE FROM meta")
        db.execute("INSERT INTO meta SELECT * FROM new.meta")
        db.commit()
    shutil.move(old, new)
    return photos


def version(folder: Path) -> int:
    with closing(sqlite3.connect(folder / ".lookalike" / "catalogue.sqlite")) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_a_library_of_version_1_keeps_its_vectors(old_library: Path) -> None:
    model = TinyEmbedder()
    library = Library(old_library, model=model)
    index = library.index_path.read_bytes()
    assert library.search(old_library / "3.png", k=1)[0].path.name == "3.png"
    assert version(old_library) == 1, "to search is not to write"
    write_photo(old_library / "new.png", 77)
    report = library.sync()
    assert version(old_library) == SCHEMA_VERSION
    assert (report.added, report.unchanged) == (1, 5)
    assert model.embedded == ["new.png"]
    assert len(library.search(old_library / "3.png", k=10)) == 6
    (old_library / "new.png").unlink()
    library.sync()
    assert library.index_path.read_bytes() == index


def test_a_library_of_version_1_is_searched_without_its_index(old_library: Path) -> None:
    (old_library / ".lookalike" / "photos.look").unlink()
    library = Library(old_library, model=TinyEmbedder())
    assert len(library.search(old_library / "2.png")) == 5
    assert library.duplicates(0.5)
    assert version(old_library) == 1


def test_damaged_times_are_a_corrupt_catalogue(folder: Path, ear: TinyEar) -> None:
    library = Library(folder, model=ear)
    library.sync()
    library.index_path.unlink()
    with closing(sqlite3.connect(library.store / "catalogue.sqlite")) as db, db:
        db.execute("UPDATE vectors SET times = x'0102' WHERE hash = (SELECT min(hash) FROM vectors)")
    with pytest.raises(la.CorruptFile, match="sync again"):
        Library(folder, model=ear).search((tone(440), RATE))


def test_the_folder_says_which_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mixed"
    write(folder / "a.flac", tone(440))
    library = Library(folder)
    assert library.sync().model == "spectrogram-lite0"
    assert "holds sounds: spectrogram-lite0 embeds them" in capsys.readouterr().err
    # A cover among songs does not make an album of photos of them.
    write_photo(folder / "cover.png", 1)
    assert (library.sync().unchanged, len(library)) == (1, 1)
    assert capsys.readouterr().err == ""
    assert library.search((tone(440), RATE))[0].path.name == "a.flac"
    (folder / "a.flac").unlink()
    assert library.sync().model == "efficientnet-lite0"
    fresh = Library(folder, store=tmp_path / "store")
    write(folder / "b.flac", tone(440))
    assert fresh.sync().model == "efficientnet-lite0"
    assert [hit.path.name for hit in fresh.search(folder / "cover.png")] == ["cover.png"]


def test_queries_of_the_wrong_kind_are_told(folder: Path, ear: TinyEar, tmp_path: Path) -> None:
    library = Library(folder, model=ear)
    library.sync()
    with pytest.raises(la.AudioError, match="known format"):
        library.search(write_photo(tmp_path / "photo.png", 1))


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES, tmp_path / "sounds", ignore=shutil.ignore_patterns(".lookalike"))
    return tmp_path / "sounds"


def test_the_commands(examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = str(examples / "tabla-ke-1.flac")
    assert main(["search", query, str(examples), "-k", "3", "--sheet", str(tmp_path / "out.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["rank", "distance", "at", "path"]
    assert lines[1].split() == ["1", "0.0000", "0:00", query]
    assert sum("tabla" in line for line in lines[1:]) == 3
    with Image.open(tmp_path / "out.png") as sheet:
        assert np.asarray(sheet).std() > 20
    assert main(["search", query, str(examples), "-k", "3", "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)["hits"]
    assert [hit["start"] for hit in hits] == [0.0] * 3
    assert all(0 < hit["end"] <= 2 for hit in hits)
    assert main(["sync", str(examples), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unchanged"] == len(list(examples.glob("*.flac")))
    (examples / "copy.wav").write_bytes(encoded(tone(440, 1.0), format="WAV"))
    (examples / "copy.ogg").write_bytes(encoded(tone(440, 1.0), format="OGG"))
    assert main(["sync", str(examples)]) == 0
    assert main(["dups", str(examples), "--threshold", "0.95", "--json"]) == 0
    groups = json.loads(capsys.readouterr().out.split("\n", 1)[1])["groups"]
    assert [str(examples / "copy.ogg"), str(examples / "copy.wav")] in groups


def test_every_example_sound_is_attributed_and_finds_its_kind(examples: Path) -> None:
    attribution = (EXAMPLES / "ATTRIBUTION.md").read_text(encoding="utf-8")
    listed = {line.split("`")[1] for line in attribution.splitlines() if line.startswith("| `")}
    assert listed == {path.name for path in EXAMPLES.glob("*.flac")}
    library = Library(examples)
    library.sync()
    groups: dict[str, list[Path]] = {}
    for path in sorted(examples.glob("*.flac")):
        groups.setdefault(path.name.split("-")[0], []).append(path)
    asked = [path for group in groups.values() if len(group) > 1 for path in group]
    right = sum(
        library.search(path, k=2)[1].path.name.split("-")[0] == path.name.split("-")[0] for path in asked
    )
    assert right >= 0.7 * len(asked)


def test_a_missing_decoder_is_named(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ImportError, match=r"sounds need soundfile: pip install 'lookalike\[audio\]'"):
        la.AudioEmbedder(threads=1).embed(folder / "300.wav")


def test_hits_of_photos_have_no_time() -> None:
    assert PhotoHit(Path("a.jpg"), 0.1).start is None

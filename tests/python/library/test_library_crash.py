"""Syncs that are killed, and syncs that meet."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tiny_embedder import TinyEmbedder, write_photo

pytest.importorskip("PIL")

from lookalike.errors import IoError
from lookalike.library import Library
from lookalike.library import sync as sync_module

PHOTOS = 60
SLOW_SYNC = """
import sys
sys.path.insert(0, {here!r})
from tiny_embedder import TinyEmbedder
from lookalike.library import Library, sync
sync._COMMIT_FILES = 5
print("ready", flush=True)
print(Library({folder!r}, model=TinyEmbedder(seconds={seconds})).sync())
"""


def start_sync(folder: Path, seconds: float) -> subprocess.Popen[str]:
    script = SLOW_SYNC.format(
        here=str(Path(__file__).parents[2] / "support"), folder=str(folder), seconds=seconds
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(PHOTOS):
        write_photo(tmp_path / "photos" / f"{seed}.png", seed)
    return tmp_path / "photos"


def names_found(library: Library) -> set[str]:
    return {path.name for path in library.search(library.folder / "0.png", k=1000).paths}


def test_a_killed_sync_goes_on_where_it_stopped(folder: Path) -> None:
    process = start_sync(folder, seconds=0.02)
    library = Library(folder, model=(model := TinyEmbedder()))
    while len(library) == 0:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = len(library)
    assert not library.is_synced
    assert 0 < kept < PHOTOS
    report = library.sync()
    assert (report.added, report.unchanged) == (PHOTOS - kept, kept)
    assert len(model.embedded) == PHOTOS - kept
    assert names_found(library) == {f"{seed}.png" for seed in range(PHOTOS)}


def test_kills_at_any_moment_leave_a_right_library(folder: Path) -> None:
    moments = random.Random(7)
    for kill in range(8):
        # Every round changes, removes and adds something, so that each sync has all kinds of work.
        write_photo(folder / f"{kill}.png", 1000 + kill, size=(30 + kill, 20))
        (folder / f"{PHOTOS - 1 - kill}.png").unlink()
        write_photo(folder / f"new-{kill}.png", 2000 + kill)
        process = start_sync(folder, seconds=0.002)
        time.sleep(moments.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        library = Library(folder, model=TinyEmbedder())
        if len(library):
            # What is found between the syncs is real: known to the catalogue, and nearest to itself.
            state_paths = names_found(library) if (folder / "0.png").exists() else set()
            assert len(state_paths) == len(library)
    library.sync()
    assert names_found(library) == {path.name for path in folder.glob("*.png")}
    for path in folder.glob("*.png"):
        best = library.search(fresh_copy(path), k=1)[0]
        assert best.distance == pytest.approx(0.0, abs=1e-6)
        assert best.path == path


def fresh_copy(path: Path) -> Path:
    """The same content elsewhere, so that it is embedded and not looked up."""
    copy = path.parent.parent / "copy.png"
    copy.write_bytes(path.read_bytes())
    return copy


def test_two_syncs_at_once_take_turns(folder: Path) -> None:
    first = start_sync(folder, seconds=0.01)
    second = start_sync(folder, seconds=0.01)
    outputs = [process.communicate(timeout=60) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    reports = sorted(out.split(" in ")[0] for out, _ in outputs)
    assert reports == [
        f"0 added, 0 changed, 0 removed, {PHOTOS} unchanged",
        f"{PHOTOS} added, 0 changed, 0 removed, 0 unchanged",
    ]
    assert len(Library(folder, model=TinyEmbedder())) == PHOTOS


def test_two_threads_syncing_take_turns(folder: Path) -> None:
    reports: list[str] = []

    def sync() -> None:
        reports.append(str(Library(folder, model=TinyEmbedder(seconds=0.001)).sync()).split(" in ")[0])

    threads = [threading.Thread(target=sync) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reports) == [
        f"0 added, 0 changed, 0 removed, {PHOTOS} unchanged",
        f"{PHOTOS} added, 0 changed, 0 removed, 0 unchanged",
    ]


def test_a_first_sync_killed_at_birth_leaves_a_folder_never_synced(folder: Path) -> None:
    (folder / ".lookalike").mkdir()
    (folder / ".lookalike" / "catalogue.sqlite").touch()
    library = Library(folder, model=TinyEmbedder())
    assert not library.is_synced
    assert len(library) == 0
    with pytest.raises(IoError, match="sync first"):
        library.search(folder / "0.png")
    assert library.sync().added == PHOTOS
    assert library.is_synced


def test_searches_during_a_sync_find_real_photos(folder: Path) -> None:
    Library(folder, model=TinyEmbedder()).sync()
    for seed in range(20):
        write_photo(folder / f"more-{seed}.png", 5000 + seed)
    process = start_sync(folder, seconds=0.02)
    library = Library(folder, model=TinyEmbedder())
    while process.poll() is None:
        names = names_found(library)
        assert PHOTOS <= len(names) <= PHOTOS + 20
        assert all((folder / name).exists() for name in names)
    process.communicate()
    assert len(names_found(library)) == PHOTOS + 20


def test_one_library_serves_many_threads(folder: Path) -> None:
    library = Library(folder, model=TinyEmbedder())
    library.sync()
    wrong: list[object] = []

    def look(seed: int) -> None:
        path = folder / f"{seed}.png"
        for _ in range(10):
            hit = library.search(path, k=1)[0]
            if hit.path != path:
                wrong.append(hit)

    threads = [threading.Thread(target=look, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_ctrl_c_keeps_what_was_committed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_module, "_COMMIT_FILES", 10)
    model = TinyEmbedder()
    one = model._one

    def interrupted(image: object) -> object:
        if len(model.embedded) == 35:
            raise KeyboardInterrupt
        return one(image)

    monkeypatch.setattr(model, "_one", interrupted)
    library = Library(folder, model=model)
    with pytest.raises(KeyboardInterrupt):
        library.sync()
    assert len(library) == 30
    monkeypatch.undo()
    assert library.sync().added == 30

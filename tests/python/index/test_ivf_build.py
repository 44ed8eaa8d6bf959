"""IVF.build: the file that adding everything would make, within a budget, or none."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from truth import clustered

import lookalike as la

MB = 1 << 20


def chunks(rows: np.ndarray, size: int = 700) -> Iterator[np.ndarray]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def added(path: Path, rows: np.ndarray, ids: object = None, **settings: object) -> bytes:
    index = la.IVF(**settings)
    index.add(rows, ids)
    index.save(path)
    return path.read_bytes()


DATA = {
    "l2": clustered(3000, 24),
    "ip": clustered(3000, 24, seed=1),
    "cosine": clustered(3000, 70, seed=2),
    "hamming": np.random.default_rng(3).integers(0, 256, (3000, 16), np.uint8),
}


@pytest.mark.parametrize("metric", DATA)
@pytest.mark.parametrize("ids", [None, "int", "str"])
def test_the_file_is_that_of_add_and_save(metric: str, ids: str | None, tmp_path: Path) -> None:
    rows = DATA[metric]
    numbers = np.random.default_rng(4).permutation(3 * len(rows))[: len(rows)]
    given = {None: None, "int": numbers, "str": [f"photo {n}" for n in numbers]}[ids]
    path = tmp_path / "built"
    with la.IVF.build(chunks(rows), path, ids=given, metric=metric) as built:
        assert path.read_bytes() == added(tmp_path / "added", rows, given, metric=metric)
        assert len(built) == len(rows) and built.nlist > 100
        first = 0 if given is None else given[0]
        assert np.array_equal(built[first], rows[0])
        assert built.search(rows[5], 1, nprobe=20).ids[0] == (5 if given is None else given[5])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["added", "built"]


@pytest.mark.parametrize(
    "settings",
    [
        {"codes": "u4", "nlist": 30},
        {"codes": "rabitq", "seed": 5},
        {"codes": "f16", "keep": "none"},
        {"codes": "u4", "keep": "none"},
        {"keep": "f16"},
    ],
    ids=str,
)
def test_every_setting(settings: dict[str, object], tmp_path: Path) -> None:
    rows = DATA["cosine"]
    la.IVF.build(chunks(rows), tmp_path / "built", metric="cosine", **settings)
    assert (tmp_path / "built").read_bytes() == added(tmp_path / "added", rows, metric="cosine", **settings)


def test_whatever_holds_the_vectors(tmp_path: Path) -> None:
    rows = DATA["l2"]
    expected = added(tmp_path / "added", rows)
    np.save(tmp_path / "rows.npy", rows)
    forms = {
        "array": rows,
        "mapped": np.load(tmp_path / "rows.npy", mmap_mode="r"),
        "mapped, copied on write": np.load(tmp_path / "rows.npy", mmap_mode="c"),
        "columns first": np.asfortranarray(rows),
        "float64": rows.astype(np.float64),
        "list of chunks": [rows[:1], rows[1:2999], rows[2999:]],
        "with empty chunks": [rows[:0], rows[:1000], rows[:0], rows[1000:]],
        "generator of lists": (chunk.tolist() for chunk in chunks(rows)),
        "vectors one by one": iter(rows),
    }
    for name, form in forms.items():
        la.IVF.build(form, tmp_path / "built", memory="32MB")
        assert (tmp_path / "built").read_bytes() == expected, name


def test_integers_are_kept_as_integers_until_they_are_none(tmp_path: Path) -> None:
    rows = np.random.default_rng(5).integers(0, 100, (3000, 12)).astype(np.float32)
    for change, bytes_each in [(None, 1), (-3.0, 1), (0.5, 4)]:
        if change is not None:
            rows[2950, 3] = change
        la.IVF.build(chunks(rows), tmp_path / "built")
        assert (tmp_path / "built").read_bytes() == added(tmp_path / "added", rows)
        assert (tmp_path / "built").stat().st_size < 3000 * (12 * bytes_each + 40) + 40_000


def test_lists_that_are_filled_in_several_turns(tmp_path: Path) -> None:
    rows = clustered(200_000, 32)  # whose codes take most of the memory
    la.IVF.build(rows, tmp_path / "built", nlist=40, memory="32MB", codes="u4")
    other = la.IVF(nlist=40, codes="u4")
    other.add(rows)
    built, queries = la.load(tmp_path / "built"), rows[:100] + 0.01
    # Nothing is promised of so much more than memory holds; all else is the same.
    assert "promised" not in repr(built) and "promised" in repr(other)
    for nprobe in (1, 5, 40):
        mine, theirs = built.search(queries, nprobe=nprobe), other.search(queries, nprobe=nprobe)
        assert np.array_equal(mine.ids, theirs.ids) and np.array_equal(mine.distances, theirs.distances)


def test_few_rows_and_rows_that_cannot_be_measured(tmp_path: Path) -> None:
    far = DATA["l2"].copy()
    far[17, 3] = 3e30
    for rows in (DATA["l2"][:1], DATA["l2"][:900], far, np.ones((2000, 5), np.float32)):
        done: list[tuple[int, int]] = []
        la.IVF.build(rows, tmp_path / "built", progress=lambda *now, done=done: done.append(now))
        assert (tmp_path / "built").read_bytes() == added(tmp_path / "added", rows)
        assert done == [(len(rows), len(rows))]


def test_progress_and_the_bar(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = np.random.default_rng(6).normal(size=(40_000, 80)).astype(np.float32)
    done: list[int] = []

    def note(now: int, total: int) -> None:
        assert total == 40_000
        done.append(now)

    la.IVF.build(chunks(rows, 9000), tmp_path / "built", nlist=20, progress=note)
    assert done == sorted(set(done)) and len(done) > 2 and done[-1] == 40_000
    la.IVF.build(rows[:2000], tmp_path / "built", progress=True)
    assert "2000/2000" in capfd.readouterr().err


BUILDER = r"""
    import re, sys
    from pathlib import Path
    import numpy as np
    import lookalike as la

    form, source, target, memory, metric = sys.argv[1:]
    def chunks(count, dim):
        with open(source, "rb") as file:
            file.seek(128)  # behind the header
            for _ in range(0, count, 5000):
                yield np.fromfile(file, np.float32, 5000 * dim).reshape(5000, dim)

    vectors = np.load(source, mmap_mode="r")
    if form == "chunks":
        vectors = chunks(*vectors.shape)
    def most():  # ru_maxrss would be that of the process this one was forked from
        return int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1])

    before = most()
    la.IVF.build(vectors, target, memory=int(memory), metric=metric, threads=2)
    print(before, most())
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file of 500,000 vectors of 128 dimensions."""
    path = tmp_path_factory.mktemp("large") / "rows.npy"
    rows = np.lib.format.open_memmap(path, "w+", np.float32, (500_000, 128))
    for start in range(0, len(rows), 50_000):
        rows[start : start + 50_000] = clustered(50_000, 128, seed=start)
    rows.flush()
    yield path
    path.unlink()


@pytest.mark.skipif(sys.platform != "linux", reason="where the peak is told differs")
@pytest.mark.parametrize(("form", "metric"), [("mapped", "l2"), ("mapped", "ip"), ("chunks", "cosine")])
def test_memory_stays_within_the_budget(form: str, metric: str, large: Path, tmp_path: Path) -> None:
    budget, target = 64 * MB, tmp_path / "built"
    rows = np.load(large, mmap_mode="r")
    assert rows.nbytes >= 3.8 * budget
    script = textwrap.dedent(BUILDER)
    command = [sys.executable, "-c", script, form, str(large), str(target), str(budget), metric]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    before, most = map(int, told.split())
    assert (most - before) * 1024 < budget, f"{(most - before) / 1024:.0f} MB"
    queries = clustered(50, rows.shape[1], seed=7)
    with la.load(target, mmap=True) as index:
        assert len(index) == len(rows)
        found = index.search(queries, 10, nprobe=100).ids
    flat = la.Flat(metric=metric)
    flat.add(rows)
    true = flat.search(queries, 10).ids
    assert np.mean([len(np.intersect1d(a, b)) for a, b in zip(found, true, strict=True)]) > 9


def nan_at(rows: np.ndarray, row: int) -> np.ndarray:
    rows = rows.copy()
    rows[row, 3] = np.nan
    return rows


def raising(rows: np.ndarray) -> Iterator[np.ndarray]:
    yield rows
    raise RuntimeError("the source broke off")


ROWS = DATA["l2"]


@pytest.mark.parametrize(
    ("vectors", "how", "error", "says"),
    [
        ([], {}, la.InvalidArgument, "vectors hold none"),
        (iter(()), {}, la.InvalidArgument, "vectors hold none"),
        (np.empty((0, 8)), {}, la.InvalidArgument, "vectors hold none"),
        ([ROWS, ROWS[:, :9]], {}, la.DimensionMismatch, "chunk 1: .*dim 9.*dim 24"),
        ([ROWS, ROWS, nan_at(ROWS, 2)], {}, la.InvalidArgument, r"chunk 2: vectors\[2, 3\] is nan"),
        (nan_at(ROWS, 2999), {}, la.InvalidArgument, r"rows 0 to 2999: vectors\[2999, 3\] is nan"),
        ([ROWS, "text"], {}, la.InvalidArgument, "chunk 1: vectors are a str"),
        ([ROWS, ROWS[None]], {}, la.InvalidArgument, "chunk 1: vectors have 3 axes"),
        (raising(ROWS), {}, RuntimeError, "broke off"),
        (ROWS[0], {}, la.InvalidArgument, "1 axes"),
        (5, {}, la.InvalidArgument, "vectors is a int; it must be an array or an iterable"),
        ("rows.npy", {}, la.InvalidArgument, "vectors is a str"),
        (ROWS, {"ids": [1, 2]}, la.InvalidArgument, "2 ids for 3000 vectors"),
        (ROWS, {"ids": [7] * 3000}, la.InvalidArgument, r"ids\[1\] is 7, which ids\[0\] is already"),
        (ROWS, {"ids": [0.5] * 3000}, la.InvalidArgument, "ids"),
        (ROWS, {"memory": "1MB"}, la.InvalidArgument, "memory is '1MB'; it must be at least 32MB"),
        (ROWS, {"memory": 0}, la.InvalidArgument, "at least 32MB"),
        (ROWS, {"memory": -1}, la.InvalidArgument, "at least 32MB"),
        (ROWS, {"memory": "much"}, la.InvalidArgument, "memory is 'much'; .*'512MB' or '2GB'"),
        (ROWS, {"memory": "2GBB"}, la.InvalidArgument, "'512MB' or '2GB'"),
        (ROWS, {"memory": 2.5e9}, la.InvalidArgument, "memory is 2500000000.0"),
        (ROWS, {"memory": None}, la.InvalidArgument, "memory is None"),
        (
            np.ones((5000, 4000), np.uint8),
            {"memory": "32MB"},
            la.InvalidArgument,
            "^memory is 33554432 bytes, but 5000 vectors of dim 4000 need at least",
        ),
        (ROWS, {"metric": "l3"}, la.InvalidArgument, "l3"),
        (ROWS, {"codes": "bits"}, la.InvalidArgument, "bits"),
        (ROWS, {"nlist": 0}, la.InvalidArgument, "nlist"),
        (ROWS, {"threads": 0}, la.InvalidArgument, "threads"),
        (ROWS, {"progress": 3}, la.InvalidArgument, "progress is 3"),
        (ROWS, {"progress": lambda done, total: False}, la.Cancelled, "of 3000 vectors; there is no file"),
    ],
)
def test_refused_and_nothing_is_left(
    vectors: object, how: dict[str, object], error: type[Exception], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "old"
    la.IVF.build(ROWS[:100], path)
    before = path.read_bytes()
    with pytest.raises(error, match=says):
        la.IVF.build(vectors, path, **how)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_words_for_memory(tmp_path: Path) -> None:
    for memory in (32 * MB, "32MB", "32 mb", "32768K", "33554432", "0.5GB", "1GiB", "1T", np.int64(1 << 30)):
        assert len(la.IVF.build(ROWS[:9], tmp_path / "built", memory=memory)) == 9


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    def never() -> Iterator[np.ndarray]:
        pytest.fail("vectors were read though the file cannot be written")
        yield ROWS

    for path in (tmp_path / "missing" / "file", tmp_path):
        with pytest.raises(la.IoError) as caught:
            la.IVF.build(never(), path)
        assert caught.value.filename == str(path)
    with pytest.raises(la.InvalidArgument, match="file"):
        la.IVF.build(ROWS, 7)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folders_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            la.IVF.build(ROWS, tmp_path / "built")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="files are limited on Linux")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "old"
    la.IVF.build(ROWS[:100], path)
    before = path.read_bytes()
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        for limit in (100_000, ROWS.nbytes + 10_000):  # while vectors come, and while the file is written
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            with pytest.raises(la.IoError):
                la.IVF.build(ROWS, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_ctrl_c_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "old"
    la.IVF.build(ROWS[:100], path)
    before = path.read_bytes()
    rows = np.random.default_rng(0).normal(size=(60_000, 64)).astype(np.float32)

    def press_when_read() -> Iterator[np.ndarray]:
        yield rows
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        la.IVF.build(press_when_read(), path, nlist=8000)
    assert time.monotonic() - start < 20
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_process_that_dies_leaves_nothing(tmp_path: Path) -> None:
    script = """
        import os, sys
        import numpy as np
        import lookalike as la
        la.IVF.build(np.ones((3000, 8), np.float32), sys.argv[1], progress=lambda done, total: os._exit(9))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "built")])
    assert done.returncode == 9
    assert not list(tmp_path.iterdir())

"""Files: whole or refused, on every path in and out."""

from __future__ import annotations

import copy
import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import lookalike as la

# Kind of index, metric, dtype of the vectors, what the index is asked to do with them.
CASES = [
    (la.Flat, "l2", np.float32, {}),
    (la.Flat, "ip", np.float32, {}),
    (la.Flat, "cosine", np.float32, {}),
    (la.Flat, "l2", np.uint8, {}),
    (la.Flat, "cosine", np.float32, {"codes": "f16"}),
    (la.Flat, "hamming", np.uint8, {}),
    (la.HNSW, "l2", np.float32, {"M": 5, "ef_construction": 40}),
    (la.HNSW, "ip", np.float32, {"codes": "u8", "seed": 3}),
    (la.HNSW, "cosine", np.float32, {"codes": "u4", "keep": "f16"}),
    (la.HNSW, "ip", np.float16, {"codes": "rabitq"}),
    (la.HNSW, "l2", np.uint8, {"codes": "u8", "keep": "none"}),
    (la.HNSW, "l2", np.int8, {}),
    (la.HNSW, "hamming", np.uint8, {}),
    (la.IVF, "l2", np.float32, {"codes": "u4", "nlist": 20}),
    (la.IVF, "ip", np.float32, {"codes": "u8", "seed": 3}),
    (la.IVF, "cosine", np.float32, {"codes": "rabitq", "keep": "f16", "nlist": 50}),
    (la.IVF, "l2", np.uint8, {"codes": "u8", "keep": "none"}),
    (la.IVF, "cosine", np.float16, {}),
    (la.IVF, "hamming", np.uint8, {}),
]
NAMES = [f"{kind.__name__} {metric} {dtype.__name__} {options}" for kind, metric, dtype, options in CASES]
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=NAMES)
FLAT, GRAPH, LISTS = CASES[2], CASES[8], CASES[13]


def build(case, string: bool) -> la.Flat | la.HNSW | la.IVF:
    """An index with a few rows removed but still there, large enough for a graph and for lists."""
    kind, metric, dtype, options = case
    rng = np.random.default_rng(7)
    count = {la.Flat: 60, la.HNSW: 700, la.IVF: 1300}[kind]
    low, high = {np.uint8: (0, 256), np.int8: (-128, 128)}.get(dtype, (-1, 1))
    rows = rng.uniform(low, high, (count, 9)).astype(dtype)
    index = kind(metric=metric, **options)
    ids = [f"photo-{i}.jpg" for i in range(count)] if string else rng.permutation(2000)[:count]
    index.add(rows, ids)
    index.remove(list(index)[::7])
    return index


def queries(index) -> np.ndarray:
    return index[list(index)[:10]]


def same(a, b) -> bool:
    x, y = a.search(queries(a), k=12), b.search(queries(a), k=12)
    return (
        list(a) == list(b)
        and (a.dim, a.metric, a.codes, len(a)) == (b.dim, b.metric, b.codes, len(b))
        and np.array_equal(a[list(a)], b[list(b)])
        and x.ids.tolist() == y.ids.tolist()
        and np.array_equal(x.distances, y.distances)
    )


@pytest.mark.parametrize("string", [False, True])
@EVERY_CASE
def test_every_way_there_and_back(case, string: bool, tmp_path: Path) -> None:
    index = build(case, string)
    path = tmp_path / "index.look"
    index.save(path)
    index.save(str(path))
    file = io.BytesIO()
    index.save(file)
    assert file.getvalue() == path.read_bytes()
    with path.open("rb", buffering=0) as raw:
        assert same(index, la.load(raw))
    with (tmp_path / "raw").open("wb", buffering=0) as raw:
        index.save(raw)
    assert (tmp_path / "raw").read_bytes() == path.read_bytes()
    for other in [
        la.load(path),
        la.load(str(path), mmap=True),
        la.load(io.BytesIO(file.getvalue())),
        pickle.loads(pickle.dumps(index)),
        copy.copy(index),
        copy.deepcopy(index),
    ]:
        assert same(index, other)
        # What comes back is as alive as what was saved.
        before = len(other)
        gone = next(iter(other))
        other.remove(gone)
        other.add(queries(index)[:1], ids=["new"] if string else [2000])
        other.upsert(queries(index)[1:2], ids=["new"] if string else [2000])
        assert len(other) == before and gone not in other and list(other)[-1] == ("new" if string else 2000)
        restore, pieces = other.__reduce__()
        assert same(other, restore(*pieces))


def test_an_empty_index_is_saved_too(kind, tmp_path: Path) -> None:
    for index in (kind(), kind(dim=5, metric="cosine", codes="f16"), kind(metric="hamming")):
        index.save(tmp_path / "empty")
        other = la.load(tmp_path / "empty", mmap=True)
        assert repr(other) == repr(index)
    other.add(np.ones((2, 3), np.uint8))
    assert len(other) == 2


@pytest.mark.parametrize("case", [FLAT, GRAPH, LISTS], ids=["flat", "hnsw", "ivf"])
def test_a_mapped_index_copies_on_the_first_change(case, tmp_path: Path) -> None:
    path = tmp_path / "index.look"
    index = build(case, string=False)
    index.save(path)
    written = path.read_bytes()
    with la.load(path, mmap=True) as mapped:
        mapped.upsert(queries(index)[:1] * 3, ids=[list(index)[4]])
        mapped.add(queries(index), ids=range(5000, 5010))
        mapped.remove(list(index)[:30])
        assert path.read_bytes() == written
        mapped.save(path)
        assert same(la.load(path), mapped)
    assert same(la.load(path, mmap=True), la.load(path))


def test_automatic_ids_go_on_after_loading(kind, tmp_path: Path) -> None:
    index = kind()
    index.add(np.eye(3))
    index.remove([2])
    index.save(tmp_path / "a")
    other = la.load(tmp_path / "a")
    other.add(np.eye(3)[:1])
    assert list(other) == [0, 1, 3]


@pytest.mark.parametrize("case", [FLAT, GRAPH, LISTS], ids=["flat", "hnsw", "ivf"])
def test_every_truncation_is_refused(case, tmp_path: Path) -> None:
    path = tmp_path / "index.look"
    build(case, string=True).save(path)
    whole = path.read_bytes()
    for length in [*range(400), *range(400, len(whole), 1 + len(whole) // 200), len(whole) - 1]:
        path.write_bytes(whole[:length])
        for mmap in (False, True):
            with pytest.raises(la.CorruptFile):
                la.load(path, mmap=mmap)
    path.write_bytes(whole + b"\0")
    with pytest.raises(la.CorruptFile):
        la.load(path)


@pytest.mark.parametrize("string", [False, True])
@pytest.mark.parametrize("case", [CASES[3], GRAPH, LISTS], ids=["flat", "hnsw", "ivf"])
def test_every_changed_byte_is_refused(case, string: bool, tmp_path: Path) -> None:
    path = tmp_path / "index.look"
    index = build(case, string)
    index.save(path)
    whole = path.read_bytes()
    accepted = []
    for at in [*range(2500), *range(2500, len(whole), 1 + len(whole) // 10_000)]:
        changed = bytearray(whole)
        changed[at] ^= 0x40
        try:
            loaded = la.load(io.BytesIO(changed))
        except (la.CorruptFile, la.Unsupported):
            continue
        accepted.append(at)
        assert same(index, loaded)
    # Bytes between sections carry nothing.
    assert all(whole[at] == 0 for at in accepted)


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    for data in (b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(500), os.urandom(10_000), pickle.dumps([1, 2])):
        (tmp_path / "other").write_bytes(data)
        with pytest.raises(la.CorruptFile):
            la.load(tmp_path / "other")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "index.look"
    build(FLAT, string=False).save(path)
    before = path.read_bytes()

    class Full(io.RawIOBase):
        def write(self, piece) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        build(FLAT, string=False).save(Full())
    path.chmod(0o444)
    if os.geteuid() != 0:
        with pytest.raises(la.IoError):
            build(GRAPH, string=True).save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["index.look"]


def test_mmap_needs_a_path() -> None:
    file = io.BytesIO()
    build(GRAPH, string=False).save(file)
    file.seek(0)
    with pytest.raises(la.InvalidArgument, match="mmap"):
        la.load(file, mmap=True)
    with pytest.raises(la.InvalidArgument, match="binary"):
        la.load(io.StringIO("text"))

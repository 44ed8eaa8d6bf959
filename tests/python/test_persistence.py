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

CASES = [
    ("l2", "f32"),
    ("ip", "f32"),
    ("cosine", "f32"),
    ("l2", "u8"),
    ("cosine", "f16"),
    ("hamming", "bits"),
]


def build(metric: str, codes: str, string: bool, removed: bool = True) -> la.Flat:
    rng = np.random.default_rng(7)
    if codes in ("u8", "bits"):
        rows = rng.integers(0, 256, (60, 9), dtype=np.uint8)
    else:
        rows = rng.normal(size=(60, 9)).astype(np.float32)
    index = la.Flat(metric=metric, codes="auto" if codes == "bits" else codes)
    index.add(rows, ids=[f"photo-{i}.jpg" for i in range(60)] if string else rng.permutation(1000)[:60])
    if removed:
        index.remove(list(index)[::7])
    return index


def queries(index: la.Flat) -> np.ndarray:
    return index[list(index)[:10]]


def same(a: la.Flat, b: la.Flat) -> bool:
    x, y = a.search(queries(a), k=12), b.search(queries(a), k=12)
    return (
        list(a) == list(b)
        and (a.dim, a.metric, a.codes, len(a)) == (b.dim, b.metric, b.codes, len(b))
        and np.array_equal(a[list(a)], b[list(b)])
        and x.ids.tolist() == y.ids.tolist()
        and np.array_equal(x.distances, y.distances)
    )


@pytest.mark.parametrize("string", [False, True])
@pytest.mark.parametrize(("metric", "codes"), CASES)
def test_every_way_there_and_back(metric: str, codes: str, string: bool, tmp_path: Path) -> None:
    index = build(metric, codes, string)
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
        again = la.Flat.__reduce__(other)
        assert same(other, again[0](*again[1]))


def test_an_empty_index_is_saved_too(tmp_path: Path) -> None:
    for index in (la.Flat(), la.Flat(dim=5, metric="cosine", codes="f16"), la.Flat(metric="hamming")):
        index.save(tmp_path / "empty")
        other = la.load(tmp_path / "empty", mmap=True)
        assert repr(other) == repr(index)
    other.add(np.ones((2, 3), np.uint8))
    assert len(other) == 2


def test_a_mapped_index_copies_on_the_first_change(tmp_path: Path) -> None:
    path = tmp_path / "index.look"
    index = build("cosine", "f32", string=False)
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


def test_automatic_ids_go_on_after_loading(tmp_path: Path) -> None:
    index = la.Flat()
    index.add(np.eye(3))
    index.remove([2])
    index.save(tmp_path / "a")
    other = la.load(tmp_path / "a")
    other.add(np.eye(3)[:1])
    assert list(other) == [0, 1, 3]


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.look"
    build("cosine", "f32", string=True).save(path)
    whole = path.read_bytes()
    for length in [*range(400), *range(400, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:length])
        for mmap in (False, True):
            with pytest.raises(la.CorruptFile):
                la.load(path, mmap=mmap)
    path.write_bytes(whole + b"\0")
    with pytest.raises(la.CorruptFile):
        la.load(path)


@pytest.mark.parametrize("string", [False, True])
def test_every_changed_byte_is_refused(string: bool, tmp_path: Path) -> None:
    path = tmp_path / "index.look"
    index = build("l2", "u8", string)
    index.save(path)
    whole = path.read_bytes()
    accepted = []
    for at in range(len(whole)):
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
    build("l2", "u8", string=False).save(path)
    before = path.read_bytes()

    class Full(io.RawIOBase):
        def write(self, piece) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        build("l2", "u8", string=False).save(Full())
    path.chmod(0o444)
    if os.geteuid() != 0:
        with pytest.raises(la.IoError):
            build("l2", "f32", string=True).save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["index.look"]


def test_mmap_needs_a_path() -> None:
    file = io.BytesIO()
    build("l2", "u8", string=False).save(file)
    file.seek(0)
    with pytest.raises(la.InvalidArgument, match="mmap"):
        la.load(file, mmap=True)
    with pytest.raises(la.InvalidArgument, match="binary"):
        la.load(io.StringIO("text"))

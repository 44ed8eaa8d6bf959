"""What other libraries crash on or pass in silence: here an error says what came and what was needed."""

from __future__ import annotations

import errno
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import lookalike as la


def with_value(value: float) -> np.ndarray:
    rows = np.ones((3, 4), np.float32)
    rows[1, 2] = value
    return rows


EYE = np.eye(4, dtype=np.float32) + 0.5
# More of them than an index searches without its graph or its lists.
MANY = np.concatenate([EYE, np.random.default_rng(0).normal(size=(1096, 4)).astype(np.float32)])
IDS = np.concatenate([np.arange(4), np.arange(10_000, 11_096)])
CASES = {
    "flat": (la.Flat, EYE),
    "hnsw": (la.HNSW, EYE),
    "hnsw graph": (la.HNSW, MANY),
    "ivf": (la.IVF, EYE),
    "ivf lists": (la.IVF, MANY),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def index(request: pytest.FixtureRequest) -> Iterator[la.Flat | la.HNSW | la.IVF]:
    """An index that must be the same to the last byte when the test ends, unless it closed it."""
    kind, rows = request.param
    index = kind()
    index.add(rows, IDS[: len(rows)])
    before = pickle.dumps(index)
    yield index
    if "closed" not in repr(index):
        assert pickle.dumps(index) == before
        assert index.search(rows[:4], k=1).ids.tolist() == [[0], [1], [2], [3]]


BAD_VECTORS = [
    pytest.param(with_value(np.nan), r"\[1, 2\] is nan", id="NaN"),
    pytest.param(with_value(np.inf), r"\[1, 2\] is inf", id="inf"),
    pytest.param(with_value(-np.inf), r"\[1, 2\] is -inf", id="-inf"),
    pytest.param(with_value(np.nan).astype(np.float16), r"\[1, 2\] is nan", id="NaN f16"),
    pytest.param(with_value(np.nan).astype(np.float64), r"\[1, 2\] is nan", id="NaN f64"),
    pytest.param(with_value(1).astype(np.float64) * 1e39, r"\[0, 0\] is 1e\+39", id="f64 beyond f32"),
    pytest.param(np.ones((2, 3)), r"dim 3.*dim 4", id="wrong dim"),
    pytest.param(np.ones(5), r"dim 5.*dim 4", id="wrong dim, one"),
    pytest.param(np.ones((2, 2, 4)), "3 axes", id="three axes"),
    pytest.param(np.float32(3), "0 axes", id="scalar"),
    pytest.param(np.ones((2, 4), complex), "complex128", id="complex"),
    pytest.param(np.array([["a"] * 4]), "<U1", id="str"),
    pytest.param(np.array([[None] * 4]), "object", id="object"),
    pytest.param(np.zeros((1, 4), "datetime64[s]"), "datetime64", id="dates"),
    pytest.param([[1, 2, 3, 4], [1, 2]], "cannot be read", id="ragged"),
    pytest.param("abcd", "str", id="text"),
    pytest.param(None, "axes|None", id="None"),
    pytest.param({1: 2}, "dict", id="dict"),
    pytest.param(np.full((1, 4), 2**24 + 1), "float32 cannot hold", id="inexact integer"),
    pytest.param(np.full((1, 4), 2**63 - 1), "float32 cannot hold", id="largest integer"),
    pytest.param(np.ma.masked_equal(np.eye(4), 1), "masked", id="masked"),
]


@pytest.mark.parametrize(("vectors", "message"), BAD_VECTORS)
def test_bad_vectors(index, vectors, message: str) -> None:
    count = len(vectors) if isinstance(vectors, np.ndarray) and vectors.ndim > 1 else 1
    for call, name in [
        (lambda: index.add(vectors), "vectors"),
        (lambda: index.upsert(vectors, range(count)), "vectors"),
        (lambda: index.search(vectors), "queries"),
        (lambda: index.range(vectors, 1.0), "queries"),
    ]:
        with pytest.raises(la.InvalidArgument, match=message) as caught:
            call()
        assert name in str(caught.value) and isinstance(caught.value, ValueError)


def test_the_wrong_dim_has_an_error_of_its_own(index) -> None:
    for call in (index.add, index.search):
        with pytest.raises(la.DimensionMismatch):
            call(np.ones((1, 7)))
    with pytest.raises(la.InvalidArgument, match="65537"):
        type(index)(dim=65537)
    with pytest.raises(la.InvalidArgument, match="65537"):
        type(index)().add(np.ones((1, 65537)))


BAD_IDS = [
    pytest.param([9, 9, 8], r"ids\[1\] is 9, which ids\[0\] is already", id="twice in one call"),
    pytest.param([7, 8, 2], r"ids\[2\] is 2, which is in the index", id="stored already"),
    pytest.param([5, -1, 6], r"ids\[1\] is -1", id="the padding value"),
    pytest.param([0.5, 1.5, 2.5], "0.5", id="float"),
    pytest.param(np.array([5.0, 6.0, 7.0]), "float64", id="whole floats"),
    pytest.param([True, False, True], "True", id="bool"),
    pytest.param(np.array([True, False, True]), "bool", id="bool array"),
    pytest.param(["a", "b", "c"], "str.*int", id="the other kind"),
    pytest.param([5, "b", 6], "one kind", id="mixed"),
    pytest.param(["b", 5, 6], "one kind", id="mixed, str first"),
    pytest.param([5, 6], "2 ids came with 3 vectors", id="too few"),
    pytest.param([5, 6, 7, 8], "4 ids came with 3 vectors", id="too many"),
    pytest.param([2**63, 6, 7], str(2**63), id="too large"),
    pytest.param(np.array([2**63, 6, 7], np.uint64), str(2**63), id="too large, uint64"),
    pytest.param(np.array([[5], [6], [7]]), "2 axes", id="two axes"),
    pytest.param(object(), "object", id="object"),
    pytest.param([b"a", b"b", b"c"], "b'a'", id="bytes"),
    pytest.param([None, None, None], "None", id="None"),
]


@pytest.mark.parametrize(("ids", "message"), BAD_IDS)
def test_bad_ids(index, ids, message: str) -> None:
    with pytest.raises(la.InvalidArgument, match=message):
        index.add(np.ones((3, 4)), ids)


def test_strings_utf8_cannot_hold(kind) -> None:
    with pytest.raises(la.InvalidArgument, match="UTF-8"):
        kind().add([[1, 2]], ids=["\udc80.jpg"])


@pytest.mark.parametrize(
    ("k", "message"),
    [(0, "k is 0"), (-3, "k is -3"), (2.0, "2.0"), ("3", "'3'"), (True, "True"), (None, "None"),
     (2**31 + 5, "2147483653"), (2**31 - 1, "2147483647"), (10**30, "k is")],
)  # fmt: skip
def test_bad_k(index, k, message: str) -> None:
    with pytest.raises(la.InvalidArgument, match=message):
        index.search(np.ones(4), k=k)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True])
def test_bad_threads(index, threads) -> None:
    for call in (lambda: index.search(np.ones(4), threads=threads), lambda: index.add([], threads=threads)):
        with pytest.raises(la.InvalidArgument, match="threads"):
            call()


@pytest.mark.parametrize("recall", [0, -1, 1.1, "much", [1, 2], float("nan")])
def test_bad_recall(index, recall) -> None:
    with pytest.raises(la.InvalidArgument, match="recall"):
        index.search(np.ones(4), recall=recall)


@pytest.mark.parametrize(
    "arguments",
    [{"metric": "euclid"}, {"metric": 2}, {"codes": "u9"}, {"codes": None}, {"dim": 0}, {"dim": -4},
     {"dim": 2.5}, {"metric": "hamming", "codes": "f32"}, {"metric": "l2", "codes": "bits"}],
)  # fmt: skip
def test_bad_construction(kind, arguments) -> None:
    with pytest.raises(la.InvalidArgument, match=next(iter(arguments))):
        kind(**arguments)


def test_unknown_words_are_type_errors(index) -> None:
    with pytest.raises(TypeError):
        index.search(np.ones(4), effort=50)
    with pytest.raises(TypeError):
        type(index)(4, "l2", "auto")


def test_unknown_ids(index) -> None:
    for call in (
        lambda: index[99],
        lambda: index[[0, 99]],
        lambda: index.remove([0, 99]),
        lambda: index.__delitem__(99),
    ):
        with pytest.raises(la.UnknownId, match=r"^id 99 is not in the index$") as caught:
            call()
        assert isinstance(caught.value, KeyError)
    for other in (99, -5, 2**70, "0", 0.5, None, (1, 2)):
        assert other not in index


def test_hamming_takes_packed_bits_only(kind) -> None:
    index = kind(metric="hamming")
    for vectors in (np.ones((2, 4)), np.ones((2, 4), bool), [[1, 2]]):
        with pytest.raises(la.InvalidArgument, match="packed bits"):
            index.add(vectors)
    index.add(np.ones((2, 4), np.uint8))
    with pytest.raises(la.InvalidArgument, match="packed bits"):
        index.search(np.ones(4, np.float32))


def test_what_the_system_refuses(index, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "index.look"
    with pytest.raises(la.IoError) as caught:
        index.save(missing)
    assert isinstance(caught.value, OSError)
    assert caught.value.errno == errno.ENOENT and caught.value.filename == str(missing)
    assert str(missing) in str(caught.value)
    with pytest.raises(FileNotFoundError):
        la.load(missing)
    with pytest.raises(la.IoError):
        la.load(tmp_path)
    if Path("/dev/full").exists():
        with pytest.raises(la.IoError) as caught:
            index.save("/dev/full")
        assert caught.value.errno == errno.ENOSPC
    for path in ("", "a\0b", 3.5, None):
        with pytest.raises(la.InvalidArgument):
            index.save(path)
        with pytest.raises(la.InvalidArgument):
            la.load(path)
    with (tmp_path / "text").open("w") as text, pytest.raises(la.InvalidArgument, match="binary"):
        index.save(text)


def test_a_closed_index_says_so(index) -> None:
    index.close()
    index.close()
    for call in (
        lambda: len(index),
        lambda: index.search(np.ones(4)),
        lambda: index.add([[1]]),
        lambda: list(index),
    ):
        with pytest.raises(la.InvalidArgument, match="closed"):
            call()


def test_a_closed_index_can_still_be_shown(kind) -> None:
    index = kind(dim=2)
    index.close()
    assert repr(index) == f"{kind.__name__}(closed)"

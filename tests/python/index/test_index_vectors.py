"""What goes in: every way vectors can lie in memory, and how they are kept."""

from __future__ import annotations

import numpy as np
import pytest

import lookalike as la

ROWS = (np.arange(60, dtype=np.float32).reshape(12, 5) - 20.25) / 4


def strided(array: np.ndarray) -> np.ndarray:
    wide = np.zeros((len(array) * 2, array.shape[1] * 3), array.dtype)
    wide[::2, ::3] = array
    return wide[::2, ::3]


def unaligned(array: np.ndarray) -> np.ndarray:
    buffer = np.empty(array.nbytes + 1, np.uint8)
    view = buffer[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


class Tensor:
    """Speaks DLPack and nothing else, as tensors of other libraries do."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


LAYOUTS = {
    "as it is": lambda a: a,
    "Fortran order": np.asfortranarray,
    "column slice": lambda a: np.hstack([a, a])[:, : a.shape[1]],
    "strided": strided,
    "reversed": lambda a: a[::-1].copy()[::-1],
    "reversed columns": lambda a: a[:, ::-1].copy()[:, ::-1],
    "unaligned": unaligned,
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "read only": lambda a: (b := a.copy(), b.setflags(write=False))[0],
    "float64": lambda a: a.astype(np.float64),
    "long double": lambda a: a.astype(np.longdouble),
    "lists": lambda a: a.tolist(),
    "tuple of arrays": tuple,
    "generator": lambda a: (row for row in a.tolist()),
    "DLPack": Tensor,
    "matrix": lambda a: a.view(np.matrix),
    "unmasked": np.ma.asarray,
    "broadcast": lambda a: np.broadcast_to(a[None], (1, *a.shape))[0],
}


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_the_same_vectors(kind, layout: str) -> None:
    index = kind()
    index.add(LAYOUTS[layout](ROWS))
    assert (index[range(12)] == ROWS).all()
    hits = index.search(LAYOUTS[layout](ROWS), k=1)
    assert hits.ids[:, 0].tolist() == list(range(12)) and (hits.distances == 0).all()


def test_a_row_repeated_by_broadcasting(kind) -> None:
    index = kind()
    index.add(np.broadcast_to(np.float32([1.5, 2]), (3, 2)))
    assert index[[0, 1, 2]].tolist() == [[1.5, 2]] * 3


@pytest.mark.parametrize(
    ("dtype", "codes"),
    [
        (bool, "u8"),
        (np.int16, "s8"),
        (np.int64, "s8"),
        (np.uint16, "u8"),
        (np.uint64, "u8"),
        (np.float64, "s8"),
    ],
)
def test_exactly_representable_numbers(dtype, codes: str) -> None:
    rows = np.array([[0, 1], [1, 0]] if codes == "u8" else [[0, -7], [9, 0]]).astype(dtype)
    index = la.Flat()
    index.add(rows)
    assert index.codes == codes and (index[[0, 1]] == rows).all()


def test_large_integers_that_float32_holds(kind) -> None:
    index = kind()
    index.add(np.array([[2**40, -(2**62)]]))
    assert index[0].tolist() == [2**40, -(2**62)]


def test_one_vector_is_one_row(kind) -> None:
    index = kind()
    index.add([1, 2, 3])
    index.add(np.array([4, 5, 6]), ids=17)
    assert len(index) == 2 and index[17].tolist() == [4, 5, 6]


@pytest.mark.parametrize(
    "nothing", [[], np.empty(0), np.empty((0, 3)), np.empty((0, 3), np.uint8), np.empty((0, 0))]
)
def test_adding_nothing_is_nothing(kind, nothing) -> None:
    index = kind()
    index.add(nothing)
    assert len(index) == 0 and index.dim is None and index.codes == "auto"
    index.add(np.eye(3))
    index.add(nothing)
    index.add(nothing, ids=[])
    index.upsert(nothing, ids=[])
    assert len(index) == 3


FIRST = {
    "u8": np.array([[0, 255]], np.uint8),
    "s8": np.array([[-128, 127]], np.int8),
    "f16": np.array([[0.5, 2]], np.float16),
    "f32": np.array([[0.1, 3]], np.float32),
}
EXPECTED = {
    ("u8", "u8"): "u8", ("s8", "s8"): "s8", ("f16", "f16"): "f16",
    ("f16", "u8"): "f16", ("f16", "s8"): "f16",
}  # fmt: skip


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("second", FIRST)
def test_mixed_adds_lose_nothing(first: str, second: str) -> None:
    index = la.Flat()
    index.add(FIRST[first], ids=[1])
    assert index.codes == first and index[1].dtype == FIRST[first].dtype
    index.add(FIRST[second], ids=[2])
    assert index.codes == EXPECTED.get((first, second), "f32")
    assert index[1].tolist() == FIRST[first][0].tolist() and index[2].tolist() == FIRST[second][0].tolist()
    other = la.Flat()
    other.add(FIRST[first], ids=[1])
    other.upsert(FIRST[second], ids=[1])
    assert other[1].tolist() == FIRST[second][0].tolist()


def test_values_decide_not_dtypes() -> None:
    for rows, codes in [
        ([[0.0, 255.0]], "u8"),
        ([[-1.0, 5.0]], "s8"),
        ([[-1.0, 128.0]], "f32"),
        ([[0, 256]], "f32"),
    ]:
        index = la.Flat()
        index.add(np.array(rows, np.float32))
        assert index.codes == codes
        index.add(np.array([[3, 4]], np.float16))
        assert index.codes == codes
    index = la.Flat()
    index.add(np.array([[3, 4]], np.float16))
    assert index.codes == "u8"


@pytest.mark.parametrize(
    ("codes", "bad"),
    [("u8", 300.5), ("u8", -1), ("u8", 0.5), ("s8", 128), ("s8", 0.25), ("f16", 65505), ("f16", -1e30)],
)
def test_forced_codes_name_what_they_cannot_hold(codes: str, bad: float) -> None:
    index = la.Flat(codes=codes)
    index.add([[1, 2, 3]])
    rows = np.ones((3, 3), np.float32)
    rows[2, 1] = bad
    with pytest.raises(la.InvalidArgument, match=rf"vectors\[2, 1\] is .*codes='{codes}'"):
        index.add(rows)
    assert len(index) == 1 and index.codes == codes
    index.add(rows[:2])
    assert len(index) == 3


def test_forced_f16_rounds_to_nearest_even() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([
        rng.normal(size=4000), rng.normal(size=2000) * 1e-5, rng.normal(size=2000) * 1e-8,
        rng.uniform(-65504, 65504, 4000), np.arange(2049, 4097, 2),
        [65504, -65504, 0.0, 2**-24, 2**-25, 3 * 2**-26, 1 + 2**-11, 1 + 3 * 2**-11],
    ]).astype(np.float32)  # fmt: skip
    index = la.Flat(codes="f16")
    index.add(values[:, None])
    stored = index[range(len(values))][:, 0]
    assert stored.dtype == np.float16 and (stored == values.astype(np.float16)).all()


def test_every_half_survives() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    index = la.Flat()
    index.add(halves[:, None])
    index.add([[0.1]])
    assert index.codes == "f32"
    assert (index[range(len(halves))][:, 0] == halves.astype(np.float32)).all()

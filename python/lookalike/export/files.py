"""Writes the files of a model folder, and compares them with PyTorch and with each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .card import write_card
from .compare import Agreement, agreement, largest_difference, precision_at_1
from .graph import OUTPUT, run_network, write_graph
from .network import Network
from .pictures import Pictures, spread
from .smaller import write_f16, write_int8

LIMIT = 1e-4
CHECKED = 16
# The mean cosine below which fewer bits have changed what a vector says.
NEAR = 0.95
_CALIBRATED = 128
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Wish:
    """What the user wants beside the f32 file."""

    int8: bool = False
    f16: bool = False
    default: str | None = None
    license: str | None = None

    @property
    def names(self) -> list[str]:
        """The files to be written."""
        return ["f32", *(["int8"] if self.int8 else []), *(["f16"] if self.f16 else [])]


@dataclass(frozen=True)
class Exported:
    """What was written, and how it compares.

    Attributes
    ----------
    difference : float
        The largest difference between PyTorch's vectors and the f32 file's, as a share of their largest
        element, on `checked` pictures; `real` says whether they were the user's photos.
    bytes : dict of str to int
        The files by name, "f32" first, and their sizes.
    agreement : dict of str to Agreement
        Cosine of each smaller file's vectors with those of f32, on `compared` pictures.
    precision : dict of str to float
        How often the nearest of those photos is of the same class, by file; empty where there are no classes.
    unreadable : int
        Photos that were left out, because they cannot be read.
    """

    folder: Path
    name: str
    dim: int
    source: str
    license: str
    exporter: str
    default: str
    difference: float
    real: bool
    checked: int
    compared: int
    unreadable: int
    bytes: dict[str, int]
    agreement: dict[str, Agreement] = field(default_factory=dict)
    precision: dict[str, float] = field(default_factory=dict)


def write_files(network: Network, folder: Path, pictures: Pictures, wish: Wish) -> Exported:
    """Write a model folder. Raises ModelError where f32 is not what PyTorch gives on the first pictures."""
    paths = {name: folder / f"model.{name}.onnx" for name in wish.names}
    squares, exact = pictures.squares, paths["f32"]
    exporter = write_graph(network, exact)
    vectors = {"f32": _embed(exact, squares)}
    expected = run_network(network, squares[:CHECKED])
    difference = largest_difference(vectors["f32"][:CHECKED], expected)
    if not difference <= LIMIT:
        raise ModelError(
            f"the ONNX file differs from PyTorch by {difference:.1e} of the largest element (limit "
            f"{LIMIT:.0e}, {len(expected)} pictures, written by {exporter}); it is not kept"
        )
    if wish.int8:
        write_int8(exact, paths["int8"], squares[spread(len(squares), _CALIBRATED)])
    if wish.f16:
        write_f16(exact, paths["f16"])
    small = wish.names[1:]
    vectors |= {name: _embed(paths[name], squares) for name in small}
    for name in small:
        if not np.isfinite(vectors[name]).all():
            raise ModelError(
                f"the {name} file gives NaN or infinity on these pictures: export without --{name}"
            )
    agrees = {name: agreement(vectors[name], vectors["f32"]) for name in small}
    license = wish.license or network.license or _UNKNOWN
    dim = expected.shape[1]
    near = wish.int8 and agrees["int8"].mean >= NEAR
    default = wish.default or ("int8" if near else "f32")
    write_card(folder, network, dim, license, paths, default)
    _open(folder)
    classes = pictures.classes if small else None
    return Exported(
        folder=folder,
        name=network.name,
        dim=dim,
        source=network.source,
        license=license,
        exporter=exporter,
        difference=difference,
        real=pictures.real,
        default=default,
        checked=len(expected),
        compared=len(squares),
        unreadable=pictures.unreadable,
        bytes={name: path.stat().st_size for name, path in paths.items()},
        agreement=agrees,
        precision={}
        if classes is None
        else {name: precision_at_1(found, classes) for name, found in vectors.items()},
    )


def _embed(path: Path, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Run a file as it will be run; one picture alone first, for graphs that only know the number traced."""
    from ..embed.runtime.session import OnnxSession

    session = OnnxSession(path.read_bytes(), path.name, "cpu")
    parts = [session.run(squares[:1], OUTPUT)]
    parts += [session.run(squares[start : start + 3], OUTPUT) for start in range(1, len(squares), 3)]
    vectors: NDArray[np.float32] = np.concatenate(parts)
    return vectors


def _open(folder: Path) -> None:
    """Open the folder as its user will: raises ModelError where it is not what its card says."""
    from ..embed.image.embedder import ImageEmbedder

    ImageEmbedder(folder, device="cpu", threads=1)

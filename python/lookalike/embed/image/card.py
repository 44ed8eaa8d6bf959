"""model.toml of an image model: what it is, and how its images are prepared."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...errors import ModelError
from ..cards.fields import Channels, Fields, read_fields
from ..cards.summary import CardFile, check_kind, chosen_file, take_summary
from .preparation import Filter, Fit, Preparation

Dtype = Literal["uint8", "float32", "float16"]
Layout = Literal["NHWC", "NCHW"]
LARGEST_SIZE = 4096


@dataclass(frozen=True)
class InputSpec:
    """The tensor a graph takes, and how pixels become it."""

    preparation: Preparation
    name: str | None = None
    dtype: Dtype = "uint8"
    layout: Layout = "NHWC"
    mean: Channels = (0.0, 0.0, 0.0)
    std: Channels = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class ModelCard:
    """A model as its ``model.toml`` states it; `file` is the ONNX file to run, `sha256` its checksum.

    Examples
    --------
    >>> import lookalike as la
    >>> card = la.ImageEmbedder("efficientnet-lite0", device="cpu").card
    >>> card.license, card.input.preparation.size
    ('Apache-2.0', 224)
    """

    name: str
    dim: int
    input: InputSpec
    output: str | None
    file: Path
    sha256: str | None
    normalize: bool = False
    license: str = ""
    source: str = ""
    build: str = ""

    def read(self) -> bytes:
        """Return the ONNX file's bytes. Raises ModelError where it is missing or not what the card says."""
        return CardFile(self.file, self.sha256, build=self.build).read(self.name)

    @property
    def identity(self) -> str:
        """The name, and a digest of the file and of everything else that shapes a vector."""
        if self.sha256 is None:
            raise ModelError(f"model {self.name}: its file has no checksum yet")
        shape = repr((self.sha256, self.input, self.output, self.normalize))
        return f"{self.name}:{hashlib.sha256(shape.encode()).hexdigest()[:16]}"


def load_card(folder: Path, file: str | None = None) -> ModelCard:
    """Read folder/model.toml; `file` picks one of its ONNX files, else its default does.

    Raises ModelError, which names the field that is missing, unknown or wrong.
    """
    return card_of(read_fields(folder), folder, file)


def card_of(fields: Fields, folder: Path, file: str | None = None) -> ModelCard:
    """Return the card that folder/model.toml is, read already; `load_card` says what else."""
    summary = take_summary(fields, folder)
    check_kind(summary, "image", folder)
    chosen = chosen_file(fields, folder, file)
    card = ModelCard(
        name=summary.name,
        dim=summary.dim,
        input=input_of(fields.table("input")),
        output=fields.table("output", {}).text("name", "") or None,
        file=chosen.path,
        sha256=chosen.sha256,
        normalize=fields.truth("normalize", False),
        license=summary.license,
        source=summary.source,
        build=chosen.build,
    )
    fields.refuse_others()
    return card


def input_of(fields: Fields) -> InputSpec:
    """Read an [input] table: the tensor of images a graph takes, and how pixels become it."""
    crop = fields.number("crop", 1.0)
    if not 0 < crop <= 1:
        fields.fail("crop", "a number in (0, 1]")
    size = fields.whole("size")
    if size > LARGEST_SIZE:
        fields.fail("size", f"at most {LARGEST_SIZE} pixels")
    spec = InputSpec(
        preparation=Preparation(
            size, fields.one_of("fit", Fit, "crop"), crop, fields.one_of("filter", Filter, "bicubic")
        ),
        name=fields.text("name", "") or None,
        dtype=fields.one_of("dtype", Dtype, "uint8"),
        layout=fields.one_of("layout", Layout, "NHWC"),
        mean=fields.channels("mean", (0.0, 0.0, 0.0)),
        std=fields.channels("std", (1.0, 1.0, 1.0)),
    )
    if min(spec.std) <= 0:
        fields.fail("std", "numbers above 0")
    fields.refuse_others()
    return spec

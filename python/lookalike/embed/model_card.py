"""model.toml: what a model is, and how its images are prepared."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

import numpy as np

from ..errors import ModelError
from .preparation import Filter, Fit, Preparation

# Python 3.10 has it under its old name.
tomllib: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

FILE_NAME = "model.toml"
Dtype = Literal["uint8", "float32"]
Layout = Literal["NHWC", "NCHW"]
Channels = tuple[float, float, float]


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

    def read(self) -> bytes:
        """Return the ONNX file's bytes. Raises ModelError where it is missing or not what the card says."""
        try:
            data = self.file.read_bytes()
        except OSError as error:
            raise ModelError(f"model {self.name}: {self.file} cannot be read: {error.strerror}") from None
        found = hashlib.sha256(data).hexdigest()
        if self.sha256 is not None and found != self.sha256:
            raise ModelError(
                f"model {self.name}: {self.file} has sha256 {found}, {FILE_NAME} says {self.sha256}; "
                "the file is damaged, or its card is of another version"
            )
        return data

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
    path = folder / FILE_NAME
    fields = _Fields(path, "", _parse(path))
    entry = _pick(path, fields.table("files"), fields.text("default", ""), file)
    card = ModelCard(
        name=fields.text("name"),
        dim=fields.whole("dim"),
        input=_input(fields.table("input")),
        output=fields.table("output", {}).text("name", "") or None,
        file=folder / _plain_name(entry),
        sha256=_checksum(entry),
        normalize=fields.truth("normalize", False),
        license=fields.text("license"),
        source=fields.text("source"),
    )
    fields.refuse_others()
    return card


def names_file(folder: Path, file: str) -> bool:
    """Whether folder/model.toml exists and lists this ONNX file."""
    if not (folder / FILE_NAME).is_file():
        return False
    files = _Fields(folder / FILE_NAME, "", _parse(folder / FILE_NAME)).table("files")
    return any(files.table(name).content.get("file") == file for name in files.content)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not TOML: {error}") from None


def _pick(path: Path, files: _Fields, default: str, file: str | None) -> _Fields:
    names = list(files.content)
    entries = {name: files.table(name) for name in names}
    if file is not None:
        return next(entry for entry in entries.values() if entry.text("file") == file)
    chosen = default or (names[0] if len(names) == 1 else "")
    if chosen not in entries:
        raise ModelError(f"{path}: default is {default!r}; needed: one of [files.*], here {names}")
    return entries[chosen]


def _plain_name(entry: _Fields) -> str:
    name = entry.text("file")
    if name != Path(name).name:
        entry.fail("file", "the name of a file beside model.toml")
    return name


def _checksum(entry: _Fields) -> str:
    checksum = entry.text("sha256").lower()
    if len(checksum) != 64 or set(checksum) - set("0123456789abcdef"):
        entry.fail("sha256", "64 hexadecimal digits")
    entry.refuse_others()
    return checksum


def _input(fields: _Fields) -> InputSpec:
    crop = fields.number("crop", 1.0)
    if not 0 < crop <= 1:
        fields.fail("crop", "a number in (0, 1]")
    size = fields.whole("size")
    if size > 4096:
        fields.fail("size", "at most 4096 pixels")
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


class _Fields:
    """A TOML table read field by field; whatever is wrong is reported by the field's full name."""

    def __init__(self, path: Path, prefix: str, content: Mapping[str, Any]) -> None:
        self.content = content
        self._path, self._prefix = path, prefix
        self._asked: set[str] = set()

    def fail(self, key: str, needed: str) -> NoReturn:
        """Raise the error of a field: what came, what was needed."""
        came = f"is {self.content[key]!r}" if key in self.content else "is missing"
        raise ModelError(f"{self._path}: {self._prefix}{key} {came}; needed: {needed}")

    def refuse_others(self) -> None:
        """Raise for a field nobody asked for: a typing mistake, mostly."""
        for key in self.content.keys() - self._asked:
            self.fail(key, f"one of {sorted(self._asked)}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key, default)
        return value if isinstance(value, str) and (value or default == "") else self.fail(key, "text")

    def whole(self, key: str) -> int:
        value = self._get(key, None)
        right = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return int(value) if right else self.fail(key, "a whole number above 0")

    def number(self, key: str, default: float) -> float:
        value = self._get(key, default)
        right = isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value)
        return float(value) if right else self.fail(key, "a number")

    def truth(self, key: str, default: bool) -> bool:
        value = self._get(key, default)
        return value if isinstance(value, bool) else self.fail(key, "true or false")

    def channels(self, key: str, default: Channels) -> Channels:
        value = self._get(key, default)
        numbers = isinstance(value, (list, tuple)) and all(type(v) in (int, float) for v in value)
        if not numbers or len(value) != 3 or not np.isfinite(value).all():
            self.fail(key, "three numbers")
        red, green, blue = value
        return float(red), float(green), float(blue)

    def one_of(self, key: str, choices: Any, default: str) -> Any:
        value = self._get(key, default)
        allowed = get_args(choices)
        return value if value in allowed else self.fail(key, f"one of {list(allowed)}")

    def table(self, key: str, default: dict[str, Any] | None = None) -> _Fields:
        value = self._get(key, default)
        return (
            _Fields(self._path, f"{self._prefix}{key}.", value)
            if isinstance(value, dict)
            else self.fail(key, "a table")
        )

    def _get(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        return self.content.get(key, default)

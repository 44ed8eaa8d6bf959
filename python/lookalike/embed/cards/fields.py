"""A model.toml read field by field, so that whatever is wrong is reported by the field's full name."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, get_args

from ...errors import ModelError

# Python 3.10 has it under its old name.
tomllib: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

FILE_NAME = "model.toml"
Channels = tuple[float, float, float]


def read_fields(folder: Path) -> Fields:
    """Read folder/model.toml. Raises ModelError where it cannot be read or is not TOML."""
    path = folder / FILE_NAME
    try:
        return Fields(path, "", dict(tomllib.loads(path.read_text(encoding="utf-8"))))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not TOML: {error}") from None


class Fields:
    """A TOML table read field by field; whatever is wrong is reported by the field's full name."""

    def __init__(self, path: Path, prefix: str, content: Mapping[str, Any]) -> None:
        self.content = content
        self._path, self._prefix = path, prefix
        self._read: set[str] = set()

    def fail(self, key: str, needed: str) -> NoReturn:
        """Raise the error of a field: what came, what was needed."""
        came = f"is {self.content[key]!r}" if key in self.content else "is missing"
        raise ModelError(f"{self._path}: {self._prefix}{key} {came}; it must be {needed}")

    def refuse_others(self) -> None:
        """Raise for a field that was not read: a typing mistake, mostly."""
        for key in self.content.keys() - self._read:
            self.fail(key, f"one of {sorted(self._read)}")

    def text(self, key: str, default: str | None = None) -> str:
        """Return a field that is text; one without a default must be there and not be empty."""
        value = self._get(key, default)
        return value if isinstance(value, str) and (value or default == "") else self.fail(key, "text")

    def whole(self, key: str) -> int:
        """Return a field that is a whole number above 0."""
        value = self._get(key, None)
        right = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return int(value) if right else self.fail(key, "a whole number above 0")

    def number(self, key: str, default: float | None = None) -> float:
        """Return a field that is a finite number."""
        value = self._get(key, default)
        return float(value) if is_number(value) else self.fail(key, "a number")

    def truth(self, key: str, default: bool) -> bool:
        """Return a field that is true or false."""
        value = self._get(key, default)
        return value if isinstance(value, bool) else self.fail(key, "true or false")

    def channels(self, key: str, default: Channels) -> Channels:
        """Return a field of three numbers: red, green, blue."""
        value = self._get(key, default)
        if not isinstance(value, (list, tuple)) or len(value) != 3 or not all(map(is_number, value)):
            self.fail(key, "three numbers")
        red, green, blue = value
        return float(red), float(green), float(blue)

    def one_of(self, key: str, choices: Any, default: str) -> Any:
        """Return a field that is one of some words: those of a Literal, or the keys of a table."""
        value = self._get(key, default)
        allowed = get_args(choices) or tuple(choices)
        return value if value in allowed else self.fail(key, f"one of {list(allowed)}")

    def table(self, key: str, default: dict[str, Any] | None = None) -> Fields:
        """Return a table, to be read in turn."""
        value = self._get(key, default)
        return (
            Fields(self._path, f"{self._prefix}{key}.", value)
            if isinstance(value, dict)
            else self.fail(key, "a table")
        )

    def _get(self, key: str, default: Any) -> Any:
        self._read.add(key)
        return self.content.get(key, default)


def is_number(value: Any) -> bool:
    """Whether it is a finite number; TOML's whole numbers may be larger than any float."""
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:
        return False

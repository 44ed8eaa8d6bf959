"""Where models are: the shipped ones, and any by the name or path that a user gave."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._checks import must_be
from .fields import FILE_NAME, Fields, read_fields
from .summary import files_of, read_summary


@dataclass(frozen=True)
class Located:
    """Where a model is. An embedder takes one in place of the name, which it stays for `os.fspath`.

    Attributes
    ----------
    name
        What the user gave.
    path
        The model's folder; or a file, or nothing that is there, where no ``model.toml`` was found.
    fields
        What the folder's ``model.toml`` says.
    file
        The ONNX file in the folder that the user named, where it was not the folder.
    """

    name: str
    path: Path
    fields: Fields | None
    file: str | None = None

    def __fspath__(self) -> str:
        return self.name


def locate(model: Any) -> Located:
    """Find a model.

    Raises
    ------
    InvalidArgument
        Where it is no name and no path.
    ModelError
        Where its ``model.toml`` cannot be read.
    """
    if isinstance(model, Located):
        return model
    name = as_name(model)
    path = find_shipped(name) or Path(name)
    if (path / FILE_NAME).is_file():
        return Located(name, path, read_fields(path))
    if not path.is_dir() and (path.parent / FILE_NAME).is_file():
        fields = read_fields(path.parent)
        if any(listed.path.name == path.name for listed in files_of(fields, path.parent).values()):
            return Located(name, path.parent, fields, path.name)
    return Located(name, path, None)


def as_name(model: Any) -> str:
    """Return a model's name or path as a str. Raises InvalidArgument where it is neither."""
    if not isinstance(model, (str, os.PathLike)) or not os.fspath(model):
        raise must_be("model", model, "a shipped name, a folder with a model.toml, or an .onnx file")
    return os.fspath(model)


def shipped_models(kind: str | None = None) -> list[str]:
    """Names of the models that came with lookalike: all, or those of one kind.

    >>> from lookalike.embed.cards.located import shipped_models
    >>> "efficientnet-lite0" in shipped_models("image")
    True
    """
    folders = {folder.name: folder for root in reversed(_roots()) for folder in root.glob("*")}
    cards = {name: folder for name, folder in folders.items() if (folder / FILE_NAME).is_file()}
    return sorted(name for name, folder in cards.items() if kind in (None, read_summary(folder).kind))


def find_shipped(name: str) -> Path | None:
    """Return the folder of a shipped model, None where there is none of that name."""
    if name != Path(name).name:
        return None
    found = (root / name for root in _roots() if (root / name / FILE_NAME).is_file())
    return next(found, None)


def _roots() -> list[Path]:
    """Where shipped models may lie: inside the installed package, or in the source tree beside it."""
    package = Path(__file__).resolve().parents[2]
    return [package / "models", package.parents[1] / "models"]

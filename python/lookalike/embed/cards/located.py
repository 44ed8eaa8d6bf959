"""A model by the name or path that a user gave: found, and its model.toml read, once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._checks import must_be
from .fields import FILE_NAME, Fields, read_fields
from .files import files_of
from .shipped import find_shipped


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

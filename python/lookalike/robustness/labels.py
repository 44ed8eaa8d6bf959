"""Which photos a folder holds, and of what class each is."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ..errors import InvalidArgument
from ..library.scan import scan

How = Literal["folder", "prefix"]


@dataclass(frozen=True)
class LabelledPhotos:
    """Photos and their classes, side by side.

    Attributes
    ----------
    paths, classes
        As many of each.
    how
        What a class is: the "folder" a photo lies in, or the "prefix" of its name.
    unlabelled
        Photos left out because they have no class.
    errors
        Folders and files that could not be read, and why.
    """

    paths: list[Path]
    classes: list[str]
    how: How
    unlabelled: int
    errors: dict[Path, str]


def read_labels(
    folder: str | os.PathLike[str], how: Literal["auto", "folder", "prefix"] = "auto"
) -> LabelledPhotos:
    """List the photos of a folder with the class of each.

    Parameters
    ----------
    folder
        Where the photos lie, subfolders included; hidden ones are left out.
    how
        "folder": a photo's class is the first subfolder on the way to it. "prefix": it is its name up to the
        first ``-`` or ``_``. "auto": by folder where any photo lies in one, else by prefix.

    Raises
    ------
    InvalidArgument
        There are no photos, none has a class, or all have the same.
    lookalike.errors.IoError
        The folder cannot be listed.

    Examples
    --------
    >>> from lookalike.robustness import read_labels
    >>> photos = read_labels("photos")
    >>> photos.how, photos.classes[0], photos.paths[0].name
    ('prefix', 'animal', 'animal-bison.jpg')
    """
    if how != "auto" and how not in get_args(How):
        raise InvalidArgument(f"labels is {how!r}; it must be 'auto', 'folder' or 'prefix'")
    folder = Path(folder)
    found = scan(folder, folder / ".lookalike")
    paths = [Path(os.fsdecode(path)) for path in sorted(found.files)]
    if not paths:
        raise InvalidArgument(f"folder {folder}: holds no photos")
    if how == "auto":
        how = "folder" if any(len(path.parts) > 1 for path in paths) else "prefix"
    labels = [_class_of(path, how) for path in paths]
    labelled = [(folder / path, label) for path, label in zip(paths, labels, strict=True) if label]
    _check(Counter(label for _, label in labelled), folder, how)
    return LabelledPhotos(
        paths=[path for path, _ in labelled],
        classes=[label for _, label in labelled],
        how=how,
        unlabelled=len(paths) - len(labelled),
        errors={folder / os.fsdecode(path): why for path, why in found.errors.items()},
    )


def _class_of(path: Path, how: How) -> str:
    if how == "folder":
        return path.parts[0] if len(path.parts) > 1 else ""
    prefix = re.match(r"([^-_]+)[-_]", path.name)
    return prefix[1] if prefix else ""


def _check(counts: Counter[str], folder: Path, how: How) -> None:
    if not counts:
        raise InvalidArgument(
            f"folder {folder}: its photos have no class by {how}; there must be a subfolder a class, such "
            "as cats/1.jpg, or names that begin with it, such as cats-1.jpg"
        )
    if len(counts) == 1:
        raise InvalidArgument(
            f"folder {folder}: all are of one class by {how}, {next(iter(counts))!r}; there must be two"
        )
    if max(counts.values()) == 1:
        raise InvalidArgument(
            f"folder {folder}: no class by {how} has more than one photo; there must be another to be found"
        )

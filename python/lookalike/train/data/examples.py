"""Labelled images: what a folder of class folders holds."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidArgument
from ...library.scan import scan

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """Images, anything `ImageEmbedder` takes, and of each the number of its class.

    Examples
    --------
    >>> from lookalike.train.data.examples import Examples
    >>> Examples(["a.jpg", "b.jpg"], np.array([0, 1]), ["cat", "dog"]).counts()
    array([1, 1])
    """

    images: Sequence[Any]
    labels: Labels
    classes: list[str]
    #: What was left out, and why: a line each.
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.images)

    def counts(self) -> Labels:
        """How many images each class has."""
        return np.bincount(self.labels, minlength=len(self.classes))

    def take(self, rows: NDArray[np.int64]) -> Examples:
        """Return some of the images; the classes keep their numbers."""
        images = [self.images[row] for row in rows.tolist()]
        return Examples(images, self.labels[rows], self.classes, self.skipped)

    def of_classes(self, names: Sequence[str]) -> Examples:
        """Return the images of some classes, renumbered."""
        numbers = {self.classes.index(name): number for number, name in enumerate(names)}
        rows = np.flatnonzero(np.isin(self.labels, list(numbers)))
        labels = np.array([numbers[int(label)] for label in self.labels[rows]], np.int64)
        return Examples([self.images[row] for row in rows.tolist()], labels, list(names))

    def fingerprint(self) -> str:
        """Return a digest of the classes and of the names of files, in order."""
        digest = hashlib.sha256(repr(self.classes).encode())
        for image, label in zip(self.images, self.labels, strict=True):
            name = Path(image).name if isinstance(image, (str, os.PathLike)) else np.shape(image)
            digest.update(f"{name!r} {label}\n".encode())
        return digest.hexdigest()


def read_folder(folder: str | os.PathLike[str]) -> Examples:
    """List the images below folder/CLASS/, nested folders included; the first folder's name is the class.

    Images beside the class folders have no class: they are left out, and said so in `skipped`.

    Raises
    ------
    InvalidArgument
        Where there is no image in a class folder.
    IoError
        Where the folder cannot be read.
    """
    root = Path(folder)
    found = scan(root, root / ".lookalike")
    skipped = [f"{root / os.fsdecode(path)}: {message}" for path, message in found.errors.items()]
    paths: list[Path] = []
    names: list[str] = []
    for path in sorted(found.files):
        name, slash, _ = path.partition(b"/")
        if not slash:
            skipped.append(f"{root / os.fsdecode(path)}: lies in no class folder")
            continue
        paths.append(root / os.fsdecode(path))
        names.append(os.fsdecode(name))
    if not paths:
        raise InvalidArgument(
            f"folder {root}: has no image in a class folder; it must hold {root}/CLASS/*.jpg"
        )
    classes, labels = np.unique(names, return_inverse=True)
    return Examples(paths, labels.astype(np.int64), classes.tolist(), skipped)

"""The files a model.toml names, held to their checksums."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError
from .card_fields import FILE_NAME, Fields


@dataclass(frozen=True)
class CardFile:
    """A file beside a ``model.toml``, the checksum stated there, and the command that makes it anew."""

    path: Path
    sha256: str | None
    build: str = ""

    def read(self, model: str) -> bytes:
        """Return the bytes. Raises ModelError where the file is missing or not what the card says."""
        try:
            data = self.path.read_bytes()
        except OSError as error:
            remedy = f"; this makes it: {self.build}" if self.build and not self.path.exists() else ""
            raise ModelError(f"model {model}: {self.path} cannot be read: {error.strerror}{remedy}") from None
        found = hashlib.sha256(data).hexdigest()
        if self.sha256 is not None and found != self.sha256:
            raise ModelError(
                f"model {model}: {self.path} has sha256 {found}, {FILE_NAME} says {self.sha256}; "
                "the file is damaged, or its card is of another version"
            )
        return data


def files_of(fields: Fields, folder: Path) -> dict[str, CardFile]:
    """Return the card's ``[files.*]`` by their names."""
    # A model may have no file of its own, and look through another.
    files, build = fields.table("files", {}), fields.text("build", "")
    return {name: _file(files.table(name), folder, build) for name in files.content}


def chosen_file(fields: Fields, folder: Path, file: str | None = None) -> CardFile:
    """Return the listed file of that name, or the one that ``default`` chooses."""
    files, default = files_of(fields, folder), fields.text("default", "")
    if file is not None:
        return next(listed for listed in files.values() if listed.path.name == file)
    names = list(files)
    chosen = default or (names[0] if len(names) == 1 else "")
    if chosen not in files:
        raise ModelError(
            f"{folder / FILE_NAME}: default is {default!r}; needed: one of [files.*], here {names}"
        )
    return files[chosen]


def _file(entry: Fields, folder: Path, build: str) -> CardFile:
    name = entry.text("file")
    if name != Path(name).name:
        entry.fail("file", "the name of a file beside model.toml")
    checksum = entry.text("sha256").lower()
    if len(checksum) != 64 or set(checksum) - set("0123456789abcdef"):
        entry.fail("sha256", "64 hexadecimal digits")
    entry.refuse_others()
    return CardFile(folder / name, checksum, build)

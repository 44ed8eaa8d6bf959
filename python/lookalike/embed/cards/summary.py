"""What every model.toml says, whatever its model embeds; and the files it names, with their checksums."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

from ...errors import ModelError
from ..kinds import KINDS
from .fields import FILE_NAME, Fields, read_fields


@dataclass(frozen=True)
class CardFile:
    """A file beside a ``model.toml``, or of an installed package, and the checksum stated there.

    `build` is the command that makes it again.
    """

    path: Path
    sha256: str | None
    package: str | None = None
    build: str = ""

    def place(self, model: str) -> Path:
        """Where the file lies. Raises ImportError where its package is not installed."""
        return self.path if self.package is None else _installed(self.package, self.path, model)

    def read(self, model: str) -> bytes:
        """Return the bytes.

        Raises ModelError where the file is missing or not what the card says, and ImportError where its
        package is not installed.
        """
        path = self.place(model)
        try:
            data = path.read_bytes()
        except OSError as error:
            remedy = f"; this makes it: {self.build}" if self.build and not path.exists() else ""
            raise ModelError(f"model {model}: {path} cannot be read: {error.strerror}{remedy}") from None
        found = hashlib.sha256(data).hexdigest()
        if self.sha256 is not None and found != self.sha256:
            raise ModelError(
                f"model {model}: {path} has sha256 {found}, {FILE_NAME} says {self.sha256}; "
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
            f"{folder / FILE_NAME}: default is {default!r}; it must be one of [files.*], here {names}"
        )
    return files[chosen]


def _file(entry: Fields, folder: Path, build: str) -> CardFile:
    name, package = entry.text("file"), entry.text("package", "")
    if package:
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts:
            entry.fail("file", f"the path of a file inside the package {package}")
    elif name != Path(name).name:
        entry.fail("file", "the name of a file beside model.toml")
    checksum = entry.text("sha256").lower()
    if len(checksum) != 64 or set(checksum) - set("0123456789abcdef"):
        entry.fail("sha256", "64 hexadecimal digits")
    entry.refuse_others()
    return (
        CardFile(Path(name), checksum, package) if package else CardFile(folder / name, checksum, None, build)
    )


def _installed(package: str, path: Path, model: str) -> Path:
    """Where a file of an installed package lies."""
    try:
        return Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError:
        message = f"model {model} needs the package {package}: pip install 'lookalike[text]'"
        raise ImportError(message, name=package) from None


@dataclass(frozen=True)
class Measured:
    """How good and how fast a model was found to be: the numbers, of what, and the command that shows it."""

    quality: float
    quality_of: str
    milliseconds: float
    milliseconds_of: str
    command: str


@dataclass(frozen=True)
class Summary:
    """A model as it is listed.

    Examples
    --------
    >>> from lookalike.embed.cards.located import find_shipped
    >>> from lookalike.embed.cards.summary import read_summary
    >>> summary = read_summary(find_shipped("efficientnet-lite0"))
    >>> summary.kind, summary.dim, summary.opener
    ('image', 1280, 'ImageEmbedder')
    """

    name: str
    kind: str
    dim: int
    license: str
    source: str
    files: dict[str, CardFile]
    measured: Measured | None
    default: str = ""

    @property
    def opener(self) -> str:
        """The class that runs models of this kind."""
        return KINDS[self.kind].opener

    @property
    def needed(self) -> list[CardFile]:
        """The files that run by default: the one that ``default`` names, or all."""
        return [self.files[self.default]] if self.default in self.files else list(self.files.values())


def read_summary(folder: Path) -> Summary:
    """Read what folder/model.toml says of any model. Raises ModelError, which names the field."""
    return take_summary(read_fields(folder), folder)


def take_summary(fields: Fields, folder: Path) -> Summary:
    """Take from a model.toml the fields that all have; the opener of this kind reads the rest."""
    measured = fields.table("measured", {})
    return Summary(
        name=fields.text("name"),
        kind=fields.one_of("kind", KINDS, "image"),
        dim=fields.whole("dim"),
        license=fields.text("license"),
        source=fields.text("source"),
        files=files_of(fields, folder),
        measured=_measured(measured) if measured.content else None,
        default=fields.text("default", ""),
    )


def check_kind(summary: Summary, needed: str, folder: Path) -> None:
    """Raise ModelError, which names the class that runs it, where folder/model.toml is of another kind."""
    if summary.kind != needed:
        raise ModelError(
            f"{folder / FILE_NAME}: kind is {summary.kind!r}; it must be {needed!r}; "
            f"{summary.opener} opens models of this kind"
        )


def _measured(fields: Fields) -> Measured:
    found = Measured(
        quality=fields.number("quality"),
        quality_of=fields.text("quality_of"),
        milliseconds=fields.number("milliseconds"),
        milliseconds_of=fields.text("milliseconds_of"),
        command=fields.text("command"),
    )
    fields.refuse_others()
    return found

"""What every model.toml says, whatever its model embeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...errors import ModelError
from .fields import FILE_NAME, Fields, read_fields
from .files import CardFile, files_of

Kind = Literal["image", "audio", "text-image"]
_OPENERS = {"image": "ImageEmbedder", "audio": "AudioEmbedder", "text-image": "TextImageEmbedder"}


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
    >>> from lookalike.embed.cards.shipped import find_shipped
    >>> from lookalike.embed.cards.summary import read_summary
    >>> summary = read_summary(find_shipped("efficientnet-lite0"))
    >>> summary.kind, summary.dim, summary.opener
    ('image', 1280, 'ImageEmbedder')
    """

    name: str
    kind: Kind
    dim: int
    license: str
    source: str
    files: dict[str, CardFile]
    measured: Measured | None
    default: str = ""

    @property
    def opener(self) -> str:
        """The class that runs models of this kind."""
        return _OPENERS[self.kind]

    @property
    def needed(self) -> list[CardFile]:
        """The files that run when none is asked for: the one that ``default`` chooses, or all."""
        return [self.files[self.default]] if self.default in self.files else list(self.files.values())


def read_summary(folder: Path) -> Summary:
    """Read what folder/model.toml says of any model. Raises ModelError, which names the field."""
    return take_summary(read_fields(folder), folder)


def take_summary(fields: Fields, folder: Path) -> Summary:
    """Take from a model.toml the fields that all have; the rest is for whoever opens this kind."""
    measured = fields.table("measured", {})
    return Summary(
        name=fields.text("name"),
        kind=fields.one_of("kind", Kind, "image"),
        dim=fields.whole("dim"),
        license=fields.text("license"),
        source=fields.text("source"),
        files=files_of(fields, folder),
        measured=_measured(measured) if measured.content else None,
        default=fields.text("default", ""),
    )


def check_kind(summary: Summary, needed: Kind, folder: Path) -> None:
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

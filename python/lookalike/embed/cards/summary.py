"""What every model.toml says, whatever its model embeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import ModelError
from ..kinds import KINDS
from .fields import FILE_NAME, Fields, read_fields
from .files import CardFile, files_of


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

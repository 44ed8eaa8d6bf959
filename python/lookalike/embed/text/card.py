"""model.toml of a text-image model: two towers, or a text tower beside another image model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..cards.fields import Fields, read_fields
from ..cards.located import find_shipped, shipped_models
from ..cards.summary import CardFile, Summary, check_kind, take_summary
from ..image.card import ModelCard, input_of, load_card

Pooling = Literal["none", "mean"]


@dataclass(frozen=True)
class TextSpec:
    """The text tower: its graph, its tokenizer, and how many tokens it takes at most.

    Without a `length`, the graph's own decides, or CLIP's where that is open.
    """

    file: CardFile
    tokenizer: Mapping[str, CardFile]
    length: int | None = None
    pooling: Pooling = "none"
    input: str | None = None
    output: str | None = None


@dataclass(frozen=True)
class HeadSpec:
    """A small graph over the vectors of a shipped image model."""

    file: CardFile
    over: ModelCard


@dataclass(frozen=True)
class TextImageCard:
    """A text-image model as its ``model.toml`` states it.

    `image` is a graph over pixels, or a head over the vectors of another model.

    Examples
    --------
    >>> from lookalike.embed.cards.located import find_shipped
    >>> from lookalike.embed.text.card import load_text_image_card
    >>> card = load_text_image_card(find_shipped("words-lite0"))
    >>> card.dim, card.image.over.name, card.text.pooling
    (384, 'efficientnet-lite0', 'mean')
    """

    name: str
    dim: int
    image: ModelCard | HeadSpec
    text: TextSpec
    license: str = ""
    source: str = ""

    @property
    def identity(self) -> str:
        """The name, and a digest of all files and of everything else that shapes a vector."""
        image = (
            self.image.identity
            if isinstance(self.image, ModelCard)
            else (self.image.over.identity, self.image.file.sha256)
        )
        text = self.text
        tokenizer = {name: file.sha256 for name, file in text.tokenizer.items()}
        shape = repr((image, text.file.sha256, tokenizer, text.length, text.pooling, text.input, text.output))
        return f"{self.name}:{hashlib.sha256(shape.encode()).hexdigest()[:16]}"


def load_text_image_card(folder: Path) -> TextImageCard:
    """Read folder/model.toml. Raises ModelError, which names the field that is missing, unknown or wrong."""
    return card_of(read_fields(folder), folder)


def card_of(fields: Fields, folder: Path) -> TextImageCard:
    """Return the card that folder/model.toml is, read already; `load_text_image_card` says what else."""
    summary = take_summary(fields, folder)
    check_kind(summary, "text-image", folder)
    files = _files_of(fields.table("files"), summary.files)
    card = TextImageCard(
        name=summary.name,
        dim=summary.dim,
        image=_image_of(fields.table("image"), summary, files.pop("image")),
        text=_text_of(fields.table("text", {}), files.pop("text"), files),
        license=summary.license,
        source=summary.source,
    )
    fields.refuse_others()
    return card


def words_over(identity: str) -> TextImageCard | None:
    """Return the card of the shipped model that gives words to the vectors of this image model."""
    for name in shipped_models("text-image"):
        folder = find_shipped(name)
        card = None if folder is None else load_text_image_card(folder)
        if card and isinstance(card.image, HeadSpec) and card.image.over.identity == identity:
            return card
    return None


def _files_of(fields: Fields, files: Mapping[str, CardFile]) -> dict[str, CardFile]:
    """Return the files by their roles, of which merges alone may be missing."""
    for name in ("image", "text", "tokenizer"):
        if name not in files:
            fields.fail(name, "image and text, the two graphs, and tokenizer, which splits text into tokens")
    for name in files.keys() - {"image", "text", "tokenizer", "merges"}:
        fields.fail(name, "files.image, files.text, files.tokenizer and files.merges only")
    return dict(files)


def _image_of(fields: Fields, summary: Summary, file: CardFile) -> ModelCard | HeadSpec:
    over = fields.text("over", "")
    if over:
        folder = find_shipped(over)
        if folder is None:
            fields.fail("over", f"one of {shipped_models('image')}")
        fields.refuse_others()
        return HeadSpec(file, load_card(folder))
    card = ModelCard(
        name=f"{summary.name}, image tower",
        dim=summary.dim,
        input=input_of(fields.table("input")),
        output=fields.text("output", "") or None,
        file=file.path,
        sha256=file.sha256,
        normalize=True,
    )
    fields.refuse_others()
    return card


def _text_of(fields: Fields, file: CardFile, tokenizer: Mapping[str, CardFile]) -> TextSpec:
    spec = TextSpec(file, tokenizer)
    if "length" in fields.content:
        spec = replace(spec, length=fields.whole("length"))
    spec = replace(
        spec,
        pooling=fields.one_of("pooling", Pooling, "none"),
        input=fields.text("input", "") or None,
        output=fields.text("output", "") or None,
    )
    fields.refuse_others()
    return spec

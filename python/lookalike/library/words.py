"""Search by text: the vectors of queries, and a library's index in the space of the text model."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..embed.kinds import IMAGES
from ..errors import Error, InvalidArgument
from ..index import load
from .catalogue import Catalogue
from .embedding import files_of
from .index_file import Snapshot, build
from .query import Words

if TYPE_CHECKING:
    from ..embed import Embedder
    from ..embed.text.head import Head
    from ..embed.text.tower import TextTower
    from ..index.loading import AnyIndex

FILE_NAME = "words.look"
_REMARK = "worded"


class WordSpace:
    """The space in which text queries are searched.

    A model that embeds both has it in the library's own index. Over another model's vectors it is reached by
    a shipped head, without looking at a photo again; that index is kept in a file beside the library's own.

    Raises
    ------
    lookalike.errors.InvalidArgument
        Where the model knows no words.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._guard = threading.Lock()
        self._derived: Snapshot | None = None
        self._head: Head | None = None
        self._model: Any = embedder if hasattr(embedder, "embed_text") else None
        if self._model is not None:
            return
        # Not before it is known that words were meant: they need more than photos do.
        from ..embed.text.card import HeadSpec, words_over

        card = words_over(embedder.identity)
        if card is None or not isinstance(card.image, HeadSpec):
            photos = "a photo, or sync with a model that does: words-lite0, or a folder with a CLIP"
            raise InvalidArgument(
                f"query: is words, and the library's model {embedder.name!r} knows none; search by "
                f"{photos if files_of(embedder) is IMAGES else 'a sound'}"
            )
        from ..embed.text.head import Head
        from ..embed.text.tower import TextTower

        self._identity = card.identity
        self._text: TextTower = TextTower(card.text, card.name, card.dim, "cpu")
        self._head = Head(card.image, card.name, card.dim, "cpu")

    def vector(self, words: Words) -> NDArray[np.float32]:
        """Return the vector of a text query, float32 (dim,)."""
        if self._model is not None:
            return np.asarray(self._model.embed_text([str(words)])[0], np.float32)
        from ..embed.text.tower import as_texts

        return np.asarray(self._text.embed(as_texts(str(words)), 1)[0])

    def state(self, catalogue: Catalogue, own: Snapshot, store: Path) -> Snapshot:
        """Return the photos as words find them: `own` is the library's state as photos find each other."""
        if self._head is None:
            return own
        with self._guard:
            if self._derived is None or self._derived.generation != own.generation:
                self._derived = self._read(catalogue, self._head, store / FILE_NAME)
            return self._derived

    def _read(self, catalogue: Catalogue, head: Head, path: Path) -> Snapshot:
        """Take the index from its file where that is current, else make it, and the file too."""
        with catalogue.snapshot():
            generation, paths = catalogue.generation, catalogue.paths()
            remark = catalogue.meta(_REMARK)
            index = _load(path) if remark == self._remark_of(generation, path) else None
            # Another search may have replaced the file while it was read.
            fresh = index is None or remark != self._remark_of(generation, path)
            if fresh:
                index = build((ids, head(vectors)) for ids, vectors in catalogue.vectors())
        if fresh and index is not None:
            try:
                index.save(path)
                with catalogue.transaction():
                    catalogue.set_meta(_REMARK, self._remark_of(generation, path))
            except (Error, sqlite3.OperationalError):
                pass  # A store that cannot be written to: every process makes it for itself.
        return Snapshot(generation, index, paths)

    def _remark_of(self, generation: int, path: Path) -> str:
        """Return a stamp of the model, the generation and the file; the catalogue stores it."""
        try:
            status = path.stat()
        except OSError:
            return ""
        return f"{self._identity} {generation} {status.st_size} {status.st_mtime_ns}"


def _load(path: Path) -> AnyIndex | None:
    try:
        return load(path)
    except Error:
        return None

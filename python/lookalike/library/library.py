"""A folder of photos, or of sounds, that can be searched by example."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._checks import as_count, as_number, must_be, must_be_kind
from .._progress import ProgressBar
from ..embed.kinds import KINDS
from ..errors import InvalidArgument, MissingFile, io_error
from . import duplicates, index_file
from .catalogue import Catalogue
from .embedding import files_of
from .hit import PhotoHit
from .hits import PhotoHits
from .index_file import Snapshot
from .lock import sync_lock
from .nearest import nearest
from .query import as_words, query_vectors, stored_vectors
from .report import SyncReport
from .scan import default_models
from .schema import sqlite_errors
from .sync import Sync
from .words import WordSpace

if TYPE_CHECKING:
    from ..embed import Embedder

DEFAULT_MODEL, DEFAULT_AUDIO_MODEL = KINDS["image"].default, KINDS["audio"].default
AUTO = "auto"


class Library:
    """A folder of photos, or of sounds, kept in step with a catalogue and an index, searchable by example.

    Parameters
    ----------
    folder : str or PathLike
        The folder; photos in nested folders belong to it, hidden files and folders do not.
    model : str, PathLike or Embedder
        A shipped model's name, a folder with a ``model.toml``, an ``.onnx`` file, or an embedder. It is
        loaded when it is first needed, and says whether the library is one of photos or of sounds. "auto" is
        the default audio model for a folder that holds sounds and no photos, and that of photos for any
        other; once synced, a library stays what it is while it holds any.
    store : str or PathLike, optional
        Where the catalogue (``catalogue.sqlite``) and the index (``photos.look``) live; ``.lookalike`` inside
        the folder when left out.

    Raises
    ------
    lookalike.errors.IoError
        If `folder` is missing.
    lookalike.errors.InvalidArgument
        If `folder` is not a folder, or `model` or `store` nothing that can be one.

    Examples
    --------
    >>> library = la.Library("photos")
    >>> report = library.sync()
    >>> report.errors
    {}
    >>> [hit.path.name for hit in library.search("photos/windmill-01.jpg", k=3)]
    ['windmill-01.jpg', 'windmill-04.jpg', 'windmill-03.jpg']
    >>> [[path.name for path in group] for group in library.duplicates(0.95)]
    [['pyramid-giza-01.jpg', 'pyramid-giza-02.jpg']]
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        model: str | os.PathLike[str] | Embedder = AUTO,
        store: str | os.PathLike[str] | None = None,
    ) -> None:
        self.folder = _as_folder(folder)
        if not (store is None or isinstance(store, str | os.PathLike)):
            raise must_be_kind("store", store, "a path")
        if store is not None and not os.fspath(store):
            raise must_be("store", "", "a path")
        if not (isinstance(model, str | os.PathLike) or hasattr(model, "embed_stream")):
            raise must_be("model", model, "a name, a path or an embedder")
        self.store = self.folder / ".lookalike" if store is None else Path(store)
        self._model = model
        self._embedder: Embedder | None = None
        self._opened: str | os.PathLike[str] | Embedder | None = None
        self._snapshot: Snapshot | None = None
        self._words: WordSpace | None = None
        self._guard = threading.Lock()

    def __repr__(self) -> str:
        return f"Library({str(self.folder)!r})"

    def __len__(self) -> int:
        """How many files can be found."""
        try:
            with self._catalogue() as catalogue:
                return len(self._state(catalogue).paths)
        except MissingFile:
            return 0

    @property
    def is_synced(self) -> bool:
        """Whether a sync of the folder was ever finished."""
        try:
            with self._catalogue() as catalogue:
                return catalogue.meta("indexed") is not None
        except MissingFile:
            return False

    @property
    def index_path(self) -> Path:
        """Where the index file is, for `lookalike.load` or ``lookalike check``."""
        return self.store / "photos.look"

    @property
    def embedder(self) -> Embedder:
        """The model, loaded at first use."""
        return self._open(self._choice())

    @property
    def errors(self) -> dict[Path, str]:
        """The files and folders the last sync could not read, and why."""
        try:
            with self._catalogue() as catalogue:
                return {self._place(path): message for path, message in catalogue.errors().items()}
        except MissingFile:
            return {}

    def sync(self, progress: bool | None = None) -> SyncReport:
        """Bring catalogue and index up to date with the folder.

        Only new and changed files are embedded; renamed, copied and merely touched ones keep their vectors.
        Broken files are reported and tried again only when they change. Work is written down every few
        seconds: after Ctrl-C or a power cut the next sync resumes where it stopped. A second sync of the
        same folder waits for the first.

        Parameters
        ----------
        progress : bool, optional
            Whether to draw a bar on stderr; by default where stderr is a terminal.

        Returns
        -------
        SyncReport
            What was added, changed, removed, unchanged, and what could not be read.

        Raises
        ------
        lookalike.errors.IoError
            If the folder cannot be listed or the store cannot be written.
        """
        show = sys.stderr.isatty() if progress is None else progress
        embedder = self._open(self._choice(look=True))
        try:
            self.store.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"store {self.store}: cannot be made: {error.strerror}"
            raise io_error(error.errno or errno.EIO, reason) from error
        with sync_lock(self.store / "lock", self._report_wait), self._catalogue(create=True) as catalogue:
            self._adopt(catalogue, embedder)
            report = Sync(catalogue, self.folder, embedder, ProgressBar if show else None).run(self.store)
            index_file.refresh(catalogue, self.index_path)
        return report

    def search(self, query: Any, k: int = 20) -> PhotoHits:
        """Find the `k` photos that look most like the query or show what it says, or the `k` moments like it.

        A sound longer than a window of the model is many vectors, each with its time. What is found in it is
        the moment that is most alike; moments that overlap count as one. A query that long is looked for by
        each of its windows: a moment is as near as the nearest of them.

        Parameters
        ----------
        query : path, bytes, PIL image, array or words
            A photo inside the library (its stored vector is used) or anywhere else, an encoded image, or an
            image of shape (height, width, 3), uint8. A str that names no file is words, such as "red apple",
            unless it has a file's suffix or a path's separator. They need ``pip install 'lookalike[text]'``
            and a model that knows words, or the default one. In a library of sounds: a sound inside the
            library or anywhere else, an encoded sound, or (samples, rate).
        k : int
            How many at most.

        Returns
        -------
        PhotoHits
            Nearest first; fewer than `k` where the library holds fewer. A query inside the library finds
            itself.

        Raises
        ------
        lookalike.errors.InvalidArgument
            If `k` is not a positive integer, the query is no image or sound, or the library was made with
            another model.
        lookalike.errors.IoError
            If the query's file is missing or the folder was never synced.
        """
        k = as_count(k, "k")
        words = as_words(query)
        query = query if words is None else words
        with self._catalogue() as catalogue:
            vectors = stored_vectors(catalogue, self.folder, query)
            # A model given by name must be the one that made the library, even where no new vector is needed.
            if vectors is None or self._model != AUTO:
                self._require_own(catalogue)
            state = self._state(catalogue)
            if words is not None:
                space = self._word_space()
                vectors, state = space.vector(words)[None], space.state(catalogue, state, self.store)
            elif vectors is None:
                vectors = query_vectors(self.embedder, query)
        found = nearest(state, vectors, k)
        return PhotoHits(
            [PhotoHit(self._place(path), distance, *(times or ())) for path, times, distance in found], query
        )

    def duplicates(self, threshold: float = 0.95) -> list[list[Path]]:
        """Find groups of near copies.

        Two sounds are near copies if they are about as long and the means of their windows' vectors are as
        near as `threshold` says.

        Parameters
        ----------
        threshold : float
            The cosine similarity, above 0 and up to 1, from which two files count as copies. Those joined by
            a chain of such pairs form one group.

        Returns
        -------
        list of list of Path
            Groups of two files or more; inside a group sorted by path.
        """
        threshold = as_number(
            threshold, "threshold", "a cosine similarity above 0 and at most 1", above=0, most=1
        )
        with self._catalogue() as catalogue:
            state = self._state(catalogue)
            found = duplicates.groups(catalogue, state, threshold)
        return sorted(sorted(self._place(state.paths[id_]) for id_ in group) for group in found)

    # -- inside
    # -------------------------------------------------------------------------------------------------

    @property
    def _catalogue_path(self) -> Path:
        return self.store / "catalogue.sqlite"

    def _place(self, path: bytes) -> Path:
        return self.folder / os.fsdecode(path)

    @contextmanager
    def _catalogue(self, *, create: bool = False) -> Iterator[Catalogue]:
        if not create and not self._catalogue_path.exists():
            reason = f"folder {self.folder}: was never synced; call sync() first (or: lookalike sync DIR)"
            raise io_error(errno.ENOENT, reason)
        catalogue = Catalogue(self._catalogue_path, create=create)
        try:
            with sqlite_errors(self._catalogue_path):
                yield catalogue
        finally:
            catalogue.close()

    def _state(self, catalogue: Catalogue) -> Snapshot:
        with self._guard:
            if self._snapshot is None or self._snapshot.generation != catalogue.generation:
                self._snapshot = index_file.read(catalogue, self.index_path)
            return self._snapshot

    def _open(self, model: str | os.PathLike[str] | Embedder) -> Embedder:
        with self._guard:
            if self._embedder is None or self._opened != model:
                self._embedder, self._opened, self._words = _as_embedder(model), model, None
            return self._embedder

    def _choice(self, *, look: bool = False) -> str | os.PathLike[str] | Embedder:
        """Return the model to use: the one given, else the one the library was made with, else the folder's.

        `look` makes sure that the folder still holds what that model takes.
        """
        if self._model != AUTO:
            return self._model
        try:
            with self._catalogue() as catalogue:
                made_with = catalogue.meta("model_name")
        except MissingFile:
            made_with = None
        if made_with is not None and not look:
            defaults = [kind.default for kind in KINDS.values() if kind.default]
            return made_with if made_with in defaults else DEFAULT_MODEL
        usual = default_models(self.folder, self.store)
        return made_with if made_with in usual else (usual or [DEFAULT_MODEL])[0]

    def _word_space(self) -> WordSpace:
        embedder = self.embedder
        with self._guard:
            if self._words is None:
                self._words = WordSpace(embedder)
            return self._words

    def _adopt(self, catalogue: Catalogue, embedder: Embedder) -> None:
        """Make the catalogue the embedder's own; what another model made is of no use to it."""
        if catalogue.meta("model") != embedder.identity:
            if self._model == AUTO and self._opened != DEFAULT_MODEL:
                unit = files_of(embedder).unit
                print(f"lookalike: {self.folder} holds {unit}: {embedder.name} embeds them", file=sys.stderr)
            with catalogue.transaction():
                catalogue.forget_vectors()
                catalogue.set_meta("model", embedder.identity)
                catalogue.set_meta("model_name", embedder.name)

    def _require_own(self, catalogue: Catalogue) -> None:
        embedder = self.embedder
        if catalogue.meta("model") != embedder.identity:
            raise InvalidArgument(
                f"model: the library {self.folder} was made with {catalogue.meta('model_name')!r}, not with "
                f"{embedder.name!r} as it is here; give that model, or sync to embed everything again"
            )

    def _report_wait(self) -> None:
        print(f"lookalike: another sync of {self.folder} is running; waiting for it", file=sys.stderr)


def _as_folder(folder: str | os.PathLike[str]) -> Path:
    if not isinstance(folder, str | os.PathLike):
        raise must_be_kind("folder", folder, "a path")
    # An unset variable of a shell, mostly; it does not mean the folder one happens to be in.
    if not os.fspath(folder):
        raise must_be("folder", "", "a path")
    path = Path(folder)
    if not path.exists():
        raise io_error(errno.ENOENT, f"folder {path}: no such folder")
    if not path.is_dir():
        raise InvalidArgument(f"folder {path}: is a file; it must be a folder")
    return path


def _as_embedder(model: str | os.PathLike[str] | Embedder) -> Embedder:
    if isinstance(model, str | os.PathLike):
        from ..embed.opening import open_embedder

        return open_embedder(model)
    return model

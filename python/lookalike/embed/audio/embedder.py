"""Sounds to vectors, window by window."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..._checks import as_count, as_number
from ..._progress import Progress
from ...errors import AudioError, ModelError
from ..cards.located import Located, as_name, locate, shipped_models
from ..embedder import Facts, ModelEmbedder, OnError
from ..runtime.stream import name_of, stream
from .card import AudioCard, PictureSpec, card_of
from .decode import SoundLimits, as_sounds, read_sound
from .frames_model import FramesModel
from .picture_model import PictureModel
from .windows import SoundWindows, cut

if TYPE_CHECKING:
    from ..runtime.session import Device

_BATCH = 4
_LIMITS = SoundLimits()


@dataclass
class _Pending:
    """A sound in progress: the windows cut, and their vectors so far."""

    position: int
    spans: list[tuple[float, float]] = field(default_factory=list)
    vectors: list[NDArray[np.float32]] = field(default_factory=list)
    error: AudioError | None = None
    cut: bool = False  # to its end, or to where it broke

    @property
    def done(self) -> bool:
        return self.cut and len(self.vectors) == len(self.spans)

    @property
    def result(self) -> SoundWindows | AudioError:
        if self.error is not None:
            return self.error
        starts, ends = np.array(self.spans, np.float64).reshape(-1, 2).T.copy()
        return SoundWindows(starts, ends, np.stack(self.vectors))


class AudioEmbedder(ModelEmbedder):
    """A model that turns sounds into vectors: the nearer two vectors, the more alike the sounds.

    A sound is cut into windows that overlap, and each becomes a vector: `embed_windows` gives them with their
    times, `embed` their mean. Files are read block by block, so their length is limited by time alone. How
    loud a sound is does not matter, nor how many channels or samples a second it has.

    Parameters
    ----------
    model
        A shipped name or a folder with a ``model.toml`` of kind "audio".
    device
        "cpu", "cuda", or "auto": CUDA where it works, else the CPU.
    threads
        Windows worked on at a time; all CPUs this process may use when left out.
    max_seconds, max_bytes
        Sounds beyond these are refused before they are decoded.

    Attributes
    ----------
    last_errors
        What the last `embed` skipped: a list of (position, message).

    Raises
    ------
    ModelError
        The model is unknown, damaged, or not what its ``model.toml`` says; the message names the field.
    Unsupported
        CUDA was requested and is not available.

    Examples
    --------
    >>> import lookalike as la, numpy as np
    >>> model = la.AudioEmbedder(device="cpu", threads=1)
    >>> seconds = np.arange(3 * 32000) / 32000
    >>> beep = np.sin(2 * np.pi * 440 * seconds).astype(np.float32)
    >>> model.embed([(beep, 32000)]).shape
    (1, 1536)
    >>> starts, vectors = model.embed_windows((beep, 32000))
    >>> starts.tolist(), vectors.shape
    ([0.0, 1.0], (2, 1536))
    """

    kind: Literal["audio"] = "audio"
    _unit = "sounds"

    def __init__(
        self,
        model: str | os.PathLike[str] = "spectrogram-lite0",
        *,
        device: Device = "auto",
        threads: int | None = None,
        max_seconds: float = _LIMITS.seconds,
        max_bytes: int = _LIMITS.bytes,
    ) -> None:
        super().__init__(
            threads, model=as_name(model), device=device, max_seconds=max_seconds, max_bytes=max_bytes
        )
        seconds = as_number(max_seconds, "max_seconds", "a number above 0", above=0)
        self._limits = SoundLimits(seconds, as_count(max_bytes, "max_bytes"))
        self._card = card = _card_of(locate(model))
        self._run = (
            PictureModel(card, card.way, device)
            if isinstance(card.way, PictureSpec)
            else FramesModel(card, card.way, device)
        )
        self._facts = Facts(card.name, card.dim, self._run.identity, self._run.device)

    @property
    def card(self) -> AudioCard:
        """What the model's ``model.toml`` says."""
        return self._card

    def embed(
        self, sounds: Any, *, progress: Progress = None, on_error: OnError = "raise"
    ) -> NDArray[np.float32]:
        """Turn sounds into vectors, one a sound: the mean over its windows.

        Parameters
        ----------
        sounds
            Paths, bytes of sound files, or (samples, rate): samples of shape (n,) or (n, channels), floats
            from -1 to 1 or integers, and how many of them a second; in a list or an iterator. One sound alone
            counts as a list of one.
        progress
            True for a bar on stderr, or a callable(done, total); one that returns False stops the call.
        on_error
            "raise" stops at the first sound that cannot be used; "skip" leaves its row out, continues, and
            reports it in `last_errors` and to the logger "lookalike".

        Returns
        -------
        float32 of shape (n, dim), in the order of the sounds.

        Raises
        ------
        AudioError
            A sound is missing, empty, truncated, too long, holds NaN or is no sound; the message names it.
        """
        sounds = as_sounds(sounds)
        return self._collect(sounds, self.embed_stream(sounds), progress, on_error)

    def embed_windows(self, sound: Any) -> SoundWindows:
        """Turn one sound into the vectors of its windows.

        Parameters
        ----------
        sound
            A path, bytes of a sound file, or (samples, rate).

        Returns
        -------
        SoundWindows
            When windows start and end, in seconds, and their vectors, float32 (n, dim); it unpacks into
            (starts, vectors). A sound shorter than a window is one window.

        Raises
        ------
        AudioError
            The sound is missing, empty, truncated, too long, holds NaN or is no sound; the message names it.
        """
        ((_, result),) = self.windows_stream([sound])
        if isinstance(result, Exception):
            raise result
        return result

    def embed_stream(
        self, sounds: Iterable[Any]
    ) -> Generator[tuple[int, NDArray[np.float32] | Exception], None, None]:
        """Yield (position, vector) for every sound in order, or (position, AudioError) where there is none.

        Sounds are taken a few windows ahead, so that an endless iterator will do.
        """
        with closing(self.windows_stream(sounds)) as results:
            for position, result in results:
                yield (
                    position,
                    result if isinstance(result, Exception) else result.vectors.mean(axis=0),
                )

    def windows_stream(
        self, sounds: Iterable[Any]
    ) -> Generator[tuple[int, SoundWindows | Exception], None, None]:
        """Yield (position, windows) for every sound in order, or (position, AudioError)."""
        under_way: deque[_Pending] = deque()
        owners: deque[tuple[_Pending, Any]] = deque()
        windows = self._cut(as_sounds(sounds), under_way, owners)
        with closing(stream(windows, self._run.prepare, self._run.infer, _BATCH, self._threads)) as results:
            for _, vector in results:
                pending, sound = owners.popleft()
                if isinstance(vector, Exception):
                    wrong = "the model gave NaN or infinity for it"
                    pending.error = pending.error or AudioError(
                        f"sound {name_of(sound, pending.position)}: {wrong}"
                    )
                    vector = np.zeros(self.dim, np.float32)
                pending.vectors.append(vector)
                yield from _finished(under_way)
        yield from _finished(under_way)

    def _cut(
        self, sounds: Iterable[Any], under_way: deque[_Pending], owners: deque[tuple[_Pending, Any]]
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the windows of all sounds, one sound after the other, and record the sound of each."""
        rate = self._card.rate
        window, hop = round(self._card.window * rate), round(self._card.hop * rate)
        for position, sound in enumerate(sounds):
            pending = _Pending(position)
            under_way.append(pending)
            try:
                for start, end, samples in cut(read_sound(sound, rate, self._limits), window, hop):
                    pending.spans.append((start / rate, end / rate))
                    owners.append((pending, sound))
                    yield samples
            except AudioError as error:
                pending.error = AudioError(f"sound {name_of(sound, position)}: {error}")
                pending.error.__cause__ = error.__cause__
            pending.cut = True


def _finished(under_way: deque[_Pending]) -> Iterator[tuple[int, SoundWindows | Exception]]:
    while under_way and under_way[0].done:
        pending = under_way.popleft()
        yield pending.position, pending.result


def _card_of(found: Located) -> AudioCard:
    if found.fields is None or found.file is not None:
        raise ModelError(
            f"model {found.name!r} is neither a shipped one ({', '.join(shipped_models('audio'))}), nor a "
            "folder with a model.toml"
        )
    return card_of(found.fields, found.path)

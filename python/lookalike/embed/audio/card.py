"""model.toml of an audio model: its windows, and how a window becomes a vector."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...errors import ModelError
from ..cards.fields import Fields, read_fields
from ..cards.summary import CardFile, Summary, check_kind, take_summary
from .mel import Scale, Spectrogram

Pooling = Literal["mean", "mean-std"]


@dataclass(frozen=True)
class PictureSpec:
    """Spectrograms shown to an image model, one a colour: from sharp in time to sharp in pitch.

    `root` takes the square root of what the network finds, `bands` appends each band's mean and deviation
    over time.
    """

    spectrograms: tuple[Spectrogram, Spectrogram, Spectrogram]
    image_model: str
    root: bool
    bands: bool

    @property
    def shape(self) -> tuple[object, ...]:
        """What shapes a vector, beside the image model."""
        return self.spectrograms, self.root, self.bands


@dataclass(frozen=True)
class FramesSpec:
    """Two graphs: samples to a spectrogram, and `length` frames of it, every `step`, to a vector."""

    front: CardFile
    back: CardFile
    loudness: float
    length: int
    step: int
    scale: float
    offset: float
    pooling: Pooling

    @property
    def shape(self) -> tuple[object, ...]:
        """What shapes a vector, wherever the files lie."""
        files = self.front.sha256, self.back.sha256
        return files, self.loudness, self.length, self.step, self.scale, self.offset, self.pooling


@dataclass(frozen=True)
class AudioCard:
    """An audio model as its ``model.toml`` states it.

    Attributes
    ----------
    rate
        Samples a second that the model takes.
    window, hop
        Seconds that become one vector, and from the start of one window to that of the next.
    way
        How a window becomes a vector.

    Examples
    --------
    >>> import lookalike as la
    >>> card = la.AudioEmbedder().card
    >>> card.rate, card.window, card.license
    (32000, 2.0, 'Apache-2.0')
    """

    name: str
    dim: int
    license: str
    source: str
    rate: int
    window: float
    hop: float
    way: PictureSpec | FramesSpec

    def identity(self, parts: tuple[str, ...]) -> str:
        """Return the name, and a digest of the models it uses and of everything else that shapes a vector."""
        shape = repr((parts, self.rate, self.window, self.hop, self.way.shape))
        return f"{self.name}:{hashlib.sha256(shape.encode()).hexdigest()[:16]}"


def load_audio_card(folder: Path) -> AudioCard:
    """Read folder/model.toml. Raises ModelError, which names the field that is missing, unknown or wrong."""
    return card_of(read_fields(folder), folder)


def card_of(fields: Fields, folder: Path) -> AudioCard:
    """Return the card that folder/model.toml is, read already; `load_audio_card` says what else."""
    summary = take_summary(fields, folder)
    check_kind(summary, "audio", folder)
    sound = fields.table("sound")
    rate, window = sound.whole("rate"), sound.number("window")
    hop = sound.number("hop", window / 2)
    if not 1_000 <= rate <= 192_000:
        sound.fail("rate", "1000 to 192000 Hz")
    if not 0.05 <= window <= 3600:
        sound.fail("window", "0.05 to 3600 seconds")
    if not window / 64 <= hop <= window:
        sound.fail("hop", "seconds, from a 64th of the window to the whole")
    sound.refuse_others()
    ways = [key for key in ("spectrogram", "frames") if key in fields.content]
    if len(ways) != 1:
        raise ModelError(f"{folder}: model.toml has {ways}; it must have one of [spectrogram] and [frames]")
    spectrogram, frames = fields.table("spectrogram", {}), fields.table("frames", {})
    way = _picture(spectrogram, rate) if ways == ["spectrogram"] else _frames(frames, summary)
    card = AudioCard(
        name=summary.name,
        dim=summary.dim,
        license=summary.license,
        source=summary.source,
        rate=rate,
        window=window,
        hop=hop,
        way=way,
    )
    fields.refuse_others()
    return card


def _picture(fields: Fields, rate: int) -> PictureSpec:
    low, high = fields.number("low"), fields.number("high")
    if not 0 <= low < high:
        fields.fail("low", "Hz below `high`")
    if high > rate / 2:
        fields.fail("high", f"at most {rate // 2} Hz, half of sound.rate")
    decibels = fields.number("decibels", 80.0)
    if not 1 <= decibels <= 100:
        fields.fail("decibels", "1 to 100")
    red, green, blue = frames = fields.channels("frames", (512, 2048, 8192))
    if not all(16 <= frame <= 65536 and frame.is_integer() for frame in frames):
        fields.fail("frames", "three whole numbers from 16 to 65536, samples")
    step, bands, scale = fields.whole("step"), fields.whole("bands"), fields.one_of("scale", Scale, "htk")
    if bands > 1024:
        fields.fail("bands", "at most 1024")

    def spectrogram(frame: float) -> Spectrogram:
        # A long frame changes little from step to step.
        return Spectrogram(rate, int(frame), max(step, int(frame) // 8), bands, low, high, scale, decibels)

    spec = PictureSpec(
        (spectrogram(red), spectrogram(green), spectrogram(blue)),
        image_model=fields.text("image_model"),
        root=fields.truth("root", False),
        bands=fields.truth("band_statistics", False),
    )
    fields.refuse_others()
    return spec


def _frames(fields: Fields, summary: Summary) -> FramesSpec:
    spec = FramesSpec(
        front=_file(fields, "front", summary),
        back=_file(fields, "back", summary),
        loudness=fields.number("loudness", 1.0),
        length=fields.whole("length"),
        step=fields.whole("step"),
        scale=fields.number("scale", 1.0),
        offset=fields.number("offset", 0.0),
        pooling=fields.one_of("pooling", Pooling, "mean"),
    )
    fields.refuse_others()
    return spec


def _file(fields: Fields, key: str, summary: Summary) -> CardFile:
    name = fields.text(key)
    return summary.files[name] if name in summary.files else fields.fail(key, f"one of {list(summary.files)}")

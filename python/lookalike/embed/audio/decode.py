"""From a file, bytes or an array to mono samples of one rate, block by block. No other file decodes sound."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import AudioError, InvalidArgument

Samples = NDArray[np.float32]
# Samples of all channels decoded at a time: a long file never lies in memory whole.
_BLOCK = 1 << 19
_RATES = 1_000, 1_000_000
# A sample this large is no sound, and its power would be infinite in float32. Full scale is 1, or 2**31 where
# somebody wrote integers as floats.
_LOUDEST = 1e12
_CHANNELS = 1024
# How libsndfile remarks that a header counts more bytes of samples than there are, and that Ogg has no end.
_CLAIM = re.compile(r"^\s*(?:data|SSND|Data Size|riff)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_NO_END = "lacks an end-of-stream bit"
# What is written for a length by who does not know it yet, and cannot go back.
_UNKNOWN = 0x7FFF0000
_NOT_RECOGNISED = 1  # SF_ERR_UNRECOGNISED_FORMAT


@dataclass(frozen=True)
class SoundLimits:
    """How large a sound may be: seconds, known from its header before it is decoded, and bytes of file."""

    seconds: float = 24 * 3600.0
    bytes: int = 1 << 35


@dataclass(frozen=True)
class _Source:
    """A sound being read: its own rate, how many samples it says it has, and blocks of (n, channels)."""

    rate: int
    frames: int
    blocks: Iterator[NDArray[np.float32]]


def read_sound(
    source: Any, rate: int, limits: SoundLimits, start: float = 0.0, end: float | None = None
) -> Generator[Samples, None, None]:
    """Yield a sound's samples from `start` to `end` seconds in blocks, float32 (n,), at `rate`.

    Channels are averaged. A block may be empty, and so may all, of what is too short at a lower rate. Raises
    AudioError, which says what is wrong but not with which sound.
    """
    with _open(source, limits, start) as opened:
        first = round(start * opened.rate)
        last = opened.frames if end is None else min(opened.frames, round(end * opened.rate))
        yield from _resampled(_mono(opened, first, last, to_end=end is None), opened.rate, rate)


def _mono(opened: _Source, first: int, last: int, *, to_end: bool) -> Iterator[Samples]:
    """Mix to mono; raise AudioError for NaN, infinity and truncated files."""
    at = first
    for block in opened.blocks:
        with np.errstate(over="ignore", invalid="ignore"):
            mono = (block if to_end else block[: last - at]).mean(axis=1, dtype=np.float32)
        sound = np.abs(mono) < _LOUDEST
        if not sound.all():
            first_wrong = int(np.argmin(sound))
            wrong = f"{mono[first_wrong]:.0e}" if np.isfinite(mono[first_wrong]) else "NaN or infinity"
            raise AudioError(f"holds {wrong} at {(at + first_wrong) / opened.rate:.3f} s")
        at += len(mono)
        yield mono
        if not to_end and at >= last:
            return
    if at < last:
        raise AudioError(
            f"is truncated: {at / opened.rate:.2f} s of {last / opened.rate:.2f} s could be decoded"
        )


def _resampled(blocks: Iterator[Samples], rate: int, wanted: int) -> Iterator[Samples]:
    if rate == wanted:
        yield from blocks
        return
    soxr = _import("soxr")
    stream = soxr.ResampleStream(rate, wanted, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


@contextmanager
def _open(source: Any, limits: SoundLimits, start: float) -> Iterator[_Source]:
    if isinstance(source, tuple):
        yield _from_array(source, limits, start)
        return
    if isinstance(source, np.ndarray):
        raise AudioError("is an array without its rate; it must be (samples, rate)")
    if isinstance(source, (bytes, bytearray, memoryview)):
        _check_bytes(memoryview(source).nbytes, limits)
        with io.BytesIO(source) as held, _decoder(held, limits, start) as opened:
            yield opened
        return
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        _check_file(path, limits)
        try:
            # By descriptor, so that soundfile sees no name and detects the format from the content.
            file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), "rb")
        except OSError as error:
            raise AudioError(f"cannot be read: {error.strerror}") from None
        with file, _decoder(file, limits, start) as opened:
            yield opened
        return
    raise AudioError(f"is a {type(source).__name__}; it must be a path, bytes, or (samples, rate)")


@contextmanager
def _decoder(file: Any, limits: SoundLimits, start: float) -> Iterator[_Source]:
    soundfile = _import("soundfile")
    try:
        with soundfile.SoundFile(file) as sound:
            _check_shape(sound.samplerate, sound.channels, sound.frames, limits)
            _check_end(sound.extra_info)
            if start:
                sound.seek(min(round(start * sound.samplerate), sound.frames))
            yield _Source(sound.samplerate, sound.frames, _blocks_of(sound, limits))
    except soundfile.LibsndfileError as error:
        if error.code == _NOT_RECOGNISED:
            raise AudioError("is not a sound of a known format (WAV, FLAC, OGG, MP3, AIFF, ...)") from None
        raise AudioError(f"is damaged or truncated: {error.error_string}") from error


def _check_end(remarks: str) -> None:
    """Raise AudioError for a truncated file: most formats state their size at the start."""
    for claimed, there in ((int(a), int(b)) for a, b in _CLAIM.findall(remarks)):
        if there < claimed < _UNKNOWN:
            raise AudioError(f"is truncated: {there:,} bytes of {claimed:,} are there")
    if _NO_END in remarks:
        raise AudioError("is truncated: its Ogg stream has no end")


def _blocks_of(sound: Any, limits: SoundLimits) -> Iterator[NDArray[np.float32]]:
    frames = max(1, _BLOCK // sound.channels)
    done = 0
    while len(block := sound.read(frames, dtype="float32", always_2d=True)):
        done += len(block)
        # A header may state less.
        _check_seconds(done / sound.samplerate, limits)
        yield block


def _from_array(source: tuple[Any, ...], limits: SoundLimits, start: float) -> _Source:
    if len(source) != 2 or isinstance(source[1], bool) or not isinstance(source[1], (int, np.integer)):
        raise AudioError("is a tuple that is not (samples, rate), with a whole number for the rate")
    samples, rate = np.asarray(source[0]), int(source[1])
    shape = f"array of shape {samples.shape}, dtype {samples.dtype}"
    if samples.dtype.kind not in "fiu" or samples.dtype.itemsize > 8:
        raise AudioError(f"is an {shape}; it must be floats from -1 to 1, or integers")
    if samples.ndim == 1:
        samples = samples[:, None]
    if samples.ndim != 2:
        raise AudioError(f"is an {shape}; it must be (n,) or (n, channels)")
    if samples.shape[1] > max(samples.shape[0], 8):
        raise AudioError(f"is an {shape}; it must be (n, channels); move the channels last: samples.T")
    _check_shape(rate, samples.shape[1], len(samples), limits)
    first = round(start * rate)
    blocks = (_floats(samples[at : at + _BLOCK]) for at in range(first, len(samples), _BLOCK))
    return _Source(rate, len(samples), blocks)


def _floats(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Bring samples of any dtype to the range from -1 to 1."""
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return samples.astype(np.float32)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    middle = half if samples.dtype.kind == "u" else 0.0
    return ((samples.astype(np.float64) - middle) / half).astype(np.float32)


def _check_file(path: Path, limits: SoundLimits) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise AudioError("does not exist") from None
    except (OSError, ValueError) as error:
        raise AudioError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(status.st_mode):
        raise AudioError("is a folder" if stat.S_ISDIR(status.st_mode) else "is not a regular file")
    _check_bytes(status.st_size, limits)


def _check_bytes(size: int, limits: SoundLimits) -> None:
    if size == 0:
        raise AudioError("is empty (0 bytes)")
    if size > limits.bytes:
        raise AudioError(f"has {size:,} bytes; the limit is {limits.bytes:,} (max_bytes)")


def _check_shape(rate: int, channels: int, frames: int, limits: SoundLimits) -> None:
    if not _RATES[0] <= rate <= _RATES[1]:
        raise AudioError(f"has a rate of {rate:,} Hz; it must be {_RATES[0]:,} to {_RATES[1]:,}")
    if not 1 <= channels <= _CHANNELS:
        raise AudioError(f"has {channels} channels; it must have 1 to {_CHANNELS:,}")
    if frames <= 0:
        raise AudioError("has no samples")
    _check_seconds(frames / rate, limits)


def _check_seconds(seconds: float, limits: SoundLimits) -> None:
    if seconds > limits.seconds:
        raise AudioError(f"is {seconds:,.1f} s long; the limit is {limits.seconds:,.1f} s (max_seconds)")


def _import(name: str) -> Any:
    """Import a package at first use, so that images alone do not need it."""
    try:
        if name == "soxr":
            import soxr as package  # type: ignore[import-untyped]
        else:
            import soundfile as package  # type: ignore[import-untyped]
    except (ImportError, OSError) as error:
        raise ImportError(f"sounds need {name}: pip install 'lookalike[audio]'", name=name) from error
    return package


def as_sounds(sounds: Any) -> Iterable[Any]:
    """Return what to iterate over: a single path, bytes or (samples, rate) counts as one sound."""
    if isinstance(sounds, (str, os.PathLike, bytes, bytearray, memoryview)):
        return [sounds]
    if isinstance(sounds, tuple) and len(sounds) == 2 and isinstance(sounds[1], (int, np.integer)):
        return [sounds]
    if isinstance(sounds, np.ndarray) or not isinstance(sounds, Iterable):
        kind = "array without its rate" if isinstance(sounds, np.ndarray) else type(sounds).__name__
        raise InvalidArgument(f"sounds is a {kind}; it must be paths, bytes or (samples, rate)")
    return sounds

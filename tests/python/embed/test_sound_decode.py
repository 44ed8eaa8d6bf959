"""From files of every kind to samples, and what is said of files that are none."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synth import chirp, clicks, encoded, noise, soundfile, tone, write

import lookalike as la
from lookalike.embed.audio.decode import SoundLimits, read_sound

SECOND = chirp(200, 4000)


@pytest.fixture(scope="module")
def model() -> la.AudioEmbedder:
    return la.AudioEmbedder(threads=1)


def read(source: Any, rate: int = 32_000, limits: SoundLimits | None = None, **span: float) -> np.ndarray:
    return np.concatenate([*read_sound(source, rate, limits or SoundLimits(), **span)])


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"format": "WAV", "subtype": "PCM_16"}, 1e-4),
        ({"format": "WAV", "subtype": "PCM_U8"}, 1e-2),
        ({"format": "WAV", "subtype": "PCM_24"}, 1e-6),
        ({"format": "WAV", "subtype": "FLOAT"}, 1e-7),
        ({"format": "FLAC"}, 1e-4),
        ({"format": "AIFF"}, 1e-4),
        ({"format": "OGG", "subtype": "VORBIS"}, 0.1),
        ({"format": "MP3"}, 0.1),
    ],
    ids=lambda how: "-".join(how.values()) if isinstance(how, dict) else "",
)
def test_every_format_gives_the_samples(tmp_path: Path, how: dict[str, str], error: float) -> None:
    path = write(tmp_path / "any.sound", SECOND, **how)
    for source in (path, str(path), path.read_bytes()):
        samples = read(source)
        assert samples.dtype == np.float32
        assert abs(len(samples) - len(SECOND)) < 2500
        common = min(len(samples), len(SECOND))
        # A lossy format may shift the sound by its delay.
        if error < 0.05:
            assert np.abs(samples[:common] - SECOND[:common]).max() < error
        else:
            correlation = np.correlate(samples[2000:30000], SECOND[4000:28000], "valid").max()
            assert correlation > 0.95 * (SECOND[4000:28000] ** 2).sum()


def test_channels_are_averaged() -> None:
    stereo = np.stack([SECOND, 3 * SECOND], axis=1) / 4
    assert np.allclose(read(encoded(stereo, format="WAV", subtype="FLOAT")), SECOND / 2, atol=1e-6)
    assert np.allclose(read((stereo, 32_000)), SECOND / 2, atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_other_rates_are_brought_to_the_wanted_one(rate: int) -> None:
    samples = read((tone(440, 2.0, rate), rate), 16_000)
    assert len(samples) == pytest.approx(32_000, abs=2)
    wanted = tone(440, 2.0, 16_000)
    assert np.abs(samples[1000:30000] - wanted[1000:30000]).max() < 0.01


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "i4", "u2", "f2", "f8"])
def test_samples_of_any_dtype(dtype: str) -> None:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        samples = SECOND.astype(kind)
    else:
        half = 2.0 ** (8 * kind.itemsize - 1)
        samples = np.round(SECOND * (half - 1) + (half if kind.kind == "u" else 0)).astype(kind)
    assert np.abs(read((samples, 32_000)) - SECOND).max() < 0.02


def test_a_part_is_read(tmp_path: Path) -> None:
    for name in ("a.wav", "a.flac"):
        part = read(write(tmp_path / name, noise(0, 3.0)), start=1.0, end=1.5)
        assert np.abs(part - noise(0, 3.0)[32_000:48_000]).max() < 1e-4
    assert np.array_equal(read((noise(0, 3.0), 32_000), start=1.0, end=1.5), noise(0, 3.0)[32_000:48_000])


def test_one_sample_is_a_sound(model: la.AudioEmbedder) -> None:
    for rate in (16_000, 32_000, 192_000):
        assert model.embed(encoded(np.ones(1, np.float32), rate, format="WAV")).shape == (1, model.dim)


def test_silence_is_a_sound(model: la.AudioEmbedder) -> None:
    vectors = model.embed((np.zeros(50_000, np.float32), 32_000))
    assert np.isfinite(vectors).all() and vectors.any()


def bad(name: str, tmp_path: Path) -> Any:
    wav, flac = encoded(SECOND, format="WAV"), encoded(SECOND, format="FLAC")
    ogg, mp3 = encoded(SECOND, format="OGG"), encoded(SECOND, format="MP3")
    hole = SECOND.copy()
    hole[16_000] = np.nan
    made: dict[str, Any] = {
        "empty": b"",
        "text": b"no sound at all" * 50,
        "half wav": wav[: len(wav) // 2],
        "half flac": flac[: len(flac) // 2],
        "half ogg": ogg[: len(ogg) // 2],
        "half mp3": mp3[: len(mp3) // 2],
        "head of wav": wav[:30],
        "no samples": encoded(np.zeros(0, np.float32), format="WAV"),
        "nan file": encoded(hole, format="WAV", subtype="FLOAT"),
        "nan array": (hole, 32_000),
        "infinity": (SECOND / np.float32(0), 32_000),
        "overflow": (np.full((9, 2), 3e38, np.float32), 32_000),
        "beyond all": (np.full(32_000, 1e30, np.float32), 32_000),
        "folder": tmp_path,
        "missing": tmp_path / "missing.wav",
        "number": 7,
        "bare array": SECOND,
        "no rate": (SECOND, "32000"),
        "rate 0": (SECOND, 0),
        "complex": (SECOND.astype(complex), 32_000),
        "three axes": (np.zeros((2, 2, 2), np.float32), 32_000),
        "empty array": (np.zeros(0, np.float32), 32_000),
    }
    return made[name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty", "is empty"),
        ("text", "not a sound of a known format"),
        ("half wav", "is truncated"),
        ("half flac", "truncated"),
        ("half ogg", "truncated"),
        ("half mp3", "is truncated"),
        ("head of wav", "truncated|known format"),
        ("no samples", "has no samples"),
        ("nan file", r"NaN or infinity at 0\.500 s"),
        ("nan array", r"NaN or infinity at 0\.500 s"),
        ("infinity", "NaN or infinity at 0.000 s|NaN"),
        ("overflow", "NaN or infinity at 0.000 s"),
        ("beyond all", r"holds 1e\+30 at 0\.000 s"),
        ("folder", "is a folder"),
        ("missing", "does not exist"),
        ("number", "is a int; it must be a path, bytes"),
        ("bare array", "array without its rate"),
        ("no rate", "a whole number for the rate"),
        ("rate 0", "rate of 0 Hz"),
        ("complex", "it must be floats from -1 to 1, or integers"),
        ("three axes", r"it must be \(n,\) or \(n, channels\)"),
        ("empty array", "has no samples"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero|invalid value")
def test_what_is_no_sound_is_told(name: str, message: str, tmp_path: Path, model: la.AudioEmbedder) -> None:
    source = bad(name, tmp_path)
    with pytest.raises(la.AudioError, match=rf"^sound (#1 |{tmp_path}).*({message})"):
        model.embed([(SECOND, 32_000), source])
    assert model.embed([source, (SECOND, 32_000)], on_error="skip").shape == (1, model.dim)
    assert [failure.position for failure in model.last_errors] == [0]


def test_an_array_on_its_side_is_told() -> None:
    with pytest.raises(la.AudioError, match=r"move the channels last"):
        read((np.zeros((2, 32_000), np.float32), 32_000))


def test_limits_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "long.flac", noise(0, 3.0))
    for source in (path, path.read_bytes(), (noise(0, 3.0), 32_000)):
        with pytest.raises(la.AudioError, match=r"is 3\.0 s long; the limit is 2\.0 s \(max_seconds\)"):
            la.AudioEmbedder(threads=1, max_seconds=2).embed([source])
    with pytest.raises(la.AudioError, match=r"max_bytes"):
        la.AudioEmbedder(threads=1, max_bytes=100).embed(path)
    with pytest.raises(la.InvalidArgument, match="max_seconds is -1"):
        la.AudioEmbedder(max_seconds=-1)


def test_a_wav_whose_writer_did_not_know_its_length_is_read() -> None:
    data = bytearray(encoded(SECOND, format="WAV", subtype="PCM_16"))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert len(read(bytes(data))) == len(SECOND)


def test_wrong_suffixes_and_odd_names_are_read(tmp_path: Path) -> None:
    for name in ("really-flac.wav", "two\nlines.flac", "ünï 猫.mp3", "raw.raw", os.fsdecode(b"caf\xe9.flac")):
        path = tmp_path / name
        path.write_bytes(encoded(SECOND, format="FLAC"))
        assert len(read(path)) == len(SECOND)


def test_a_long_file_is_never_in_memory_whole(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 8_000, 1, "PCM_U8") as file:
        for _ in range(60):
            file.write(clicks(0.5, 60.0, 8_000))
    tracemalloc.start()
    try:
        count = sum(map(len, read_sound(path, 8_000, SoundLimits())))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # An hour: 115 MB as floats.
    assert count == 3600 * 8_000
    assert peak < 20e6

"""From samples to windows, spectrograms and vectors."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from synth import RATE, chirp, clicks, encoded, noise, tone, write

import lookalike as la
from lookalike.embed import open_embedder
from lookalike.embed.audio.mel import Spectrogram, hertz_of, mel_of
from lookalike.embed.audio.windows import cut
from lookalike.embed.cards.located import find_shipped, shipped_models

SPEECH = "speech-embedding"
MODELS = ["spectrogram-lite0", *([SPEECH] if find_shipped(SPEECH) else [])]


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> la.AudioEmbedder:
    return la.AudioEmbedder(request.param, threads=1)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_a_tone_lies_in_the_band_of_its_pitch(scale: str) -> None:
    spectrogram = Spectrogram(RATE, 2048, 320, 64, 50.0, 14_000.0, scale)  # type: ignore[arg-type]
    low, high = mel_of(np.array([50.0, 14_000.0]), scale)  # type: ignore[arg-type]
    for hertz in (500.0, 1200.0, 5000.0, 11_000.0):
        levels = spectrogram(tone(hertz))
        assert levels.shape == (64, 101)
        assert levels.max() == 1.0
        place = (mel_of(np.array(hertz), scale) - low) / (high - low) * 65 - 1  # type: ignore[arg-type]
        assert abs(int(levels[:, 50].argmax()) - float(place)) < 1.0
    back = hertz_of(mel_of(np.linspace(0, 16_000, 50), scale), scale)  # type: ignore[arg-type]
    assert np.allclose(back, np.linspace(0, 16_000, 50))


def test_filters_have_one_area_each() -> None:
    spectrogram = Spectrogram(RATE, 8192, 320, 40, 50.0, 14_000.0)
    areas = spectrogram.filters.sum(axis=1) * RATE / 8192
    assert np.allclose(areas, 1.0, atol=0.1)


def test_loudness_and_the_moment_do_not_change_a_spectrogram() -> None:
    spectrogram = Spectrogram(RATE, 1024, 320, 64, 50.0, 14_000.0)
    quiet = spectrogram(noise(1) * np.float32(0.1))
    assert np.allclose(quiet, spectrogram(noise(1)), atol=1e-4)
    silent = spectrogram(np.zeros(32_000, np.float32))
    assert silent.max() == silent.min()


@pytest.mark.parametrize("length", [1, 5, 6, 7, 10, 11, 25, 26, 27, 28, 100])
@pytest.mark.parametrize("block", [1, 3, 6, 1000])
def test_windows_are_what_slicing_gives_and_cover_everything(length: int, block: int) -> None:
    samples = np.arange(1, length + 1, dtype=np.float32)
    found = list(cut((samples[at : at + block] for at in range(0, length, block)), 6, 4))
    covered = set()
    for start, end, window in found:
        assert len(window) == 6
        assert np.array_equal(window[: end - start], samples[start:end])
        assert not window[end - start :].any()
        covered |= set(range(start, end))
    starts = [start for start, _, _ in found]
    assert covered == set(range(length))
    assert starts[:-1] == [4 * n for n in range(len(starts) - 1)]
    assert found[-1][1] == length


def test_alike_sounds_are_nearer_than_others(model: la.AudioEmbedder) -> None:
    kinds = [
        [tone(440), tone(450)],
        [noise(1), noise(2)],
        [chirp(200, 6000), chirp(220, 6300)],
        [clicks(0.1), clicks(0.105)],
    ]
    vectors = model.embed([(samples, RATE) for pair in kinds for samples in pair])
    assert vectors.shape == (8, model.dim)
    for row in range(8):
        others = [other for other in range(8) if other != row]
        nearest = max(others, key=lambda other: cosine(vectors[row], vectors[other]))
        assert nearest == row ^ 1


def test_windows_have_times_and_their_mean_is_the_sound(model: la.AudioEmbedder) -> None:
    sound = (np.concatenate([tone(440, 3.0), noise(1, 2.5)]), RATE)
    windows = model.embed_windows(sound)
    starts, vectors = windows
    assert vectors.shape == (len(starts), model.dim)
    assert vectors.dtype == np.float32
    assert np.allclose(starts[:-1], np.arange(len(starts) - 1) * model.card.hop)
    assert windows.ends[-1] == 5.5
    assert np.allclose(windows.ends - starts, model.card.window)
    assert np.allclose(model.embed([sound])[0], vectors.mean(axis=0), atol=1e-5)
    first = model.embed_windows((tone(440, 3.0), RATE)).vectors[0]
    assert np.allclose(first, vectors[0], atol=1e-4)


def test_threads_change_nothing_and_sounds_keep_their_order(model: la.AudioEmbedder) -> None:
    sounds = [(noise(seed, 0.3 * seed), RATE) for seed in range(1, 12)]
    bad = [*sounds[:4], b"", *sounds[4:8], (np.zeros(0), RATE), *sounds[8:]]
    alone = model.embed(sounds)
    many = la.AudioEmbedder(model.name, threads=3)
    assert np.allclose(many.embed(bad, on_error="skip"), alone, atol=1e-5)
    assert [failure.position for failure in many.last_errors] == [4, 9]
    assert [position for position, _ in many.embed_stream(iter(bad))] == list(range(13))


def test_a_file_that_breaks_late_gives_no_windows() -> None:
    broken = encoded(noise(0, 40.0), format="MP3")
    model = la.AudioEmbedder(threads=1)
    results = list(model.windows_stream([broken[: len(broken) - 9000], (tone(440), RATE)]))
    assert isinstance(results[0][1], la.AudioError)
    assert len(results[1][1]) == 1  # type: ignore[arg-type]


def test_one_sound_counts_as_a_list_of_one(tmp_path: Path) -> None:
    model = la.AudioEmbedder(threads=1)
    path = write(tmp_path / "a.wav", tone(440))
    expected = model.embed([path])
    for one in (path, str(path), path.read_bytes(), (tone(440), RATE)):
        assert np.allclose(model.embed(one), expected, atol=2e-2)
    for wrong in (tone(440), 7, None):
        with pytest.raises(la.InvalidArgument, match="sounds is a"):
            model.embed(wrong)


def test_progress_counts_sounds_and_can_stop() -> None:
    seen: list[tuple[int, int | None]] = []
    model = la.AudioEmbedder(threads=1)
    model.embed([(tone(440, 0.1), RATE)] * 3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(la.Cancelled, match="after 1 sounds"):
        model.embed([(tone(440, 0.1), RATE)] * 3, progress=lambda done, total: False)


def test_identity_name_pickle_and_opening(model: la.AudioEmbedder) -> None:
    assert model.identity.startswith(f"{model.name}:")
    copy = pickle.loads(pickle.dumps(model))
    assert (copy.identity, copy.threads) == (model.identity, 1)
    opened = open_embedder(model.name, device="cpu", threads=1)
    assert isinstance(opened, la.AudioEmbedder)
    assert opened.identity == model.identity
    assert model.name in shipped_models("audio")
    assert "AudioEmbedder(" in repr(model)


def test_the_folder_does_not_shape_the_identity_and_the_card_does(tmp_path: Path) -> None:
    shipped = find_shipped("spectrogram-lite0")
    assert shipped is not None
    shutil.copytree(shipped, tmp_path / "mine")
    card = tmp_path / "mine" / "model.toml"
    assert la.AudioEmbedder(tmp_path / "mine").identity == la.AudioEmbedder().identity
    card.write_text(card.read_text().replace("decibels = 60", "decibels = 50"))
    assert la.AudioEmbedder(tmp_path / "mine").identity != la.AudioEmbedder().identity


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rate = 32000", "rate = 12", "sound.rate is 12"),
        ("hop = 1.0", "hop = 3.0", "sound.hop is 3.0; it must be seconds"),
        ("hop = 1.0", "hopp = 1.0", "sound.hopp"),
        ("window = 2.0", "window = 0", "sound.window is 0"),
        ('scale = "', 'scale = "x', "spectrogram.scale"),
        ("high = 14000", "high = 17000", "half of sound.rate"),
        ("frames = [512,", "frames = [5,", "spectrogram.frames is .*from 16 to 65536"),
        ("dim = 1536", "dim = 1280", "dim is 1280; .* makes 1536"),
        ("[spectrogram]", "[spectro]", "one of .spectrogram. and .frames."),
        ('image_model = "efficientnet-lite0"', 'image_model = "none"', "neither a shipped one"),
        ('kind = "audio"', 'kind = "image"', "opens models of this kind"),
    ],
)
def test_a_card_that_is_wrong_names_the_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    shipped = find_shipped("spectrogram-lite0")
    assert shipped is not None
    text = (shipped / "model.toml").read_text()
    assert old in text
    (tmp_path / "model.toml").write_text(text.replace(old, new))
    with pytest.raises(la.ModelError, match=message):
        la.AudioEmbedder(tmp_path)


def test_models_that_are_none() -> None:
    with pytest.raises(la.ModelError, match=r"neither a shipped one \(.*spectrogram-lite0.*\), nor"):
        la.AudioEmbedder("no-such-model")
    with pytest.raises(la.ModelError, match="ImageEmbedder opens models of this kind"):
        la.AudioEmbedder("efficientnet-lite0")
    with pytest.raises(la.InvalidArgument, match="model is 3"):
        la.AudioEmbedder(3)  # type: ignore[arg-type]

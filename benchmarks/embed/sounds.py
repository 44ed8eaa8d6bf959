"""How often a sound's nearest neighbour is of its kind, and what embedding a second of sound takes.

python -m benchmarks.embed.sounds [--threads N] [--repeats N] [--quick] [--json]

Leave one out, cosine, kinds by the first part of a file's name; one vector a sound, the mean of its windows.
Times are of one recording of a minute, the sounds one after the other. The speech embedding is measured where
models/speech-embedding lies beside the source.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.datasets import ROOT, data_folder
from benchmarks.embed import photos
from benchmarks.embed.retrieval import precision_at_1

RATE, RECORDING = 32_000, 60


def load(quick: bool) -> tuple[list[Path], list[str]]:
    """Paths and kinds. Raises FileNotFoundError where the data are absent."""
    folder = ROOT / "examples" / "sounds" if quick else data_folder() / "sounds"
    paths = sorted(folder.glob("*.flac"))
    if not paths:
        raise FileNotFoundError(f"no sounds in {folder}; set LOOKALIKE_DATA to the folder that holds sounds/")
    return paths, [re.split("[_-]", path.stem)[0] for path in paths]


def chance(kinds: list[str]) -> float:
    """How often any other sound, taken blindly, is of one's kind."""
    return sum(kinds.count(kind) - 1 for kind in kinds) / len(kinds) / (len(kinds) - 1)


def contestants(threads: int) -> dict[str, Callable[[list], object]]:
    """Name -> sounds to vectors."""
    import numpy as np

    import lookalike as la
    from lookalike.embed.audio.decode import SoundLimits, read_sound
    from lookalike.embed.audio.mel import Spectrogram

    spectrogram = Spectrogram(RATE, 2048, 320, 128, 50.0, 14_000.0, "htk", 60.0)

    def log_mel(sounds: list) -> object:
        whole = [np.concatenate([*read_sound(sound, RATE, SoundLimits())]) for sound in sounds]
        return np.stack([spectrogram(samples).mean(axis=1) for samples in whole])

    def unit(vectors):
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    default = la.AudioEmbedder(device="cpu", threads=threads)
    seen = la.ImageEmbedder(default.card.way.image_model).dim
    found = {
        "mean log-mel, 128 bands": log_mel,
        "spectrogram-lite0, its bands alone": lambda sounds: default.embed(sounds)[:, seen:],
        "spectrogram-lite0, its network alone": lambda sounds: default.embed(sounds)[:, :seen],
        "spectrogram-lite0 (default)": default.embed,
    }
    folder = ROOT / "models" / "speech-embedding"
    if folder.is_dir():
        speech = la.AudioEmbedder(folder, device="cpu", threads=threads)
        found["speech-embedding"] = speech.embed
        found["both, one after the other"] = lambda sounds: np.hstack(
            [unit(default.embed(sounds)) * 2**0.5, unit(speech.embed(sounds))]
        )
    return found


def milliseconds(work: Callable[[list], object], recording, seconds: float, repeats: int) -> float:
    """Median milliseconds that a second of a recording takes."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work([recording])
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) / seconds * 1e3


def main() -> None:
    options = photos.arguments("sounds", __doc__)
    import numpy as np

    from lookalike.embed.audio.decode import SoundLimits, read_sound

    paths, kinds = load(options.quick)
    blocks = [block for path in paths for block in read_sound(path, RATE, SoundLimits())]
    recording = (np.concatenate(blocks)[: RECORDING * RATE], RATE)
    seconds = len(recording[0]) / RATE
    repeats = 1 if options.quick else options.repeats
    found = {}
    for name, work in contestants(options.threads).items():
        # A part takes what the whole takes.
        taken = None if "alone" in name else milliseconds(work, recording, seconds, repeats)
        found[name] = {"precision@1": precision_at_1(work(paths), kinds), "milliseconds": taken}
    if options.json:
        print(json.dumps({"sounds": len(paths), "kinds": len(set(kinds)), "models": found}))
        return
    error = (0.24 / len(paths)) ** 0.5
    print(f"\n{len(paths)} sounds of {len(set(kinds))} kinds, leave one out, cosine; blindly")
    print(f"{chance(kinds):.3f}, standard error {error:.2f}.", end=" ")
    print(f"Times of {seconds:.0f} s of sound, {options.threads} threads.\n")
    rows = [
        (name, f"{m['precision@1']:.3f}", "" if m["milliseconds"] is None else f"{m['milliseconds']:.1f}")
        for name, m in found.items()
    ]
    print(photos.table(("", "precision@1", "ms a second of sound"), rows))


if __name__ == "__main__":
    main()

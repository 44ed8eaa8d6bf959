"""How well words find pictures, and name them: the shipped words-lite0, without a CLIP.

python -m benchmarks.embed.words [--threads N] [--quick] [--json] [--model FOLDER]

Precision@10 is the share of the ten pictures nearest to the words that show what they say, over all pictures
as the gallery; zero-shot is the share of pictures nearest to the right words. The words of the grocery photos
are in grocery_words.py. Of each set, the recipe was chosen on every other class from the first on, and not
on the rest (models/words-lite0/README.md); both are shown. CIFAR-10 comes as stored vectors of
EfficientNet-Lite0, which only the head is applied to, as a library does that was synced with the default.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.datasets import data_folder
from benchmarks.embed import photos
from benchmarks.embed.grocery_words import COARSE, FINE

CIFAR_10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def precision_at_10(
    pictures: NDArray[np.float32], words: NDArray[np.float32], relevant: NDArray[np.bool_]
) -> float:
    """Share of the nearest pictures that are relevant: of ten, or of as many as there are."""
    count = min(10, int(relevant.sum()))
    return float(relevant[np.argsort(-(pictures @ words), kind="stable")[:count]].mean())


def scores(
    pictures: NDArray[np.float32], labels: NDArray[np.str_], names: list[str], words: NDArray[np.float32]
) -> dict[str, list[float]]:
    """Precision@10 and zero-shot accuracy: of all classes, of every other from the first on, of the rest."""
    named = np.array(names)[(pictures @ words.T).argmax(axis=1)] == labels
    found = [precision_at_10(pictures, row, labels == name) for name, row in zip(names, words, strict=True)]
    halves = [names, names[0::2], names[1::2]]
    return {
        "precision@10": [float(np.mean([found[names.index(n)] for n in half])) for half in halves],
        "zero-shot": [float(named[np.isin(labels, half)].mean()) for half in halves],
        "chance": [1 / len(names)] * 3,
    }


def quick_words(classes: list[str]) -> dict[str, str]:
    """Words for the example photos: what their names begin with."""
    return {name: {"solar": "solar panels"}.get(name, name) for name in sorted(set(classes))}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embed.words", description=__doc__)
    parser.add_argument("--threads", type=int, default=2, help="CPUs to use")
    parser.add_argument("--quick", action="store_true", help="examples/photos only: shows that it runs")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--model", default="words-lite0", help="another model of words and pictures")
    options = parser.parse_args()
    machine.hold_to(options.threads)
    import lookalike as la

    model = la.TextImageEmbedder(options.model, threads=options.threads)
    paths, classes = photos.load(options.quick)
    fine = quick_words(classes) if options.quick else FINE
    labels, pictures = np.array(classes), model.embed(paths)
    sets = {
        f"{len(paths):,} photos, {len(fine)} classes": scores(
            pictures, labels, list(fine), model.embed_text(fine.values())
        )
    }
    coarse: dict[str, float] = {}
    if not options.quick:
        for words, members in COARSE.items():
            coarse[words] = precision_at_10(pictures, model.embed_text(words)[0], np.isin(labels, members))
        if options.model == "words-lite0":
            sets["10,000 of CIFAR-10, 10 classes"] = cifar(model)
    if options.json:
        print(json.dumps({"model": model.name, "sets": sets, "coarse": coarse}))
        return
    # The recipe was not chosen on the example photos.
    halves = ("all classes",) if options.quick else ("all classes", "chosen on", "held out")
    rows = [
        (
            title if measure == "precision@10" else "",
            measure,
            *(f"{value:.3f}" for value in values[: len(halves)]),
        )
        for title, measures in sets.items()
        for measure, values in measures.items()
    ]
    print(f"\n{model.name}: words to pictures.\n")
    print(photos.table(("", "", *halves), rows))
    print(
        f"\nOne query in words takes {milliseconds(lambda: model.embed_text('a red apple')):.1f} ms to embed",
        end="",
    )
    if options.model == "words-lite0":
        head, features = shipped_head(), np.ones((1000, 1280), np.float32)
        print(f"; the head, {milliseconds(lambda: head(features)):.0f} ms a thousand photos, once", end="")
    print(" (one thread).")
    if coarse:
        print("\nPhotos by coarser words, precision@10, the photos of 41 classes as the gallery.\n")
        rows = [(f"{words} ({', '.join(COARSE[words])})", f"{share:.2f}") for words, share in coarse.items()]
        rows.append(("mean", f"{np.mean(list(coarse.values())):.2f}"))
        print(photos.table(("words (the classes they mean)", "precision@10"), rows))


def milliseconds(work: Callable[[], object], repeats: int = 20) -> float:
    """Median time of a call, after one that warms up."""
    work()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return 1e3 * float(np.median(taken))


def shipped_head() -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Open the head of words-lite0 alone."""
    from lookalike.embed.cards.located import find_shipped
    from lookalike.embed.text.card import load_text_image_card
    from lookalike.embed.text.head import Head

    card = load_text_image_card(find_shipped("words-lite0"))
    return Head(card.image, card.name, card.dim, "cpu")


def cifar(model) -> dict[str, list[float]]:
    """Score the stored vectors of CIFAR-10 through the head alone."""
    folder = data_folder() / "vectors"
    vectors = np.load(folder / "cnn-1280_base_f16.npy").astype(np.float32)
    labels = np.array(CIFAR_10)[np.load(folder / "cnn-1280_base_labels.npy")]
    return scores(shipped_head()(vectors), labels, list(CIFAR_10), model.embed_text(CIFAR_10))


if __name__ == "__main__":
    main()

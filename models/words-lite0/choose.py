"""How the recipe of words-lite0 was chosen: its variants, on the half that decided and on the other.

PYTHONPATH=python:.:models/words-lite0 python models/words-lite0/choose.py   (LOOKALIKE_DATA names the data)

The mean of four numbers, precision@10 and zero-shot accuracy on the grocery photos and on CIFAR-10, over
every other class from the first on; the other classes decided nothing.
"""

from __future__ import annotations

import itertools
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from benchmarks.datasets import data_folder
from benchmarks.embed import photos
from benchmarks.embed.grocery_words import FINE
from benchmarks.embed.words import CIFAR_10, scores
from export import HERE, classifier

import lookalike as la
from lookalike.embed.text.card import load_text_image_card
from lookalike.embed.text.tower import TextTower


def texts() -> dict[str, list[list[str]]]:
    """Return ways to write the classes: to each class one text, or several whose mean is taken."""
    info = Path(str(distribution("timm").locate_file("timm/data/_info")))
    synsets = (info / "imagenet_synsets.txt").read_text().split()
    lemmas, definitions = (
        dict(
            line.split("\t", 1) for line in (info / f"imagenet_synset_to_{what}.txt").read_text().splitlines()
        )
        for what in ("lemma", "definition")
    )
    names = [lemmas[synset].split(", ") for synset in synsets]
    told = [definitions[synset] for synset in synsets]
    return {
        "name": [[name[0]] for name in names],
        "mean of its synonyms": names,
        "a photo of a name": [[f"a photo of a {name[0]}"] for name in names],
        "definition": [[line] for line in told],
        "name: definition": [[f"{name[0]}: {line}"] for name, line in zip(names, told, strict=True)],
    }


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale rows to length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def place(logits: np.ndarray, names: np.ndarray, likeliest: int, temperature: float) -> np.ndarray:
    """Put images where the names of their likeliest classes are."""
    classes = np.argsort(-logits, axis=1)[:, :likeliest]
    top = np.take_along_axis(logits, classes, axis=1) / temperature
    chances = np.exp(top - top.max(axis=1, keepdims=True))
    placed = sum(chances[:, i : i + 1] * names[classes[:, i]] for i in range(likeliest))
    return unit(placed)


def main() -> None:
    """Print the variants, the best on the first half first."""
    weight, bias = classifier()
    card = load_text_image_card(HERE)
    tower = TextTower(card.text, card.name, card.dim, "cpu")
    paths, classes = photos.load(quick=False)
    vectors = data_folder() / "vectors"
    sets = [
        (la.ImageEmbedder("efficientnet-lite0").embed(paths), np.array(classes), FINE),
        (
            np.load(vectors / "cnn-1280_base_f16.npy").astype(np.float32),
            np.array(CIFAR_10)[np.load(vectors / "cnn-1280_base_labels.npy")],
            {name: name for name in CIFAR_10},
        ),
    ]
    ready = [
        (features @ weight.T + bias, labels, list(words), tower.embed(list(words.values()), threads=1))
        for features, labels, words in sets
    ]
    rows = []
    for written, lines in texts().items():
        known = unit(np.stack([tower.embed(several, threads=1).mean(axis=0) for several in lines]))
        mean = unit(known.mean(axis=0))
        for likeliest, temperature, centred in itertools.product((10, 20), (1.0, 1.5), (False, True)):
            names = known - np.outer(known @ mean, mean) if centred else known
            found = [
                scores(place(logits, names, likeliest, temperature), labels, words, told)
                for logits, labels, words, told in ready
            ]
            measured = [one[measure] for one in found for measure in ("precision@10", "zero-shot")]
            _, chosen, held_out = np.mean(measured, axis=0)
            rows.append((chosen, held_out, written, likeliest, temperature, centred))
    table = [
        (
            written,
            str(likeliest),
            str(temperature),
            "yes" if centred else "no",
            f"{chosen:.3f}",
            f"{held_out:.3f}",
        )
        for chosen, held_out, written, likeliest, temperature, centred in sorted(rows, reverse=True)
    ]
    print(photos.table(("classes as", "T", "temperature", "mean out", "chosen on", "held out"), table))


if __name__ == "__main__":
    main()

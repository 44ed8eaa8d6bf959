"""How much an embedding gains by learning, for classes it did not learn from: leave one out, cosine.

python -m benchmarks.embed.learning [photos] [fashion] [--quick] [--fine-tune] [--json]

photos: a head on EfficientNet-Lite0, learned from 28 of the 41 classes of photos, asked about the 13 others.
fashion: a small network from scratch, learned from 7 of the 10 classes of Fashion-MNIST, asked about the 3
others, for several choices of those. How to learn a head was chosen by classes set apart among the 28.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.embed import photos
from benchmarks.embed.photos import table

SPLIT_SEED, SEEDS = 0, (0, 1, 2)
FASHION = Path("/usr/share/datasets/fashion-mnist")
CLASSES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot")
FASHION_SPLITS, A_CLASS = (0, 1, 2, 3, 4, 5), 1000

HEAD: dict[str, Any] = {"epochs": 12, "validation_classes": 0}
TUNED: dict[str, Any] = HEAD | {"fine_tune": True, "epochs": 5, "learning_rate": 1e-4, "base_rate": 1.0}
SCRATCH: dict[str, Any] = {
    "base": "none", "size": 28, "dim": 256, "epochs": 1, "learning_rate": 3e-5, "augment": ("flip",),
    "validation_classes": 0,
}  # fmt: skip


def learn(examples, choices: dict[str, Any], seed: int):
    """Learn from examples; return the model, and the seconds it took."""
    import lookalike as la
    from lookalike.train import train

    folder = Path(tempfile.mkdtemp(prefix="lookalike-learning-"))
    start = time.perf_counter()
    train(examples, folder, overwrite=True, threads=1, seed=seed, **choices)
    return la.ImageEmbedder(folder, threads=1), time.perf_counter() - start


def photo_rows(quick: bool, fine_tune: bool) -> tuple[str, list[dict[str, Any]]]:
    """What plain Lite0 and what was learned from it are worth to classes nobody learned from."""
    import numpy as np

    import lookalike as la
    from lookalike.train import Examples
    from lookalike.train.data.split import split_classes
    from lookalike.train.loop.scores import score

    paths, names = photos.load(quick)
    classes, labels = np.unique(names, return_inverse=True)
    everything = Examples(paths, labels, classes.tolist())
    split = split_classes(everything.classes, 13 / 41, SPLIT_SEED)
    unseen = np.isin(labels, [everything.classes.index(name) for name in split.validation])

    def asked(model) -> dict[str, float]:
        vectors = model.embed(paths)
        found = score(vectors[unseen], labels[unseen])
        return {
            "precision@1": found.precision_at_1,
            "mAP@R": found.map_at_r,
            "precision@1 among all": found_among_all(vectors, labels, unseen),
        }

    plain = la.ImageEmbedder("efficientnet-lite0", threads=1)
    rows = [{"model": "EfficientNet-Lite0", **asked(plain), "seconds": 0.0}]
    learned = everything.of_classes(split.training)
    ways = {"a head learned on it": HEAD} | ({"fine-tuned along with a head": TUNED} if fine_tune else {})
    for way, choices in ways.items():
        runs = [learn(learned, choices, seed) for seed in (SEEDS[:1] if quick else SEEDS)]
        rows.append(mean_row(way, [asked(model) | {"seconds": seconds} for model, seconds in runs]))
    text = (
        f"{len(paths):,} photos in {len(classes)} classes; learned from {len(learned)} photos of "
        f"{len(split.training)}, asked about {int(unseen.sum())} of {len(split.validation)} others (split by "
        f"seed {SPLIT_SEED}); mean of {len(runs)} seeds. Among all: they look among all {len(paths):,}."
    )
    return text, rows


def found_among_all(vectors, labels, asking) -> float:
    """Share of the asking photos whose nearest of all others has their class."""
    import numpy as np

    import lookalike as la

    index = la.Flat(vectors.shape[1], "cosine", codes="f32")
    index.add(vectors)
    own = np.flatnonzero(asking)
    ids = index.search(vectors[own], 2).ids
    nearest = np.where(ids[:, 0] == own, ids[:, 1], ids[:, 0])
    return float((labels[nearest] == labels[own]).mean())


def fashion_rows(quick: bool) -> tuple[str, list[dict[str, Any]]]:
    """What pixels and what a network learned from scratch are worth to classes nobody learned from."""
    from lookalike.train.data.split import split_classes

    count, splits = (32, FASHION_SPLITS[:1]) if quick else (A_CLASS, FASHION_SPLITS)
    rows = [fashion_row(split_classes(CLASSES, 0.3, seed), count) for seed in splits]
    numbers = [key for key in rows[0] if key != "model"]
    if len(rows) > 1:
        means = {key: statistics.fmean(row[key] for row in rows[1:]) for key in numbers}
        rows.append({"model": "mean of all but the first", **means})
    text = (
        f"Fashion-MNIST; learned from {7 * count:,} training images of seven classes, asked about up to "
        f"{3 * count:,} test images of the three others, which the table names; splits by seeds "
        f"{', '.join(map(str, splits))}. The network's form was chosen with the first split in view."
    )
    return text, rows


def fashion_row(split, count: int) -> dict[str, Any]:
    """One split: precision@1 and mAP@R of pixels and of what is learned from the other classes."""
    import numpy as np

    from lookalike.train import Examples
    from lookalike.train.loop.scores import score

    def some(part: str, names: list[str]) -> Examples:
        pixels, labels = idx(part, "images-idx3"), idx(part, "labels-idx1")
        rows = np.concatenate([np.flatnonzero(labels == CLASSES.index(name))[:count] for name in names])
        return Examples(list(pixels[rows]), labels[rows].astype(np.int64), list(CLASSES)).of_classes(names)

    unseen = some("t10k", split.validation)
    pixels = np.stack(unseen.images).reshape(len(unseen), -1).astype(np.float32)
    cosine, l2 = (score(pixels, unseen.labels, metric) for metric in ("cosine", "l2"))
    model, seconds = learn(some("train", split.training), SCRATCH, 0)
    learned = score(model.embed(unseen.images), unseen.labels)
    return {
        "model": ", ".join(split.validation),
        "P@1: pixels, cosine": cosine.precision_at_1,
        "pixels, L2": l2.precision_at_1,
        "learned": learned.precision_at_1,
        "mAP@R: pixels, cosine": cosine.map_at_r,
        "pixels, L2 ": l2.map_at_r,
        "learned ": learned.map_at_r,
        "seconds": seconds,
    }


def idx(part: str, kind: str):
    """Read a gzipped IDX file of bytes. Raises FileNotFoundError where the data are absent."""
    import numpy as np

    path = FASHION / f"{part}-{kind}-ubyte.gz"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; Debian has it in dataset-fashion-mnist")
    data = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(data, ">u4", data[3], 4).astype(int)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def mean_row(name: str, runs: list[dict[str, float]]) -> dict[str, Any]:
    """The mean of every number, and how far precision@1 goes up and down."""
    means = {key: statistics.fmean(run[key] for run in runs) for key in runs[0]}
    return {"model": name, **means, "each": [run["precision@1"] for run in runs]}


def as_table(rows: list[dict[str, Any]]) -> str:
    numbers = [key for key in rows[0] if key not in ("model", "seconds")]
    cells = [
        (
            row["model"],
            *(f"{row[key]:.3f}" for key in numbers),
            f"{row['seconds']:.0f}" if row["seconds"] else "",
        )
        for row in rows
    ]
    return table(("", *numbers, "seconds to learn, 1 thread"), cells)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embed.learning", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="photos|fashion", help="(default: both)")
    parser.add_argument("--quick", action="store_true", help="few images: shows that it runs")
    parser.add_argument("--fine-tune", action="store_true", help="fine-tune too: a quarter of an hour a seed")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    machine.hold_to(1)
    parts = options.parts or ["photos", "fashion"]
    found = {}
    if "photos" in parts:
        found["photos"] = photo_rows(options.quick, options.fine_tune)
    if "fashion" in parts and (FASHION.is_dir() or not options.quick):
        found["fashion"] = fashion_rows(options.quick)
    if options.json:
        print(json.dumps({part: {"what": text, "rows": rows} for part, (text, rows) in found.items()}))
        return
    for text, rows in found.values():
        print(f"\n{text}\n\n{as_table(rows)}")
        if "each" in rows[-1]:
            print(f"\nprecision@1 of each seed: {', '.join(f'{value:.3f}' for value in rows[-1]['each'])}")


if __name__ == "__main__":
    main()

"""Every shipped image model: how often a photo's nearest neighbour shows the same, and how long one takes.

python -m benchmarks.embed.models [--write] [--threads N] [--quick] [--json]

Quality is precision@1, leave one out, by cosine. Time is that of one photo, already decoded, to its vector:
on one thread, one at a time. Models that are not built are left out.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.embed import photos
from benchmarks.embed.retrieval import precision_at_1

if TYPE_CHECKING:
    import numpy as np

    from lookalike.embed import Embedder

COMMAND = "python -m benchmarks.embed.models"
BASELINE = "pixels-32"
# How many photos are embedded in a row, for every model in turn, and how long such a row may be.
ROW, ROW_SECONDS = 20, 1.0


@dataclass(frozen=True)
class Found:
    """What was found of a model."""

    name: str
    dim: int
    bytes: int
    license: str
    quality: float
    milliseconds: float


def shipped() -> list[str]:
    """The image models that are built, and the baseline every model has to beat."""
    from lookalike.embed.cards.located import find_shipped, shipped_models
    from lookalike.embed.cards.summary import read_summary

    built = []
    for name in shipped_models("image"):
        if all(file.path.is_file() for file in read_summary(find_shipped(name)).needed):
            built.append(name)
        else:
            print(f"{name} is not built", file=sys.stderr)
    return [*built, BASELINE]


def milliseconds(
    models: dict[str, Embedder], pictures: list[np.ndarray], repeats: int, patience: float
) -> dict[str, float]:
    """Median milliseconds a picture, of models that run on one thread; slow ones get fewer pictures."""

    def work(name: str, count: int):
        return lambda: [models[name].embed(picture) for picture in pictures[:count]]

    first = {name: machine.best_seconds(work(name, 1), 2) for name in models}
    counts = {name: max(1, min(len(pictures), int(patience / first[name]))) for name in models}
    seconds = machine.interleaved({name: work(name, counts[name]) for name in models}, repeats)
    return {name: 1000 * seconds[name] / counts[name] for name in models}


def measure(options) -> tuple[list[Found], str]:
    """Measure every model; and say of what the quality is."""
    import numpy as np
    from PIL import Image

    from lookalike.embed import open_embedder
    from lookalike.embed.cards.located import find_shipped
    from lookalike.embed.cards.summary import read_summary

    paths, classes = photos.load(options.quick)
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in paths[:: len(paths) // ROW][:ROW]]
    single = {name: open_embedder(name, device="cpu", threads=1) for name in shipped()}
    rounds, patience = (1, ROW_SECONDS / 20) if options.quick else (options.repeats, ROW_SECONDS)
    taken = milliseconds(single, pictures, rounds, patience)
    found = []
    for name, model in single.items():
        folder = find_shipped(name)
        summary = read_summary(folder) if folder else None
        vectors = open_embedder(name, device="cpu", threads=options.threads).embed(paths)
        found.append(
            Found(
                name,
                model.dim,
                sum(file.path.stat().st_size for file in summary.needed) if summary else 0,
                summary.license if summary else "Apache-2.0",
                precision_at_1(vectors, classes),
                taken[name],
            )
        )
    of = f"precision@1 over {len(paths):,} photos of {len(set(classes))} classes, leave one out, cosine"
    return found, of


def table(found: list[Found]) -> str:
    """Lay the findings out, the best model first."""
    rows = [
        (
            model.name,
            str(model.dim),
            f"{model.bytes / 1e6:.1f} MB" if model.bytes else "-",
            model.license,
            f"{model.quality:.3f}",
            f"{model.milliseconds:.1f}",
        )
        for model in sorted(found, key=lambda model: -model.quality)
    ]
    return photos.table(("", "dim", "size", "licence", "precision@1", "ms a photo"), rows)


def main() -> None:
    options = photos.arguments(
        "models", __doc__, write="put the numbers into every model.toml and models/README.md"
    )
    if options.write and options.quick:
        sys.exit("--write takes what is measured in full, not --quick")
    found, of = measure(options)
    if options.json:
        print(json.dumps({"quality": of, "models": [asdict(model) for model in found]}))
    else:
        print(f"\n{of[0].upper()}{of[1:]}.\n\n{table(found)}")
    if options.write:
        from benchmarks.embed.measured import write_card, write_table

        for model in found:
            if model.name != BASELINE:
                write_card(model.name, model.quality, of, model.milliseconds, COMMAND)
        write_table(table(found), COMMAND)


if __name__ == "__main__":
    main()

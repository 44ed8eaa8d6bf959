"""Images a second on the CPU and on a GPU, from decoded pixels to vector, by file and batch.

python -m benchmarks.embed.gpu [--model FOLDER] [--threads N] [--quick] [--json]

A model's files in f32, f16 and int8 are measured where they are there; `lookalike models export` makes all
three. "auto" is the batch that ImageEmbedder finds by itself. Where there is no GPU that onnxruntime can use,
that is said and the CPU alone is measured.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.embed import photos

BATCHES = (None, 1, 8, 32, 64, 128, 256)
COUNT = {"cpu": 64, "cuda": 2048}


def reason_for_no_gpu(file: Path) -> str | None:
    """Why a model cannot run on a GPU here; None where it can."""
    import lookalike as la

    try:
        la.ImageEmbedder(file, device="cuda", threads=1)
    except la.Unsupported as error:
        return str(error)
    return None


def rate(file: Path, device: str, batch: int | None, count: int, threads: int, rounds: int) -> float:
    """Images a second."""
    import numpy as np

    import lookalike as la

    model = la.ImageEmbedder(file, device=device, threads=threads)
    side = model.card.input.preparation.least_side
    rng = np.random.default_rng(0)
    some = [rng.integers(0, 256, (side, side, 3), np.uint8) for _ in range(64)]
    images = [some[i % len(some)] for i in range(count)]
    model.embed(images, batch_size=batch)  # batches have grown, and kernels are chosen
    return count / min(
        machine.best_seconds(lambda: model.embed(images, batch_size=batch), 1) for _ in range(rounds)
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embed.gpu", description=__doc__)
    parser.add_argument("--model", help="a model's folder (default: efficientnet-lite0)")
    parser.add_argument("--threads", type=int, help="CPUs to use (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="few images, once: shows that it runs")
    options = parser.parse_args()
    from lookalike.embed.cards.located import find_shipped
    from lookalike.embed.cards.summary import read_summary
    from lookalike.embed.runtime.stream import available_threads

    threads = options.threads or available_threads()
    machine.hold_to(threads)
    folder = Path(options.model) if options.model else find_shipped("efficientnet-lite0")
    assert folder is not None
    files = {name: file.path for name, file in read_summary(folder).files.items() if file.path.is_file()}
    reason = reason_for_no_gpu(next(iter(files.values())))
    rounds = 1 if options.quick else 3
    rows: list[dict[str, Any]] = []
    for device in ("cpu",) if reason else ("cpu", "cuda"):
        for name, file in files.items():
            for batch in (None, 8) if options.quick else BATCHES:
                count = 16 if options.quick else COUNT[device]
                if batch and batch > count:
                    continue
                found = rate(file, device, batch, count, threads, rounds)
                rows.append({"device": device, "file": name, "batch": batch or "auto", "images/s": found})
    if options.json:
        print(json.dumps({"machine": machine.describe(), "no_gpu": reason, "rows": rows}))
        return
    print(f"\n{folder.name}, {threads} threads; {machine.describe()}\n")
    if reason:
        print(f"No GPU was measured: {reason}\n")
    shown = [(r["device"], r["file"], str(r["batch"]), f"{r['images/s']:,.0f}") for r in rows]
    print(photos.table(("device", "file", "batch", "images/s"), shown))


if __name__ == "__main__":
    main()

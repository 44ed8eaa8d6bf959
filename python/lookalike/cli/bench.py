"""`lookalike bench`: what this machine does, in a few seconds."""

from __future__ import annotations

import argparse
import importlib.util
import io
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..index import Flat
from ..library import DEFAULT_MODEL
from ..system import info
from .options import Commands, command, positive
from .output import print_json, print_table

_REPEATS = 5


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands,
        "bench",
        run,
        "Measure exact search and embedding on this machine",
        f"Random float32 vectors and made-up photos; the median of {_REPEATS} runs after one to warm up.",
    )
    parser.add_argument(
        "--rows", type=positive, default=100_000, metavar="N", help="vectors (default: 100000)"
    )
    parser.add_argument(
        "--dim", type=positive, default=128, metavar="D", help="their dimension (default: 128)"
    )
    parser.add_argument(
        "--queries", type=positive, default=1_000, metavar="N", help="a batch (default: 1000)"
    )
    parser.add_argument("--photos", type=positive, default=64, metavar="N", help="photos (default: 64)")


def run(arguments: argparse.Namespace) -> None:
    """Measure, and print the figures."""
    figures = {"search": _search(arguments.rows, arguments.dim, arguments.queries)}
    missing = [name for name in ("onnxruntime", "PIL") if importlib.util.find_spec(name) is None]
    if not missing:
        figures["embed"] = _embed(arguments.photos)
    if arguments.json:
        print_json({**info()._asdict(), **figures})
        return
    here = info()
    print(f"lookalike {here.version}, {here.isa}, {here.threads} threads")
    rows = [[what, str(value)] for part in figures.values() for what, value in part.items()]
    print_table(["what", "measured"], rows, right=(1,))
    if missing:
        print("embedding is not measured: pip install 'lookalike[images]' brings what it needs")


def _search(rows: int, dim: int, queries: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    base = rng.standard_normal((rows, dim), np.float32)
    batch = rng.standard_normal((queries, dim), np.float32)
    index = Flat(dim=dim, metric="l2")
    start = time.perf_counter()
    index.add(base)
    added = time.perf_counter() - start
    whole = _median(lambda: index.search(batch, 10))
    single = _median(lambda: [index.search(query, 10) for query in batch[:20]]) / len(batch[:20])
    return {
        "rows": rows,
        "dim": dim,
        "k": 10,
        "add, rows per second": round(rows / added),
        f"exact search in batches of {queries}, queries per second": round(queries / whole),
        "exact search of one query, milliseconds": round(single * 1e3, 3),
    }


def _embed(photos: int) -> dict[str, Any]:
    from ..embed import ImageEmbedder

    model = ImageEmbedder(DEFAULT_MODEL)
    images = [_photo(seed) for seed in range(photos)]
    return {
        "model": model.name,
        f"embedding of {photos} JPEG photos of 640 x 480 in memory, photos per second": round(
            photos / _median(lambda: model.embed(images)), 1
        ),
    }


def _photo(seed: int) -> bytes:
    """Return a JPEG with the detail of a photo: smooth noise at several scales."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    picture = np.zeros((480, 640, 3), np.float32)
    for cells in (4, 16, 64, 240):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8))
        picture += np.asarray(noise.resize((640, 480), Image.Resampling.BICUBIC), np.float32) / 4
    file = io.BytesIO()
    Image.fromarray(picture.astype(np.uint8)).save(file, "JPEG", quality=85)
    return file.getvalue()


def _median(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)

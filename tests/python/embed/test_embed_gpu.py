"""What a GPU needs, on a CPU: binding, batches that follow memory, threads that decode for it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tiny_onnx import flat, mean_colour, write_folder

import lookalike as la
from lookalike.embed.runtime.cuda_batches import CudaBatches
from lookalike.embed.runtime.cuda_stream import cuda_stream
from lookalike.embed.runtime.session import DeviceMemoryError, OnnxSession


class Device:
    """A device that holds so many images at a time, at so many bytes each."""

    def __init__(self, holds: int, bytes_each: int = 10) -> None:
        self.holds, self.bytes_each = holds, bytes_each
        self.total, self.taken = holds * bytes_each, 0
        self.ran: list[int] = []
        self.at_work = 0

    def free(self) -> int:
        return self.total - self.taken

    def run(self, squares: np.ndarray) -> np.ndarray:
        self.at_work += 1
        assert self.at_work == 1, "two batches at a time"
        try:
            self.ran.append(len(squares))
            if len(squares) > self.holds:
                raise DeviceMemoryError("CUDA failure 2: out of memory")
            self.taken = max(self.taken, len(squares) * self.bytes_each)
            return squares[:, 0, 0].astype(np.float32)
        finally:
            self.at_work -= 1


def pixels(count: int) -> np.ndarray:
    return np.arange(count * 3, dtype=np.uint8).reshape(count, 1, 1, 3)


@pytest.fixture
def on_gpu(tmp_path: Path) -> la.ImageEmbedder:
    """A model that runs as if on a GPU, its batches bound to the CPU's memory."""
    model = la.ImageEmbedder(write_folder(tmp_path / "colours"), device="cpu", threads=3)
    model._tower._session.binds = True
    model._gpu = CudaBatches(model._tower, lambda: 10**9)
    return model


@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_binding_gives_what_running_gives(batch: int | str) -> None:
    session = OnnxSession(mean_colour(batch=batch).SerializeToString(), "colours", "cpu")
    images = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), np.uint8)
    expected = session.run(images, "colours")
    session.binds = True
    assert np.array_equal(session.run(images, "colours"), expected)
    # Not contiguous, and of another size than the one before.
    assert np.array_equal(session.run(images[::2], "colours"), expected[::2])
    with pytest.raises(la.ModelError, match="cannot run on"):
        session.run(images[:, :4], "colours")


def test_batches_grow_while_memory_is_free() -> None:
    device = Device(holds=10_000)
    batches = CudaBatches(device.run, device.free, first=8, most=64)
    for size in (8, 16, 32, 64, 64):
        assert batches.size == size
        images = pixels(size)
        assert np.array_equal(batches(images), images[:, 0, 0])


def test_batches_stop_growing_before_memory_ends() -> None:
    device = Device(holds=100)
    batches = CudaBatches(device.run, device.free, first=8, most=1024)
    for _ in range(8):
        batches(pixels(batches.size))
    # 64 took 640 of 1000 bytes; 128 would not fit, and are not tried.
    assert batches.size == 64 and max(device.ran) <= device.holds


def test_batches_that_nobody_measures_stay_as_they_begin() -> None:
    batches = CudaBatches(Device(holds=100).run, lambda: None, first=8)
    batches(pixels(8))
    assert batches.size == 8


def test_a_batch_too_large_is_halved_and_the_work_goes_on() -> None:
    device = Device(holds=5)
    batches = CudaBatches(device.run, device.free, first=32)
    images = pixels(70)
    assert np.array_equal(batches(images), images[:, 0, 0])
    assert device.ran[:5] == [70, 35, 17, 8, 4]
    assert (batches.size, batches.limit) == (4, 4)
    device.ran.clear()
    batches(images)
    assert max(device.ran) == 4, "what failed once is not tried again"


def test_a_device_that_holds_not_one_image_says_so() -> None:
    with pytest.raises(la.Unsupported, match=r"memory .* single image; .* device='cpu'"):
        CudaBatches(Device(holds=0).run, lambda: None)(pixels(8))


def test_a_runtime_for_gpus_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lookalike.embed.runtime.session.has_gpu", lambda: False)
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: offered)
    data = mean_colour().SerializeToString()
    assert OnnxSession(data, "colours", "auto").device == "cpu"
    with pytest.raises(la.Unsupported, match="driver knows no GPU"):
        OnnxSession(data, "colours", "cuda")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("device", ["auto", "cuda"])
@pytest.mark.parametrize("said", ["CUDA failure 2: out of memory", "CUDA failure 35: driver is insufficient"])
def test_a_gpu_that_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], device: str, said: str
) -> None:
    opened = onnxruntime.capi.onnxruntime_inference_collection.C.InferenceSession.initialize_session

    def initialize(session: object, providers: list[str], *rest: object) -> None:
        if "CUDAExecutionProvider" in providers:
            raise RuntimeError(said)
        opened(session, providers, *rest)

    monkeypatch.setattr("lookalike.embed.runtime.session.has_gpu", lambda: True)
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: offered)
    compiled = "onnxruntime.capi.onnxruntime_inference_collection.C"
    monkeypatch.setattr(f"{compiled}.get_available_providers", lambda: offered)
    monkeypatch.setattr(f"{compiled}.InferenceSession.initialize_session", initialize)
    if device == "auto":
        assert OnnxSession(mean_colour().SerializeToString(), "colours", "auto").device == "cpu"
    else:
        with pytest.raises(la.Unsupported, match=f"could not be started here: {said}"):
            OnnxSession(mean_colour().SerializeToString(), "colours", "cuda")
    damaged = mean_colour()
    damaged.graph.node[0].op_type = "Magic"
    with pytest.raises(la.ModelError, match=r"onnxruntime cannot load it: .*Magic"):
        OnnxSession(damaged.SerializeToString(), "colours", device)
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def full_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> la.ImageEmbedder:
    """A model that runs as if on a GPU, in an arena of onnxruntime's that holds 64 KiB and no more."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    limits = {"max_mem": 1 << 16, "arena_extend_strategy": 1}
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(limits))
    options = onnxruntime.SessionOptions

    def in_the_arena() -> onnxruntime.SessionOptions:
        made = options()
        made.add_session_config_entry("session.use_env_allocators", "1")
        return made

    monkeypatch.setattr("onnxruntime.SessionOptions", in_the_arena)
    model = la.ImageEmbedder(write_folder(tmp_path / "colours"), device="cpu", threads=3)
    model._tower._session.binds = True
    model._gpu = CudaBatches(model._tower, lambda: 1 << 40)
    return model


def test_an_arena_that_is_full_halves_the_batches(
    full_soon: la.ImageEmbedder, capfd: pytest.CaptureFixture[str]
) -> None:
    images = [flat((i % 256, i // 256, 0)) for i in range(512)]
    for batch_size in (None, 256):
        vectors = full_soon.embed(images, batch_size=batch_size)
        assert np.array_equal(np.rint(vectors[:, 0] + 256 * vectors[:, 1]), np.arange(512))
    assert full_soon._gpu is not None and full_soon._gpu.limit is not None
    assert 8 <= full_soon._gpu.limit < 256
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "said",
    [
        "CUDA failure 2: out of memory",
        "Failed to allocate memory for requested buffer",
        "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED",
    ],
)
def test_what_the_runtime_says_of_memory_is_understood(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    session = OnnxSession(mean_colour().SerializeToString(), "colours", "cpu")

    class Full:
        def run(self, outputs: object, inputs: object) -> None:
            raise RuntimeError(f"[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : {said} of size 99")

    monkeypatch.setattr(session, "_session", Full())
    with pytest.raises(DeviceMemoryError, match="colours"):
        session.run(np.zeros((1, 8, 8, 3), np.uint8), "colours")


@pytest.mark.parametrize("batch_size", [None, 1, 7, 400])
def test_order_is_kept(on_gpu: la.ImageEmbedder, batch_size: int | None) -> None:
    images = [flat((i % 256, i // 256, 0)) for i in range(301)]
    for source in (images, iter(images)):
        vectors = on_gpu.embed(source, batch_size=batch_size)
        assert np.array_equal(np.rint(vectors[:, 0] + 256 * vectors[:, 1]), np.arange(301))
    assert on_gpu.embed([]).shape == (0, 3)


def test_bad_images_are_named_and_skipped(on_gpu: la.ImageEmbedder, tmp_path: Path) -> None:
    images = [flat((1, 2, 3)), tmp_path / "missing.jpg", flat((4, 5, 6)), b""]
    assert on_gpu.embed(images, on_error="skip") == pytest.approx(np.array([[1, 2, 3], [4, 5, 6]]))
    assert [failure.position for failure in on_gpu.last_errors] == [1, 3]
    with pytest.raises(la.ImageError, match=r"missing\.jpg"):
        on_gpu.embed(images)
    assert threads_at_work() == 0
    assert on_gpu.embed([b""] * 40, on_error="skip").shape == (0, 3)


def test_a_device_that_fails_ends_the_stream(on_gpu: la.ImageEmbedder) -> None:
    def broken(squares: np.ndarray) -> np.ndarray:
        raise la.ModelError("the device fell off the bus")

    on_gpu._gpu = CudaBatches(broken, lambda: None)
    with pytest.raises(la.ModelError, match="fell off the bus"):
        on_gpu.embed([flat((1, 2, 3))] * 500)
    assert threads_at_work() == 0


@pytest.mark.timeout(60)
def test_an_endless_source_is_taken_a_few_batches_ahead(on_gpu: la.ImageEmbedder) -> None:
    last = 0

    def source() -> Iterator[np.ndarray]:
        nonlocal last
        while True:
            last += 1
            yield flat((1, 2, 3))

    stream = on_gpu.embed_stream(source(), batch_size=4)
    for position, _ in itertools.islice(stream, 200):
        assert last - position <= 5 * 4
    stream.close()
    assert threads_at_work() == 0


@pytest.mark.timeout(60)
def test_images_are_decoded_while_the_device_works() -> None:
    decoded, working = itertools.count(), threading.Event()
    seen_meanwhile = []
    count = 0

    def prepare(image: int) -> np.ndarray:
        nonlocal count
        count = next(decoded) + 1
        return np.full((1, 1, 3), image, np.uint8)

    def infer(squares: np.ndarray) -> np.ndarray:
        working.set()
        deadline = time.monotonic() + 20
        # The batch after this one is decoded before this one is done.
        while count < 2 * len(squares) and time.monotonic() < deadline:
            time.sleep(0.001)
        seen_meanwhile.append(count)
        return squares[:, 0, 0].astype(np.float32)

    found = list(cuda_stream(range(16), prepare, infer, lambda: 8, threads=2))
    assert [position for position, _ in found] == list(range(16))
    assert min(seen_meanwhile) == 16


def threads_at_work() -> int:
    return sum(thread.name.startswith("lookalike-embed") for thread in threading.enumerate())

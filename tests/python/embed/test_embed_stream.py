from __future__ import annotations

import itertools
import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_onnx import flat, write_folder

import lookalike as la

ROOT = Path(__file__).resolve().parents[3]
PHOTOS = sorted((ROOT / "examples" / "photos").glob("*.jpg"))


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "colours")


def images(count: int) -> Iterator[np.ndarray]:
    """Images whose red, by this model, is their number."""
    return (flat((i % 256, i // 256, 0)) for i in range(count))


def numbers(vectors: np.ndarray) -> np.ndarray:
    return np.rint(vectors[:, 0] + 256 * vectors[:, 1]).astype(int)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("batch_size", [1, 3, 64, None])
def test_order_is_kept(colours: Path, threads: int, batch_size: int | None) -> None:
    model = la.ImageEmbedder(colours, threads=threads)
    for source in (images(301), list(images(301))):
        assert np.array_equal(numbers(model.embed(source, batch_size=batch_size)), np.arange(301))


def test_photos_do_not_depend_on_batch_size_or_threads() -> None:
    some = PHOTOS[:13]
    expected = la.ImageEmbedder(threads=1, device="cpu").embed(some, batch_size=1)
    for threads, batch_size in [(1, 13), (2, 4), (3, 1)]:
        found = la.ImageEmbedder(threads=threads, device="cpu").embed(some, batch_size=batch_size)
        assert np.array_equal(found, expected)


def test_a_photo_alone_is_worked_on_by_all_threads() -> None:
    model, alone = (la.ImageEmbedder(threads=threads, device="cpu") for threads in (1, 2))
    for photo in PHOTOS[:3]:
        assert np.array_equal(alone.embed(photo), model.embed(photo))
    # The first call does without, so that a process that embeds one photo opens one session.
    assert model._single.wide is None and alone._single.wide is not None
    assert np.array_equal(alone.embed(PHOTOS[:9]), model.embed(PHOTOS[:9]))


def test_shapes(colours: Path) -> None:
    model = la.ImageEmbedder(colours)
    assert model.embed([]).shape == (0, 3)
    assert model.embed(iter([])).shape == (0, 3)
    assert model.embed(PHOTOS[0]).shape == (1, 3)
    assert model.embed(str(PHOTOS[0])).shape == (1, 3)
    assert model.embed(PHOTOS[0].read_bytes()).shape == (1, 3)
    assert model.embed(np.array([str(path) for path in PHOTOS[:3]])).shape == (3, 3)
    with Image.open(PHOTOS[0]) as image:
        assert model.embed(image).shape == (1, 3)
        assert model.embed([image] * 50, batch_size=1).shape == (50, 3)
    with pytest.raises(la.InvalidArgument, match="images is a int"):
        model.embed(7)


def test_raise_stops_at_the_first_bad_image(colours: Path, tmp_path: Path) -> None:
    model = la.ImageEmbedder(colours, threads=2)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(PHOTOS[0].read_bytes()[:2000])
    with pytest.raises(la.ImageError, match=r"broken\.jpg"):
        model.embed(itertools.chain(images(9), [broken], images(9), [tmp_path / "missing.jpg"]))
    with pytest.raises(la.ImageError, match=r"#9 \(ndarray\)"):
        model.embed(itertools.chain(images(9), [np.zeros((4, 4), np.float32)]))
    assert threads_at_work() == 0


def test_skip_goes_on_and_reports(colours: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = la.ImageEmbedder(colours, threads=2)
    missing = tmp_path / "missing.jpg"
    source = [*images(5), missing, *images(3), b"", np.zeros((2, 2), np.int32)]
    with caplog.at_level(logging.WARNING, "lookalike"):
        vectors = model.embed(source, on_error="skip")
    assert numbers(vectors).tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert [failure.position for failure in model.last_errors] == [5, 9, 10]
    assert str(missing) in model.last_errors[0].message
    assert "empty" in model.last_errors[1].message
    assert "int32" in model.last_errors[2].message
    assert len(caplog.records) == 3
    model.embed(images(2), on_error="skip")
    assert model.last_errors == []
    assert model.embed([missing] * 40, on_error="skip").shape == (0, 3)


def test_stream_yields_vectors_and_errors_in_order(colours: Path, tmp_path: Path) -> None:
    model = la.ImageEmbedder(colours, threads=2)
    found = list(model.embed_stream([*images(7), tmp_path / "missing.jpg", *images(2)]))
    assert [position for position, _ in found] == list(range(10))
    assert [position for position, result in found if isinstance(result, la.ImageError)] == [7]
    assert all(result.shape == (3,) for _, result in found if not isinstance(result, Exception))


def threads_at_work() -> int:
    return sum(thread.name.startswith("lookalike-embed") for thread in threading.enumerate())


@pytest.mark.timeout(60)
def test_an_endless_source_is_taken_a_few_batches_ahead(colours: Path) -> None:
    taken = itertools.count()
    last = 0

    def source() -> Iterator[np.ndarray]:
        nonlocal last
        while True:
            last = next(taken)
            yield flat((1, 2, 3))

    stream = la.ImageEmbedder(colours, threads=2).embed_stream(source(), batch_size=2)
    for position, _ in itertools.islice(stream, 500):
        assert last - position <= 2 * (2 * 2 + 2)
    assert threads_at_work() == 2
    stream.close()
    assert threads_at_work() == 0


def test_an_error_of_the_source_passes_through(colours: Path) -> None:
    def source() -> Iterator[np.ndarray]:
        yield from images(20)
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        la.ImageEmbedder(colours, threads=2).embed(source())
    assert threads_at_work() == 0


@pytest.mark.timeout(60)
def test_ctrl_c_stops_and_leaves_no_thread(colours: Path) -> None:
    def source() -> Iterator[np.ndarray]:
        for i in itertools.count():
            if i == 100:
                signal.raise_signal(signal.SIGINT)
            yield flat((1, 2, 3))

    model = la.ImageEmbedder(colours, threads=2)
    with pytest.raises(KeyboardInterrupt):
        model.embed(source())
    assert threads_at_work() == 0
    assert model.embed(images(3)).shape == (3, 3)


def test_one_model_serves_many_threads(colours: Path) -> None:
    model = la.ImageEmbedder(colours, threads=2)
    found: dict[int, np.ndarray] = {}

    def work(count: int) -> None:
        found[count] = numbers(model.embed(images(count)))

    workers = [threading.Thread(target=work, args=(count,)) for count in (50, 60, 70)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(np.array_equal(rows, np.arange(count)) for count, rows in found.items())
    assert len(found) == 3


def test_progress(colours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = la.ImageEmbedder(colours, threads=2)
    calls: list[tuple[int, int | None]] = []
    model.embed(list(images(5)), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(i, 5) for i in range(1, 6)]
    model.embed(list(images(5)), progress=True)
    assert "5/5" in capsys.readouterr().err
    with pytest.raises(la.InvalidArgument, match="no length"):
        model.embed(images(5), progress=True)
    with pytest.raises(la.Cancelled, match="3 images"):
        model.embed(images(9), progress=lambda done, total: done < 3)
    with pytest.raises(la.InvalidArgument, match="progress is 5"):
        model.embed(images(9), progress=5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"threads": 0},
        {"threads": -1},
        {"threads": 1.5},
        {"threads": True},
        {"max_pixels": 0},
        {"max_bytes": "1"},
    ],
)
def test_wrong_settings_are_named(colours: Path, arguments: dict[str, object]) -> None:
    (name,) = arguments
    with pytest.raises(la.InvalidArgument, match=f"{name} is .*it must be"):
        la.ImageEmbedder(colours, **arguments)
    with pytest.raises(la.InvalidArgument, match=f"{name} is .*it must be"):
        la.PixelEmbedder(**arguments)


def test_wrong_arguments_of_embed_are_named(colours: Path) -> None:
    for model in (la.ImageEmbedder(colours), la.PixelEmbedder(4)):
        with pytest.raises(la.InvalidArgument, match="batch_size is 0"):
            model.embed(images(1), batch_size=0)
        with pytest.raises(la.InvalidArgument, match="on_error is 'ignore'; it must be 'raise' or 'skip'"):
            model.embed(images(1), on_error="ignore")
    with pytest.raises(la.InvalidArgument, match="size is 0"):
        la.PixelEmbedder(0)


def test_threads_follow_the_process(colours: Path) -> None:
    assert la.ImageEmbedder(colours).threads == la.info().threads
    assert la.ImageEmbedder(colours, threads=3).threads == 3

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lookalike as la

# A picture with four different quarters: told apart in every orientation.
QUARTERS = np.array([[[250, 10, 10], [10, 250, 10]], [[20, 20, 90], [250, 250, 220]]], np.uint8)
UPRIGHT = QUARTERS.repeat(32, 0).repeat(32, 1)
# EXIF orientation -> what a camera stores for UPRIGHT [EXIF 2.3, tag 0x0112].
STORED = {
    1: UPRIGHT,
    2: UPRIGHT[:, ::-1],
    3: UPRIGHT[::-1, ::-1],
    4: UPRIGHT[::-1],
    5: UPRIGHT.transpose(1, 0, 2),
    6: UPRIGHT.transpose(1, 0, 2)[::-1],
    7: UPRIGHT.transpose(1, 0, 2)[::-1, ::-1],
    8: UPRIGHT.transpose(1, 0, 2)[:, ::-1],
}


def grey(image: object, size: int = 2) -> np.ndarray:
    """An image as size x size levels of grey."""
    return la.PixelEmbedder(size, threads=1).embed(image).reshape(size, size)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(orientation: int, format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = encoded(Image.fromarray(np.ascontiguousarray(STORED[orientation])), format, exif=exif)
    assert np.abs(grey(stored) - grey(UPRIGHT)).max() < 6
    if orientation > 1:
        assert np.abs(grey(np.ascontiguousarray(STORED[orientation])) - grey(UPRIGHT)).max() > 50


def test_orientation_of_a_pil_image_counts_and_the_image_is_left_alone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.open(io.BytesIO(encoded(Image.fromarray(STORED[6].copy()), "JPEG", exif=exif)))
    assert np.abs(grey(image) - grey(UPRIGHT)).max() < 6
    assert image.getexif()[0x0112] == 6
    assert image.size == (64, 64)


def test_broken_exif_is_no_reason_to_lose_a_photo() -> None:
    broken = encoded(Image.fromarray(UPRIGHT), "JPEG", exif=b"Exif\0\0garbage" * 3)
    assert np.abs(grey(broken) - grey(UPRIGHT)).max() < 6


def test_modes_agree() -> None:
    rgb = Image.fromarray(UPRIGHT)
    expected = grey(rgb)
    for mode in ("RGBA", "RGBX", "CMYK", "YCbCr", "P", "HSV", "RGBa"):
        image = rgb.convert("RGBA").convert("RGBa") if mode == "RGBa" else rgb.convert(mode)
        assert np.abs(grey(image) - expected).max() < 4, mode
    light = rgb.convert("L")
    for mode in ("L", "LA", "PA", "I", "F"):
        image = light.convert("LA").convert("PA") if mode == "PA" else light.convert(mode)
        if mode == "I":
            image = Image.fromarray(np.asarray(light).astype(np.int32) * 257)
        assert np.abs(grey(image) - expected).max() < 2, mode


def test_cmyk_jpeg() -> None:
    image = Image.fromarray(UPRIGHT).convert("CMYK")
    assert np.abs(grey(encoded(image, "JPEG", quality=95)) - grey(UPRIGHT)).max() < 6


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    for format in ("PNG", "TIFF"):
        found = grey(encoded(Image.fromarray(ramp), format), 8)
        assert np.abs(found - grey((ramp // 257).astype(np.uint8), 8)).max() <= 1, format
    big_endian = b"P5 64 64 65535\n" + ramp.astype(">u2").tobytes()
    assert np.abs(grey(big_endian, 8) - grey((ramp // 257).astype(np.uint8), 8)).max() <= 1


def test_floating_point_images() -> None:
    ramp = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    expected = grey((ramp * 255).astype(np.uint8), 8)
    assert np.abs(grey(Image.fromarray(ramp), 8) - expected).max() <= 1
    assert np.abs(grey(Image.fromarray(ramp * 255), 8) - expected).max() <= 1
    ramp[3, 3] = np.nan
    with pytest.raises(la.ImageError, match="NaN"):
        grey(Image.fromarray(ramp))


def test_alpha_lies_over_white() -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    half = Image.new("RGBA", (20, 20), (0, 0, 0, 128))
    assert grey(clear) == pytest.approx(255)
    assert grey(half) == pytest.approx(127, abs=1)
    assert grey(clear.convert("RGBa")) == pytest.approx(255)
    assert grey(clear.convert("LA")) == pytest.approx(255)
    palette = Image.new("P", (20, 20), 0)
    palette.putpalette([0, 0, 0, 10, 10, 10])
    assert grey(encoded(palette, "PNG", transparency=0)) == pytest.approx(255)
    assert grey(encoded(palette, "PNG")) == pytest.approx(0)


def test_bilevel() -> None:
    image = Image.fromarray(np.tile([[0, 255]], (8, 4)).astype(np.uint8)).convert("1")
    assert grey(image).mean() == pytest.approx(127.5, abs=1)


def test_gif_is_its_first_frame() -> None:
    frames = [Image.new("L", (16, 16), level) for level in (40, 200)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert grey(data) == pytest.approx(40, abs=1)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_formats_and_every_way_to_pass_them(format: str, tmp_path: Path) -> None:
    light = Image.fromarray(UPRIGHT).convert("L").convert("RGB")
    data = encoded(light, format)
    path = tmp_path / "photo"
    path.write_bytes(data)
    with Image.open(path) as image:
        found = la.PixelEmbedder(2).embed([str(path), path, data, bytearray(data), memoryview(data), image])
    assert np.abs(found - grey(light).ravel()).max() < 4
    assert np.array_equal(found[:5], found[:1].repeat(5, 0))


def test_large_jpeg_is_decoded_at_reduced_scale_and_looks_the_same() -> None:
    random = np.random.default_rng(0)
    detail = Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).resize(
        (1600, 1200), Image.Resampling.BICUBIC
    )
    assert np.abs(grey(encoded(detail, "JPEG", quality=95), 16) - grey(detail, 16)).max() < 8


def test_arrays() -> None:
    light = np.asarray(Image.fromarray(UPRIGHT).convert("L"))
    rgb = light[:, :, None].repeat(3, 2)
    opaque = np.concatenate([rgb, np.full((64, 64, 1), 255, np.uint8)], 2)
    for array in (light, light[:, :, None], rgb, opaque, np.asfortranarray(rgb), rgb[::-1][::-1]):
        assert np.array_equal(grey(array), grey(light))
    assert la.PixelEmbedder(2).embed(np.stack([rgb, rgb])).shape == (2, 4)


@pytest.mark.parametrize(
    ("array", "needed"),
    [
        (np.zeros((4, 4, 3), np.float32), "uint8"),
        (np.zeros((4, 4), np.uint16), "uint8"),
        (np.zeros((3, 40, 40), np.uint8), "transpose"),
        (np.zeros((4, 4, 2), np.uint8), "1, 3 or 4"),
        (np.zeros((0, 4, 3), np.uint8), "no pixels"),
    ],
)
def test_wrong_arrays_say_what_was_needed(array: np.ndarray, needed: str) -> None:
    with pytest.raises(la.ImageError, match=needed) as caught:
        grey(array)
    assert str(array.shape) in str(caught.value)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 3000), (3000, 1), (2, 5)])
def test_odd_shapes(width: int, height: int) -> None:
    image = np.full((height, width, 3), 90, np.uint8)
    assert grey(image) == pytest.approx(90)
    assert np.isfinite(la.ImageEmbedder(threads=1, device="cpu").embed(image)).all()


def broken_files(folder: Path) -> dict[str, tuple[Path, str]]:
    jpeg = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)), "JPEG")
    png = encoded(Image.fromarray(UPRIGHT), "PNG")
    contents = {
        "empty": (b"", "empty"),
        "text": (b"this is no image at all\n" * 10, "not an image"),
        "zeros": (bytes(4096), "not an image"),
        "truncated-jpeg": (jpeg[: len(jpeg) // 2], "cannot be decoded"),
        "header-jpeg": (jpeg[:20], "decoded|not an image"),
        "truncated-png": (png[: len(png) // 2], "cannot be decoded"),
        "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not an image"),
    }
    found = {}
    for name, (data, message) in contents.items():
        (folder / name).write_bytes(data)
        found[name] = folder / name, message
    (folder / "a-folder").mkdir()
    os.mkfifo(folder / "a-pipe")
    (folder / "a-dangling-link").symlink_to(folder / "nowhere")
    found["folder"] = folder / "a-folder", "is a folder"
    found["pipe"] = folder / "a-pipe", "not a regular file"
    found["link"] = folder / "a-dangling-link", "does not exist"
    found["missing"] = folder / "missing.jpg", "does not exist"
    return found


@pytest.mark.timeout(60)
def test_broken_files_are_errors_that_name_the_file(tmp_path: Path) -> None:
    for name, (path, message) in broken_files(tmp_path).items():
        with pytest.raises(la.ImageError, match=message) as caught:
            grey(path)
        assert str(path) in str(caught.value), name
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("thing", [None, 3, 2.5, {"a": 1}, object()])
def test_things_that_are_no_images(thing: object) -> None:
    with pytest.raises(la.InvalidArgument, match=f"{type(thing).__name__}|#0"):
        la.PixelEmbedder(2).embed([thing])


def test_path_with_a_null_byte() -> None:
    with pytest.raises(la.ImageError, match="cannot be read"):
        grey("a\0b.jpg")


def huge_png(width: int, height: int) -> bytes:
    """A PNG whose header promises width x height pixels and whose data are a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("default")
def test_pixel_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(la.ImageError, match="pixels"):
        grey(huge_png(60_000, 60_000))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(la.ImageError, match="3,600,000,000 pixels; the limit is 178,956,970"):
        grey(huge_png(60_000, 60_000))
    small = la.PixelEmbedder(2, max_pixels=64 * 64)
    assert small.embed(UPRIGHT).shape == (1, 4)
    wide = np.zeros((64, 65, 3), np.uint8)
    for image in (wide, Image.fromarray(wide), encoded(Image.fromarray(wide), "PNG")):
        with pytest.raises(la.ImageError, match="4,096"):
            small.embed(image)


def test_byte_cap(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(UPRIGHT), "BMP")
    path = tmp_path / "photo.bmp"
    path.write_bytes(data)
    model = la.PixelEmbedder(2, max_bytes=len(data) - 1)
    for image in (path, data):
        with pytest.raises(la.ImageError, match="max_bytes"):
            model.embed(image)
    assert la.PixelEmbedder(2, max_bytes=len(data)).embed([path, data]).shape == (2, 4)

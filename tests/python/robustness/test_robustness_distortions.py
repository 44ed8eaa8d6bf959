"""What photos are put through."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PIL")
from lookalike.robustness import DISTORTIONS, Distortion
from lookalike.robustness.distortions import (
    blur,
    brighten,
    crop,
    darken,
    enlarge,
    jpeg,
    rotate,
    shift,
    shrink,
)

every = pytest.mark.parametrize("distortion", DISTORTIONS, ids=lambda distortion: distortion.name)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def grey(rows: list[list[int]]) -> np.ndarray:
    return np.repeat(np.array(rows, np.uint8)[:, :, None], 3, axis=2)


@every
def test_no_strength_changes_nothing(distortion: Distortion) -> None:
    for photo in (noise(31, 48), noise(48, 31), noise(1, 1)):
        assert np.array_equal(distortion.apply(photo, 0.0), photo)


@every
def test_a_photo_stays_a_photo(distortion: Distortion) -> None:
    for photo in (noise(40, 60), noise(61, 40), noise(1, 1), noise(1, 40), noise(50, 2)):
        before = photo.copy()
        photo.flags.writeable = False
        for strength in distortion.strengths:
            bent = distortion.apply(photo, strength)
            assert bent.dtype == np.uint8
            assert bent.shape == photo.shape or distortion.apply is crop
            assert bent.ndim == 3 and bent.shape[2] == 3 and bent.size > 0
            assert np.array_equal(bent, distortion.apply(before, strength))
    assert np.array_equal(photo, before)


@every
def test_the_stronger_the_farther(distortion: Distortion) -> None:
    from PIL import Image

    # Smooth, so that a little further is a little different; for a half turn nothing is far enough.
    photo = np.asarray(Image.fromarray(noise(5, 7)).resize((90, 64), Image.Resampling.BICUBIC))
    errors = []
    for strength in distortion.strengths:
        bent = Image.fromarray(distortion.apply(photo, strength)).resize((90, 64))
        errors.append(np.abs(np.asarray(bent, float) - photo).mean())
    assert errors[-1] > 0.5
    upto = 3 if distortion.apply in (rotate, shift) else 4
    assert errors[:upto] == sorted(errors[:upto])


def test_labels_say_how_strong() -> None:
    labels = {d.name: [d.label(strength) for strength in (0.0, *d.strengths)] for d in DISTORTIONS}
    assert labels["shift"] == ["0 %", "5 %", "10 %", "20 %", "30 %"]
    assert labels["rotate"][:2] == ["0°", "10°"]
    assert labels["blur"][1] == "0.5 %"
    assert labels["jpeg"] == ["none", "q 50", "q 25", "q 10", "q 5"]
    assert len(labels) == len(DISTORTIONS)


def test_a_shift_goes_right_and_down_and_mirrors_what_it_uncovers() -> None:
    photo = grey([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert shift(photo, 0.5)[:, :, 0].tolist() == [[2, 1, 1, 2], [2, 1, 1, 2]]
    assert shift(photo, 0.25)[:, :, 1].tolist() == [[1, 1, 2, 3], [5, 5, 6, 7]]  # half a pixel down is none


def test_enlarging_keeps_the_centre_and_shrinking_adds_the_mean() -> None:
    photo = grey([[0] * 40] * 10 + [[0] * 10 + [200] * 20 + [0] * 10] * 20 + [[0] * 40] * 10)
    assert (enlarge(photo, 1.0)[4:36, 4:36] == 200).all()
    small = shrink(photo, 0.5)
    assert (small[:10] == 50).all() and (small[30:] == 50).all() and (small[:, :10] == 50).all()
    assert (small[18:22, 18:22] == 200).all() and (small[11, 11:29] < 20).all()


def test_a_crop_keeps_the_upper_left() -> None:
    photo = noise(10, 20)
    assert np.array_equal(crop(photo, 0.3), photo[:7, :14])


@pytest.mark.parametrize("side", [16, 17])
def test_quarter_and_half_turns_are_exact(side: int) -> None:
    photo = noise(side, side)
    assert np.array_equal(rotate(photo, 90), np.rot90(photo))
    assert np.array_equal(rotate(photo, 180), photo[::-1, ::-1])
    wide = noise(16, 32)
    assert np.array_equal(rotate(wide, 180), wide[::-1, ::-1])
    assert np.array_equal(rotate(wide, 90)[:, 8:24], np.rot90(wide[:, 8:24]))
    # Beside it, the photo goes on as its mirror image.
    assert np.array_equal(rotate(wide, 90)[:, 7::-1], rotate(wide, 90)[:, 8:16])


def test_light_is_multiplied_and_cut_off() -> None:
    photo = grey([[0, 10, 101, 255]])
    assert darken(photo, 0.5)[0, :, 0].tolist() == [0, 5, 50, 128]
    assert brighten(photo, 1.0)[0, :, 0].tolist() == [0, 20, 202, 255]


def test_blur_spreads_a_point_as_far_as_it_says() -> None:
    photo = np.zeros((101, 151, 3), np.uint8)
    photo[50, 75] = 255
    spread = blur(photo, 0.02)[:, :, 0].astype(float)
    column = spread.sum(axis=0)
    deviation = np.sqrt((column * (np.arange(151) - 75) ** 2).sum() / column.sum())
    assert deviation == pytest.approx(0.02 * 101, rel=0.15)


def test_jpeg_loses_more_the_less_it_keeps() -> None:
    photo = noise(64, 64)
    errors = [np.abs(jpeg(photo, loss).astype(float) - photo).mean() for loss in (5, 50, 95)]
    assert 0 < errors[0] < errors[1] < errors[2]

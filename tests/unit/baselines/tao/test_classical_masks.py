"""The mask of one object: evidence in, mask out."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from baselines.tao.frame_views import FrameView
from baselines.tao.segmentation.classical import evidence_of
from baselines.tao.segmentation.object_masks import Evidence, MaskSettings, object_mask
from vadbench import UsageError


def evidence(*rectangles, level=60.0, speed=2.0, size=(60, 80)):
    """Objects of an even difference and speed on nothing; each rectangle is x1, y1, x2, y2."""
    grey, difference, moving = np.full(size, 80, np.uint8), np.zeros(size, np.float32), np.zeros(size, np.float32)
    for x1, y1, x2, y2 in rectangles:
        grey[y1:y2, x1:x2] = 180
        difference[y1:y2, x1:x2] = level
        moving[y1:y2, x1:x2] = speed
    return Evidence(grey, difference, moving)


def filled(x1, y1, x2, y2, size=(60, 80)):
    mask = np.zeros(size, dtype=bool)
    mask[y1:y2, x1:x2] = True
    return mask


PLAIN = MaskSettings(margin=0.0, closing=0.0)
BOTH = pytest.mark.parametrize("iterations", [0, 1, 3])


@BOTH
def test_the_mask_of_a_rectangle(iterations):
    found = object_mask(evidence((30, 20, 50, 44)), np.array([28, 18, 52, 46.0]), replace(PLAIN, iterations=iterations))
    np.testing.assert_array_equal(found, filled(30, 20, 50, 44))


@BOTH
@pytest.mark.parametrize(
    "box", [(0, 0, 20, 20), (60, 0, 80, 24), (0, 40, 24, 60), (60, 36, 80, 60), (30, 0, 50, 60), (0, 20, 80, 40)]
)
def test_boxes_at_the_border(iterations, box):
    found = object_mask(evidence(box), np.array(box, dtype=float), MaskSettings(iterations=iterations))
    np.testing.assert_array_equal(found, filled(*box))


@BOTH
def test_a_box_without_foreground_has_no_mask(iterations):
    settings = replace(PLAIN, iterations=iterations)
    box = np.array([10, 10, 30, 30.0])
    assert not object_mask(evidence(), box, settings).any()
    # Foreground beside the box is another's.
    assert not object_mask(evidence((32, 10, 50, 30)), box, settings).any()
    # Just below the level of foreground.
    assert not object_mask(evidence((12, 12, 28, 28), level=9.99), box, settings).any()


@BOTH
@pytest.mark.parametrize("rectangle", [(0, 0, 80, 60), (20, 10, 60, 50)])
def test_a_box_that_covers_the_frame(iterations, rectangle):
    found = object_mask(evidence(rectangle), np.array([0, 0, 80, 60.0]), replace(PLAIN, iterations=iterations))
    np.testing.assert_array_equal(found, filled(*rectangle))


def test_the_mask_stays_in_the_box_and_its_margin():
    wide = evidence((10, 10, 70, 50))
    box = np.array([30, 20, 50, 40.0])
    np.testing.assert_array_equal(object_mask(wide, box, replace(PLAIN, iterations=0)), filled(30, 20, 50, 40))
    margin = replace(PLAIN, iterations=0, margin=0.1)
    np.testing.assert_array_equal(object_mask(wide, box, margin), filled(28, 18, 52, 42))
    # A margin may be wider than the ring that the background is learned from, but the mask not.
    assert object_mask(wide, box, replace(margin, margin=1.0)).sum() == 40 * 40


def test_slow_pixels_and_small_parts_are_left_out():
    made = evidence((20, 10, 40, 50))
    made.speed[40:50] *= 0.2
    box = np.array([18, 8, 60, 52.0])
    settings = replace(PLAIN, iterations=0)
    np.testing.assert_array_equal(object_mask(made, box, settings), filled(20, 10, 40, 40))
    assert object_mask(made, box, replace(settings, moving=0.0)).sum() == 20 * 40
    # 30 x 20 = 600, and parts of 100 (less than a fifth) and 200 pixels.
    parts = evidence((20, 10, 40, 40), (45, 10, 55, 20))
    np.testing.assert_array_equal(object_mask(parts, box, settings), filled(20, 10, 40, 40))
    larger = evidence((20, 10, 40, 40), (45, 10, 55, 30))
    assert object_mask(larger, box, settings).sum() == 800
    assert object_mask(parts, box, replace(settings, least_part=0.0)).sum() == 700


def test_holes_and_gaps_are_filled():
    made = evidence((20, 10, 50, 50))
    for array in (made.difference, made.speed):
        array[20:24, 30:34] = 0
        array[28:30, 20:50] = 0
    box = np.array([20, 10, 50, 50.0])
    settings = replace(PLAIN, iterations=0)
    open_gap = object_mask(made, box, settings)
    assert open_gap[20:24, 30:34].all()
    assert not open_gap[28:30].any()
    # sqrt(30 * 40) * 0.05 = 1.7, so a radius of 2.
    np.testing.assert_array_equal(object_mask(made, box, replace(settings, closing=0.05)), filled(20, 10, 50, 50))


def noisy(seed=4):
    """Weak evidence in patches, so that GrabCut's clusters depend on where they begin."""
    rng = np.random.default_rng(seed)

    def patches(size):
        coarse = rng.normal(0, size, (8, 10)).astype(np.float32)
        return cv2.resize(coarse, (80, 60), interpolation=cv2.INTER_CUBIC)

    inside = filled(24, 14, 52, 46).astype(float)
    grey = 110 + 20 * inside + patches(40) + rng.normal(0, 15, inside.shape)
    difference = 9 * inside + patches(5) + rng.normal(0, 3, inside.shape)
    speed = inside + patches(0.6) + rng.normal(0, 0.4, inside.shape)
    clipped = np.clip(grey, 0, 255).astype(np.uint8)
    return Evidence(clipped, np.abs(difference).astype(np.float32), np.abs(speed).astype(np.float32))


def masks_after_other_randomness(made):
    found = []
    for seed in (1, 99, 12345, 7):
        REAL_SEED(seed)
        found.append(object_mask(made, np.array([20, 10, 56, 50.0]), MaskSettings()).tobytes())
    return found


REAL_SEED = cv2.setRNGSeed


def test_masks_do_not_depend_on_the_state_of_randomness(monkeypatch):
    made = noisy()
    assert len(set(masks_after_other_randomness(made))) == 1
    # Without a seed of its own they would.
    monkeypatch.setattr(cv2, "setRNGSeed", lambda seed: None)
    assert len(set(masks_after_other_randomness(made))) > 1


def test_the_objects_own_speed_is_that_of_its_fast_tenth():
    made = evidence((20, 10, 40, 30))
    # 19 of 400 pixels of the box jump, fewer than a tenth: they do not make the others slow.
    made.speed[10, 20:39] = 100.0
    box = np.array([20, 10, 40, 30.0])
    assert object_mask(made, box, replace(PLAIN, iterations=0)).sum() == 400
    # 60 do.
    made.speed[10:13, 20:40] = 100.0
    np.testing.assert_array_equal(object_mask(made, box, replace(PLAIN, iterations=0)), filled(20, 10, 40, 13))


def test_evidence_is_not_changed():
    made = noisy()
    copies = [array.copy() for array in (made.grey, made.difference, made.speed)]
    object_mask(made, np.array([20, 10, 56, 50.0]), MaskSettings())
    for array, copy in zip((made.grey, made.difference, made.speed), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_evidence_of_a_view():
    background = np.full((20, 30), 50, np.float32)
    grey = np.full((20, 30), 57, np.uint8)
    grey[5:10, 5:10] = 27
    flow = np.zeros((20, 30, 2), np.float32)
    flow[..., 0] = 3.0
    found = evidence_of(FrameView(0, np.stack([grey] * 3, -1), grey, lambda: flow), background)
    # The frame as a whole is 7 brighter: that is the light.
    assert found.difference[15, 20] == 0
    assert found.difference[7, 7] == 30
    # A quarter, a half and a quarter of the neighbours.
    assert found.difference[7, 5] == pytest.approx(22.5)
    assert found.difference[7, 4] == pytest.approx(7.5)
    np.testing.assert_array_equal(found.speed, 3.0)
    np.testing.assert_array_equal(found.grey, grey)


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin": -0.1},
        {"margin": 1.01},
        {"foreground": float("nan")},
        {"moving": -1},
        {"iterations": -1},
        {"least_part": 2},
        {"closing": -1},
        {"closing": 1e9},
    ],
)
def test_wrong_settings_of_masks(wrong):
    with pytest.raises(UsageError) as caught:
        MaskSettings(**wrong)
    assert caught.value.code == "B222"
    assert next(iter(wrong)) in caught.value.message

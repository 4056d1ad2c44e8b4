"""Objects as what differs from the background: on scenes made here, whose boxes are known."""

import sys
import tracemalloc
from dataclasses import replace

import cv2
import numpy as np
import pytest

from baselines.tao.detection import components
from baselines.tao.detection.background import BackgroundDetector
from baselines.tao.detection.background_models import MedianModel, background_model, prepared, spread_frames
from baselines.tao.detection.components import UsualBox, object_boxes
from baselines.tao.detection.detector import Part
from baselines.tao.detection.settings import (
    BackgroundDetectionSettings,
    DetectionSettings,
    Subtractor,
    make_detector,
)
from vadbench import Clip, DataError, UsageError
from vadbench.boxes import intersection_over_union

SETTINGS = BackgroundDetectionSettings()
HEIGHT, WIDTH = 96, 160
PERSON = UsualBox.guessed(250)
"""Usually 15 x 30 pixels."""


def scene(frames, walkers, seed=0, light=0.0):
    """Frames of a noisy street with dark ellipses of about 8 x 16 pixels; `walkers` gives left edge and speed."""
    rng = np.random.default_rng(seed)
    street = np.linspace(100, 160, WIDTH)[None].repeat(HEIGHT, axis=0)
    images, boxes = [], {}
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    for t in range(frames):
        image = street + rng.normal(0, 2, street.shape) + light
        boxes[t] = []
        for number, (left, speed) in enumerate(walkers):
            x, y = left + speed * t, 20 + 24.0 * number
            if -4 < x < WIDTH - 4:
                image[((columns - x - 4) / 4) ** 2 + ((rows - y - 8) / 8) ** 2 < 1] = 30 + light
                boxes[t].append([max(x, 0), y, min(x + 8, WIDTH), y + 16])
        images.append(np.clip(image, 0, 255).astype(np.uint8))
    return images, boxes


def clip_of(images, clip_id="01"):
    return Clip(clip_id, len(images), *images[0].shape[:2], lambda: iter(images))


@pytest.fixture(scope="module")
def training():
    return [
        clip_of(scene(40, [(-10.0 * n, 4), (170 - 9.0 * n, -4), (-50.0, 5)], seed=n)[0], f"0{n}") for n in range(1, 4)
    ]


def fitted(training, **changes):
    return BackgroundDetector.fit(replace(SETTINGS, **changes), "street", training)


def ellipses(*centres, width=14, height=28, shape=(100, 160)):
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.zeros(shape, dtype=bool)
    for x, y in centres:
        inside |= ((columns - x) / (width / 2)) ** 2 + ((rows - y) / (height / 2)) ** 2 < 1
    return inside.astype(np.uint8)


# Components


def test_a_single_object_has_its_extremal_box():
    assert object_boxes(ellipses((40, 50)), PERSON, SETTINGS).tolist() == [[33, 36, 47, 64]]


def test_no_foreground_no_boxes():
    assert object_boxes(np.zeros((50, 60), np.uint8), PERSON, SETTINGS).shape == (0, 4)


def test_specks_are_left_out():
    speck = np.zeros((50, 60), np.uint8)
    speck[10:16, 10:20] = 1
    assert len(object_boxes(speck, PERSON, replace(SETTINGS, least_area=0.14))) == 0  # 60 of 450 pixels
    assert len(object_boxes(speck, PERSON, replace(SETTINGS, least_area=0.13))) == 1


def test_gaps_in_a_body_are_closed():
    body = ellipses((40, 50))
    body[49:53] = 0
    assert len(object_boxes(body, PERSON, SETTINGS)) == 1
    assert len(object_boxes(body, PERSON, replace(SETTINGS, gap_width=0.0, gap_height=0.0))) == 2


def test_two_who_walk_side_by_side_are_two():
    pair = ellipses((40, 50), (51, 50))
    assert object_boxes(pair, PERSON, SETTINGS, split=False).tolist() == [[33, 36, 58, 64]]
    found = object_boxes(pair, PERSON, SETTINGS)
    assert len(found) == 2
    assert intersection_over_union(found, [[33, 36, 47, 64], [44, 36, 58, 64]]).min() > 0.7


def test_one_behind_the_other_are_two():
    found = object_boxes(ellipses((40, 38), (44, 60)), PERSON, SETTINGS)
    assert len(found) == 2
    assert intersection_over_union(found, [[33, 24, 47, 52], [37, 46, 51, 74]]).min() > 0.6


def test_a_large_round_body_stays_whole():
    cart = ellipses((80, 50), width=60, height=60)
    assert object_boxes(cart, PERSON, SETTINGS).tolist() == [[50, 20, 110, 80]]


def noise(height, width, share, seed):
    return (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8)


def literal_parts(component, usual_width, usual_height, settings):
    """Distances of every pixel to every middle at once, and pieces of masks of the size of the group."""
    scale = np.array([components._UNIT / usual_width, components._UNIT / usual_height])
    middles = components._middles(component, *scale, settings)
    rows, columns = np.nonzero(component)
    if len(middles) < 2:
        return [(rows, columns)]
    places = (np.stack([columns, rows], axis=1) + 0.5) * scale
    nearest = ((places[:, None] - middles[None]) ** 2).sum(axis=2).argmin(axis=1)
    parts = []
    for number in np.unique(nearest):
        mask = np.zeros(component.shape, np.uint8)
        mask[rows[nearest == number], columns[nearest == number]] = 1
        _, pieces, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        parts.append(np.nonzero(pieces == 1 + statistics[1:, cv2.CC_STAT_AREA].argmax()))
    return parts


def test_groups_are_split_as_by_a_literal_loop(monkeypatch):
    """On noise, whose parts have many pieces, equal ones among them."""
    several = 0
    for seed in range(20):
        foreground = noise(80 + seed, 140 - seed, 0.05 + 0.012 * seed, seed)
        found = object_boxes(foreground, UsualBox.guessed(70), SETTINGS)
        with monkeypatch.context() as patch:
            patch.setattr(components, "_parts", literal_parts)
            expected = object_boxes(foreground, UsualBox.guessed(70), SETTINGS)
        assert found.tolist() == expected.tolist()
        several += len(found) > 20
    assert several > 10


def test_of_equal_pieces_it_is_the_one_that_is_first_in_the_whole_group():
    rows, columns = np.array([1, 2]), np.array([5, 1])
    whole = np.zeros((8, 8), np.uint8)
    whole[rows, columns] = 1
    first = np.argwhere(cv2.connectedComponentsWithStats(whole, connectivity=8)[1] == 1)
    assert np.stack(components._largest_piece(rows, columns), axis=1).tolist() == first.tolist() == [[1, 5]]


def test_a_noisy_frame_takes_little_memory():
    foreground = noise(240, 428, 0.08, 0)
    tracemalloc.start()
    try:
        found = object_boxes(foreground, UsualBox.guessed(240), SETTINGS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found) > 100
    assert peak < 500 * foreground.size


def test_boxes_come_from_top_to_bottom():
    found = object_boxes(ellipses((120, 70), (40, 30), (20, 70)), PERSON, SETTINGS)
    assert found[:, :2].tolist() == [[33, 16], [13, 56], [113, 56]]


def test_usual_boxes_are_learned_by_place_and_guessed_where_there_are_few():
    near, far = [50, 120, 70, 160], [10, 20, 20, 40]
    usual = UsualBox.of_boxes([np.array([near, far], dtype=float)] * 50, 200)
    assert usual.aspect == 0.5
    assert usual.size(near) == pytest.approx((20, 40))
    assert usual.size(far) == pytest.approx((10, 20))
    assert UsualBox.of_boxes([np.array([near], dtype=float)], 200) == UsualBox.guessed(200)
    assert UsualBox.of_boxes([], 200) == UsualBox.guessed(200)


# Models of the background


def test_the_median_and_its_spread_by_hand():
    frames = np.array([10, 12, 14, 90, 8], dtype=np.uint8).reshape(5, 1, 1)
    model = MedianModel(frames, SETTINGS)
    assert model.background.tolist() == [[12]]
    assert model.spread[0, 0] == pytest.approx(1.4826 * 2)  # deviations 2, 0, 2, 78, 4


def test_foreground_is_more_than_threshold_and_spread_away():
    frames = np.full((3, 9, 9), 100, dtype=np.uint8)
    find = MedianModel(frames, replace(SETTINGS, threshold=15.0, light_window=0.0)).start()
    frame = frames[0].copy()
    frame[4, 2:5] = [115, 116, 84]
    assert np.argwhere(find(frame)).tolist() == [[4, 3], [4, 4]]


def test_light_that_changes_is_no_foreground():
    frames = np.full((3, 60, 60), 100, dtype=np.uint8)
    find = MedianModel(frames, SETTINGS).start()
    assert not find(frames[0] + np.uint8(60)).any()
    # A third of the frame gets lighter by 12; an object there is 24 darker than that, 12 darker than the background.
    lit = frames[0].copy()
    lit[:, 40:] += 12
    lit[20:30, 48:52] -= 24
    assert np.argwhere(find(lit)).tolist() == [[y, x] for y in range(20, 30) for x in range(48, 52)]
    assert not MedianModel(frames, replace(SETTINGS, light_window=0.0)).start()(lit).any()


@pytest.mark.parametrize("subtractor", list(Subtractor))
def test_a_model_gives_the_same_whatever_it_has_looked_at(subtractor, training):
    frames = spread_frames(training, 30)
    model = background_model(frames, replace(SETTINGS, subtractor=subtractor))
    images = [prepared(image) for image in scene(12, [(20.0, 3), (90, -2)], seed=9)[0]]
    first = [model.start()(image) for image in images[:1]]
    find = model.start()
    again = [find(image) for image in images]
    assert first[0].any()
    assert (first[0] == again[0]).all()
    once_more = model.start()
    assert all((once_more(image) == mask).all() for image, mask in zip(images, again, strict=True))


def test_frames_are_spread_over_the_clips():
    clips = [clip_of([np.full((8, 8), 10 * c + t, np.uint8) for t in range(4)]) for c in range(3)]
    done = []
    kept = spread_frames(clips, 4, lambda: done.append(1))
    assert kept[:, 0, 0].tolist() == [0, 10, 13, 23]  # frames 0, 4, 7 and 11 of all twelve
    assert len(done) == 3
    assert len(spread_frames(clips, 99)) == 12


def test_a_frame_of_another_size_is_named():
    images = [np.zeros((8, 8), np.uint8), np.zeros((8, 9), np.uint8)]
    with pytest.raises(DataError) as error:
        spread_frames([clip_of(images, "03")], 5)
    assert error.value.code == "B210"
    assert error.value.where == ("clip 03", "frame 1")


# The detector


@pytest.mark.parametrize("subtractor", list(Subtractor))
def test_walkers_are_found_where_they_are(subtractor, training):
    images, boxes = scene(30, [(10.0, 4), (140, -3), (60, 1)], seed=8)
    found = fitted(training, subtractor=subtractor).detect(clip_of(images), Part.TEST)
    hits = misses = 0
    for frame, truth in boxes.items():
        overlaps = intersection_over_union(np.array(truth)[:, None], found.boxes[found.rows(frame)][None])
        hits += int((overlaps.max(axis=1, initial=0) > 0.5).sum())
        misses += int((overlaps.max(axis=1, initial=0) <= 0.5).sum())
    assert hits >= 0.95 * (hits + misses)
    assert len(found) <= 1.05 * (hits + misses)


def test_who_stands_still_is_found(training):
    clip = clip_of(scene(20, [(60.0, 0)], seed=7)[0])
    assert len(fitted(training).detect(clip, Part.TEST)) == 20


def unread(clip_id, height, width):
    def read():
        raise AssertionError("the clip was looked at")

    return Clip(clip_id, 3, height, width, read)


def test_a_clip_of_a_view_without_training_clips_is_refused_and_not_learned_from(training):
    with pytest.raises(DataError) as error:
        fitted(training).detect(unread("07", HEIGHT, 120), Part.TEST)
    assert error.value.code == "B217"
    assert error.value.where == ("clip 07",)
    assert "96 x 120 pixels" in error.value.expected
    assert "96 x 160 pixels" in error.value.got
    assert "--detector boxes-csv" in error.value.hint
    camera = BackgroundDetector.fit(SETTINGS, "shanghaitech", [replace(training[0], id="01_001")])
    with pytest.raises(DataError) as other_camera:
        camera.detect(unread("02_0003", HEIGHT, WIDTH), Part.TEST)
    assert "camera 02" in other_camera.value.expected
    assert "camera 01" in other_camera.value.got


def test_without_training_clips_every_clip_is_refused():
    with pytest.raises(DataError) as error:
        fitted([]).detect(unread("07", HEIGHT, WIDTH), Part.TEST)
    assert (error.value.code, error.value.where) == ("B217", ("clip 07",))
    assert "there are none" in error.value.got


def test_cameras_have_their_own_background():
    dark = [clip_of([np.full((40, 60), 20, np.uint8)] * 3, "01_001")]
    light = [clip_of([np.full((40, 60), 200, np.uint8)] * 3, "02_001")]
    detector = BackgroundDetector.fit(SETTINGS, "shanghaitech", dark + light)
    assert sorted(camera for camera, *_ in detector.models) == ["01", "02"]


def test_the_order_of_clips_does_not_matter(training):
    clips = [clip_of(scene(10, [(10.0 * n, 4), (90, -3)], seed=n)[0], str(n)) for n in (4, 5)]
    detector = fitted(training)
    forwards = [detector.detect(clip, Part.TEST).to_csv() for clip in clips]
    again = fitted(training)
    assert forwards == [again.detect(clip, Part.TEST).to_csv() for clip in clips[::-1]][::-1]


def test_colour_is_looked_at_in_grey(training):
    images = scene(6, [(10.0, 4)], seed=3)[0]
    colour = [np.repeat(image[..., None], 3, axis=2) for image in images]
    detector = fitted(training)
    assert detector.detect(clip_of(colour), Part.TEST).to_csv() == detector.detect(clip_of(images), Part.TEST).to_csv()


def test_a_clip_of_one_frame(training):
    images = scene(1, [(60.0, 0)], seed=2)[0]
    assert len(fitted(training).detect(clip_of(images), Part.TEST)) == 1


def test_progress_of_fitting_and_detecting(training):
    steps, frames = [], []
    detector = BackgroundDetector.fit(SETTINGS, "street", training, lambda *step: steps.append(step[1:]))
    detector.detect(training[0], Part.TRAINING, frames.append)
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert frames == list(range(1, 41))


def test_the_detector_of_a_data_set_is_made_of_its_training_clips(small):
    detector = make_detector(DetectionSettings(), small)
    assert isinstance(detector, BackgroundDetector)
    found = detector.detect(small.clips[0], Part.TEST)
    assert len(found) > 0
    size = [small.clips[0].width, small.clips[0].height]
    assert (found.boxes >= 0).all()
    assert (found.boxes <= size * 2).all()


def test_without_opencv_it_says_how_to_install_it(training, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UsageError) as error:
        fitted(training)
    assert error.value.code == "B203"

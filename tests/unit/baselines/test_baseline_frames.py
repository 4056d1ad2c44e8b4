"""Smoothing, differences and the background response on sequences small enough to do by hand."""

import numpy as np
import pytest

from baselines.simple.background import PlaceModel, foreground_response, median_background
from baselines.simple.frame_difference import frame_differences
from baselines.simple.frames import grey, smoothed_in_space, smoothed_in_time
from vadbench import Clip


def clip_of(frames, clip_id="01"):
    frames = np.asarray(frames, dtype=np.uint8)
    return Clip(clip_id, *frames.shape[:3], frame_reader=lambda: iter(frames))


def test_grey_weights_add_up_to_the_same_white():
    colour = np.array([[[255, 255, 255], [255, 0, 0], [0, 255, 0]]], dtype=np.uint8)
    assert grey(colour) == pytest.approx(np.array([[255, 76.245, 149.685]]))
    plain = np.array([[7, 200]], dtype=np.uint8)
    assert grey(plain).dtype == np.float32
    assert grey(plain).tolist() == [[7.0, 200.0]]


def test_differences_of_a_moving_pixel():
    frames = np.zeros((4, 1, 4), dtype=np.float32)
    for index in range(4):
        frames[index, 0, index] = 9.0
    maps = np.stack(list(frame_differences(frames)))
    assert maps.shape == frames.shape
    assert maps[0].tolist() == maps[1].tolist() == [[9, 9, 0, 0]]
    assert maps[3].tolist() == [[0, 0, 9, 9]]


@pytest.mark.parametrize("n_frames", [0, 1, 2])
def test_every_frame_of_a_short_clip_gets_a_map(n_frames):
    frames = [np.full((2, 3), index, dtype=np.float32) for index in range(n_frames)]
    maps = list(smoothed_in_time(frame_differences(frames), 3))
    assert len(maps) == n_frames
    if n_frames == 1:
        assert not maps[0].any()


@pytest.mark.parametrize("reach", [0, 1, 2, 9])
@pytest.mark.parametrize("n_frames", [1, 2, 5, 8])
def test_smoothing_in_time_is_a_centred_mean(reach, n_frames):
    maps = np.random.default_rng(0).random((n_frames, 3, 2)).astype(np.float32)
    expected = [maps[max(t - reach, 0) : t + reach + 1].mean(axis=0) for t in range(n_frames)]
    assert np.stack(list(smoothed_in_time(maps, reach))) == pytest.approx(np.stack(expected), abs=1e-6)


def test_smoothing_in_time_holds_only_its_window():
    alive = 0

    def maps():
        nonlocal alive
        for index in range(50):
            alive += 1
            yield np.full((1, 1), index, dtype=np.float32)

    smoothed = smoothed_in_time(maps(), 2)
    next(smoothed)
    assert alive == 3


def test_smoothing_in_space_has_the_asked_for_width_and_keeps_the_sum():
    impulse = np.zeros((101, 101), dtype=np.float32)
    impulse[50, 50] = 1.0
    response = smoothed_in_space(impulse, 0.06).astype(np.float64)
    distance = np.arange(101) - 50
    # The width of a moving mean is a whole number, so a third of a pixel is as near as it gets.
    assert np.sqrt((response.sum(axis=0) * distance**2).sum()) == pytest.approx(6.06, abs=0.5)
    assert response.sum() == pytest.approx(1.0, abs=1e-5)
    assert response == pytest.approx(response[::-1, ::-1], abs=1e-7)


def test_smoothing_in_space_leaves_a_constant_and_a_tiny_sigma_alone():
    constant = np.full((20, 30), 5.0, dtype=np.float32)
    assert smoothed_in_space(constant, 0.2) == pytest.approx(constant)
    noise = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    assert smoothed_in_space(noise, 0.01) is noise


def test_background_is_the_median_over_the_clips():
    still = np.full((3, 2, 2), 50)
    crossed = still.copy()
    crossed[1] = 200
    assert median_background([clip_of(still), clip_of(crossed)], 6).tolist() == [[50, 50], [50, 50]]


def test_background_takes_frames_spread_over_all_clips():
    clips = [clip_of(np.full((10, 1, 1), level)) for level in (10, 20, 30)]
    # The first, the middle and the last of thirty frames.
    assert median_background(clips, 3).tolist() == [[20]]


def test_response_ignores_a_change_of_brightness_of_the_whole_frame():
    background = np.random.default_rng(1).integers(50, 150, (6, 7)).astype(np.float32)
    frame = background + 12.0
    frame[2, 3] += 40.0
    response = foreground_response(frame, background)
    assert response[2, 3] == pytest.approx(40.0)
    assert np.delete(response.ravel(), 2 * 7 + 3) == pytest.approx(0.0)


def test_the_same_response_scores_higher_where_it_is_rare():
    busy_and_calm = PlaceModel(np.zeros((1, 2)), np.array([[20.0, 2.0]]), np.array([[10.0, 4.0]]))
    scores = busy_and_calm.scores(np.array([[22.0, 22.0]]))
    assert scores.tolist() == [[0.2, 5.0]]

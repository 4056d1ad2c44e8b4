"""Frames of a clip by number: each decoded as seldom as may be."""

import numpy as np
import pytest

from baselines.tao.clip_frames import ClipFrames, as_rgb
from vadbench import Clip, DataError


def counted_clip(frames, stored=None, broken_at=None):
    """A clip whose frames hold their number, and the list of frames that were decoded."""
    decoded = []

    def read():
        for number in range(frames if stored is None else stored):
            decoded.append(number)
            if number == broken_at:
                raise DataError("D999", "unreadable")
            yield np.full((2, 3), number, dtype=np.uint8)

    return Clip("01", frames, 2, 3, read), decoded


def test_frames_forwards_are_decoded_once():
    clip, decoded = counted_clip(6)
    frames = ClipFrames(clip, kept=2)
    assert len(frames) == 6
    assert [int(frame[0, 0, 0]) for frame in frames] == list(range(6))
    assert frames[0].shape == (2, 3, 3)
    assert decoded == [*range(6), 0]


def test_kept_frames_are_not_decoded_again():
    clip, decoded = counted_clip(6)
    frames = ClipFrames(clip, kept=2)
    for number in (0, 1, 0, 2, 0, 2):
        assert frames[number][0, 0, 0] == number
    assert decoded == [0, 1, 2]
    # 1 was used longest ago, so it is no longer kept, and the clip starts again.
    assert frames[1][0, 0, 0] == 1
    assert decoded == [0, 1, 2, 0, 1]


def test_frames_that_are_skipped_are_passed_by():
    clip, decoded = counted_clip(6)
    frames = ClipFrames(clip)
    assert frames[4][0, 0, 0] == 4
    assert frames[2][0, 0, 0] == 2
    assert decoded == [0, 1, 2, 3, 4, 0, 1, 2]


@pytest.mark.parametrize("number", [-1, 6])
def test_frames_that_are_not_there(number):
    frames = ClipFrames(counted_clip(6)[0])
    with pytest.raises(IndexError):
        frames[number]


def test_a_clip_that_ends_early_is_named_each_time():
    frames = ClipFrames(counted_clip(6, stored=4)[0])
    for _ in range(2):
        with pytest.raises(DataError) as error:
            frames[5]
        assert error.value.code == "B202"
        assert error.value.where == ("clip 01",)
        assert error.value.got == "4"
    assert frames[3][0, 0, 0] == 3


def test_an_unreadable_frame_is_said_to_be_so_each_time():
    frames = ClipFrames(counted_clip(6, broken_at=2)[0])
    for _ in range(2):
        with pytest.raises(DataError) as error:
            frames[4]
        assert error.value.code == "D999"
    assert frames[1][0, 0, 0] == 1


def test_grey_becomes_three_equal_channels_and_colour_stays():
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    image = as_rgb(grey)
    assert image.shape == (2, 3, 3)
    assert image.flags.c_contiguous
    assert (image == grey[..., None]).all()
    colour = np.zeros((2, 3, 3), dtype=np.uint8)
    assert as_rgb(colour) is colour

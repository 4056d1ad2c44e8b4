"""Frames that are not what their clip says."""

import numpy as np
import pytest

from baselines.tao.frame_views import checked_frames, frame_views
from vadbench import Clip, DataError


def clip_of(frames, said=None):
    return Clip("05", said or len(frames), 24, 32, lambda: iter(frames))


def noise(n_frames, *size):
    return list(np.random.default_rng(3).integers(0, 255, (n_frames, *size), dtype=np.uint8))


READERS = pytest.mark.parametrize(
    "read",
    [checked_frames, lambda clip: frame_views(clip, with_flow=True), lambda clip: frame_views(clip, with_flow=False)],
)


@READERS
@pytest.mark.parametrize("other", [(24, 33), (23, 32), (24, 33, 3), (32, 24)])
def test_a_frame_of_another_size_is_named(read, other):
    frames = [*noise(3, 24, 32), *noise(1, *other), *noise(2, 24, 32)]
    with pytest.raises(DataError) as caught:
        list(read(clip_of(frames)))
    error = caught.value
    assert (error.code, error.where) == ("B210", ("clip 05", "frame 3"))
    assert (error.expected, error.got) == ("24 x 32 pixels", f"{other[0]} x {other[1]}")


@READERS
@pytest.mark.parametrize("there", [0, 1, 4])
def test_a_clip_with_fewer_frames_than_it_says(read, there):
    with pytest.raises(DataError) as caught:
        list(read(clip_of(noise(there, 24, 32), said=5)))
    error = caught.value
    assert (error.code, error.where) == ("B202", ("clip 05",))
    assert (error.expected, error.got) == ("5 frames", str(there))


@READERS
def test_all_frames_of_a_right_clip(read):
    assert len(list(read(clip_of(noise(4, 24, 32, 3))))) == 4


def test_frames_are_given_unchanged():
    frames = noise(3, 24, 32)
    assert all(one is other for one, other in zip(checked_frames(clip_of(frames)), frames, strict=True))

"""Boxes between prompts, worked out by hand."""

import numpy as np
import pytest

from baselines.tao.box_table import BoxTable
from baselines.tao.segmentation.paths import CurrentPaths, ObjectPath, paths_of


@pytest.fixture
def path():
    boxes = np.array([[0, 0, 10, 10], [20, 10, 40, 30], [20, 10, 40, 30.0]])
    return ObjectPath(3, np.array([2, 6, 17]), boxes, longest_gap=10)


@pytest.mark.parametrize(
    ("frame", "box"),
    [
        (0, None),
        (1, None),
        (2, [0, 0, 10, 10]),
        (3, [5, 2.5, 17.5, 15]),
        (4, [10, 5, 25, 20]),
        (5, [15, 7.5, 32.5, 25]),
        (6, [20, 10, 40, 30]),
        # 11 frames to the next prompt, one more than the longest gap.
        (7, None),
        (12, None),
        (16, None),
        (17, [20, 10, 40, 30]),
        (18, None),
    ],
)
def test_boxes_lie_on_straight_lines(path, frame, box):
    found = path.box(frame)
    assert (found is None) == (box is None)
    if box is not None:
        np.testing.assert_allclose(found, box)


@pytest.mark.parametrize(("longest_gap", "is_followed"), [(0, False), (3, False), (4, True)])
def test_the_longest_gap(path, longest_gap, is_followed):
    followed = ObjectPath(3, path.frames, path.boxes, longest_gap)
    assert (followed.box(4) is not None) == is_followed
    assert followed.box(6) is not None


def test_paths_of_prompts():
    frames = [1, 1, 1, 4, 4, 4]
    boxes = np.arange(6)[:, None] + np.array([[0, 0, 10, 10.0]])
    prompts = BoxTable(frames, boxes, labels=[7, 2, 7, 2, 7, 5], prompts=[True] * 6)
    two, five, seven = paths_of(prompts, 10)
    assert [path.label for path in (two, five, seven)] == [2, 5, 7]
    np.testing.assert_array_equal(two.frames, [1, 4])
    np.testing.assert_array_equal(two.boxes[:, 0], [1, 3])
    # Of two prompts of an object in a frame the first counts.
    np.testing.assert_array_equal(seven.frames, [1, 4])
    np.testing.assert_array_equal(seven.boxes[:, 0], [0, 4])
    np.testing.assert_array_equal(five.frames, [4])
    assert {path.longest_gap for path in (two, five, seven)} == {10}


def test_without_labels_all_are_one_object_and_without_prompts_there_is_none():
    (only,) = paths_of(BoxTable([0, 3], [[0, 0, 1, 1], [0, 0, 2, 2]]), 10)
    assert only.label == 0
    assert paths_of(BoxTable.empty(), 10) == []


def from_to(label, first, last):
    return ObjectPath(label, np.array([first, last]), np.zeros((2, 4)), longest_gap=10)


@pytest.mark.parametrize("follow", [0, 2])
def test_current_paths_are_those_from_the_first_prompt_until_some_frames_after_the_last(follow):
    paths = [from_to(1, 6, 8), from_to(2, 0, 0), from_to(5, 3, 9), from_to(7, 3, 4), from_to(9, 0, 30)]
    current = CurrentPaths(paths, follow)
    for frame in range(40):
        expected = [path for path in paths if path.frames[0] <= frame <= path.frames[1] + follow]
        assert current.at(frame) == expected


def test_frames_may_be_left_out():
    current = CurrentPaths([from_to(1, 2, 4), from_to(0, 5, 20), from_to(2, 9, 12)], 3)
    assert [path.label for path in current.at(10)] == [0, 2]
    assert current.at(24) == []

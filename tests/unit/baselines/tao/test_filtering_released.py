"""The filtering of the released program, rule by rule as tao.md describes it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.tao.box_table import NO_LABEL, BoxTable
from baselines.tao.filtering import RELEASED, filter_boxes

FAR = replace(RELEASED, distance=0.0)
"""Nearness by overlap, or by equal centres."""


def walking(frames, left=10.0, speed=1.0):
    return {t: [[left + speed * t, 10.0, left + speed * t + 10.0, 30.0]] for t in frames}


def labels_of(boxes, settings=RELEASED, frames=100):
    return filter_boxes(BoxTable.of_frames(boxes), settings, frames).labels.tolist()


def test_centres_twenty_pixels_apart_are_near_without_overlap():
    assert labels_of({0: [[0, 0, 10, 10]], 1: [[20, 0, 30, 10]]}) == [0, 0]
    assert labels_of({0: [[0, 0, 10, 10]], 1: [[21, 0, 31, 10]]}) == [NO_LABEL, NO_LABEL]


def test_an_overlap_of_exactly_h_is_near():
    boxes = {0: [[0, 0, 10, 10]], 1: [[0, 0, 10, 5]]}
    assert labels_of(boxes, replace(FAR, overlap=0.5)) == [0, 0]
    assert labels_of(boxes, replace(FAR, overlap=0.51)) == [NO_LABEL, NO_LABEL]


def test_coordinates_are_cut_to_whole_numbers():
    # Centres 20.9 pixels apart, 20 once both are cut.
    assert labels_of({0: [[0, 0, 10, 10]], 1: [[20.9, 0, 30.9, 10]]}) == [0, 0]


def test_a_box_that_is_cut_to_nothing_is_near_by_its_centre_only():
    assert labels_of({0: [[0.1, 0.1, 0.9, 0.9]], 1: [[0, 0, 1, 1]]}) == [0, 0]
    assert labels_of({0: [[0.1, 0.1, 0.9, 0.9]], 1: [[0, 0, 1, 1]]}, FAR) == [NO_LABEL, NO_LABEL]


def test_one_frame_ahead_is_enough_in_the_first_frame_with_boxes():
    assert labels_of(walking([3, 8])) == [0, 0]
    assert labels_of(walking([3, 9])) == [NO_LABEL, NO_LABEL]


def test_later_births_need_m_frames_ahead():
    first = {0: [[200, 0, 210, 10]]}
    assert labels_of({**first, **walking(range(20, 24))}) == [NO_LABEL, 0, 0, 0, 0]
    assert labels_of({**first, **walking(range(20, 23))}) == [NO_LABEL] * 4


def test_one_match_in_the_window_is_enough_to_inherit():
    assert labels_of(walking([0, 1, 6])) == [0, 0, 0]
    assert labels_of(walking([0, 1, 7])) == [0, 0, NO_LABEL]


def test_the_oldest_frame_of_the_window_goes_first():
    left, right = [0, 0, 10, 10], [100, 0, 110, 10]
    between = [[85, 0, 95, 10]]
    # Label 0 is born left, 1 right; then 0 is seen to walk until it is near to the box between as well.
    boxes = {0: [left, right], 1: [[20, 0, 30, 10]], 2: [[40, 0, 50, 10]], 3: [[60, 0, 70, 10]], 4: [[78, 0, 88, 10]]}
    done = labels_of({**boxes, 5: between})
    assert done[:2] == [0, 1]
    assert done[2:6] == [0, 0, 0, 0]
    assert done[-1] == 1


def test_a_label_is_used_once_in_a_frame():
    boxes = {**walking(range(5)), 5: [[15, 10, 25, 30], [17, 10, 27, 30]]}
    assert labels_of(boxes) == [0] * 6 + [NO_LABEL]


def test_the_first_box_as_given_takes_the_label():
    swapped = {**walking(range(5)), 5: [[17, 10, 27, 30], [15, 10, 25, 30]]}
    done = filter_boxes(BoxTable.of_frames(swapped), RELEASED, 100)
    assert done.labels.tolist() == [0] * 6 + [NO_LABEL]
    assert done.boxes[5, 0] == 17


def test_an_unlabelled_near_box_ends_the_search_in_its_frame():
    # In frame 6 the second box is not labelled (label 0 is taken, nothing ahead of it when it is looked at).
    start = walking(range(6), speed=0.0)
    crowd = {6: [[10, 10, 20, 30], [12, 10, 22, 30]]}
    # Eight frames later only frame 6 is in the window: the labelled box comes first there, or the unlabelled one.
    late = {11: [[11, 10, 21, 30]]}
    assert labels_of({**start, **crowd, **late})[-1] == 0
    # Now the box without label stands first in its frame: it is born of nothing, because its neighbours are far off.
    blocked = {6: [[30, 10, 40, 30], [10, 10, 20, 30]]}
    near_both = {11: [[20, 10, 30, 30]]}
    narrow = replace(RELEASED, distance=15.0)
    assert labels_of({**start, **blocked}, narrow)[-2:] == [NO_LABEL, 0]
    assert labels_of({**start, **blocked, **near_both}, narrow)[-1] == NO_LABEL
    swapped = {6: blocked[6][::-1]}
    assert labels_of({**start, **swapped, **near_both}, narrow)[-1] == 0


def test_labels_are_kept_by_coordinates_without_the_frame():
    # Frame 40 shows a box that is dropped where an object was labelled long ago; frame 42 inherits from it.
    boxes = {**walking(range(4), speed=0.0), 40: [[10, 10, 20, 30]], 42: [[11, 10, 21, 30]]}
    assert labels_of(boxes) == [0] * 4 + [NO_LABEL, 0]
    moved = {**boxes, 40: [[11, 10, 21, 30]]}
    assert labels_of(moved) == [0] * 4 + [NO_LABEL, NO_LABEL]


def test_births_and_every_l_th_frame_are_prompts():
    done = filter_boxes(BoxTable.of_frames(walking(range(3, 12))), RELEASED, 100)
    assert done.frames[done.prompts].tolist() == [3, 5, 10]


def test_no_matches_needed_means_that_nothing_is_dropped():
    boxes = {0: [[0, 0, 10, 10]], 9: [[0, 0, 10, 10]], 11: [[5, 0, 15, 10], [100, 0, 110, 10]]}
    assert labels_of(boxes, replace(RELEASED, matches=0)) == [0, 1, 1, 2]


def test_a_clip_without_boxes_has_no_labels():
    assert filter_boxes(BoxTable.empty(), RELEASED, 5).labels.tolist() == []


def loops(table, settings):
    """The description read as nested loops."""
    label, keyed, births, first = {}, {}, [], True
    cut = [tuple(int(v) for v in box) for box in table.boxes.tolist()]
    frames = table.frames.tolist()

    def near(a, b):
        centre = [((c[0] + c[2]) / 2, (c[1] + c[3]) / 2) for c in (a, b)]
        far = ((centre[0][0] - centre[1][0]) ** 2 + (centre[0][1] - centre[1][1]) ** 2) ** 0.5
        width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        shared = max(width, 0) * max(height, 0)
        union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
        return far <= settings.distance or shared / union >= settings.overlap

    def inherited(row, used):
        for past in range(frames[row] - settings.window, frames[row]):
            for other in [r for r in range(len(cut)) if frames[r] == past]:
                if near(cut[row], cut[other]):
                    if cut[other] not in keyed:
                        break
                    if keyed[cut[other]] not in used:
                        return keyed[cut[other]]
        return None

    for t in sorted(set(frames)):
        used = set()
        here = [row for row in range(len(cut)) if frames[row] == t]
        for row in here:
            label[row] = inherited(row, used)
            if label[row] is None:
                later = {frames[r] for r in range(len(cut)) if t < frames[r] <= t + settings.window}
                later = [f for f in later if any(frames[r] == f and near(cut[row], cut[r]) for r in range(len(cut)))]
                if len(later) >= (min(1, settings.matches) if first else settings.matches):
                    births.append(row)
                    label[row] = len(births) - 1
            used.add(label[row])
        keyed.update({cut[row]: label[row] for row in here if label[row] is not None})
        first = False
    saved = [r for r, found in label.items() if found is not None and frames[r] % settings.save_interval == 0]
    return [NO_LABEL if label[r] is None else label[r] for r in range(len(cut))], sorted({*births, *saved})


@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.sampled_from([1.0, 2.0, 4.0]))
@pytest.mark.parametrize("overlap", [1 / 3, 0.5])
def test_the_loops_of_the_description_give_the_same(overlap, seed, matches, distance):
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 12, size=(4, 2))
    boxes = {}
    for frame in range(12):
        corners = [start + rng.uniform(0, 3, 2) for start in starts if rng.random() < 0.7]
        boxes[frame] = np.array([[x, y, x + rng.integers(3, 7), y + 5] for x, y in corners]).reshape(-1, 4)
    table = BoxTable.of_frames(boxes)
    settings = replace(RELEASED, matches=matches, distance=distance, overlap=overlap)
    done = filter_boxes(table, settings, 12)
    labels, prompts = loops(table, settings)
    assert done.labels.tolist() == labels
    assert np.flatnonzero(done.prompts).tolist() == prompts

"""Boxes above the threshold, and overlapping ones made one."""

import numpy as np
import pytest

from baselines.tao.box_table import BoxTable
from baselines.tao.filtering import Reading, keep_anomalous, merge_boxes
from vadbench import UsageError
from vadbench.boxes import intersection_over_union


def scored(boxes, scores, **attributes):
    return BoxTable.of_frames(boxes).with_scores(np.array(scores, dtype=float), attributes)


def rows(table):
    return list(zip(table.frames.tolist(), table.boxes.tolist(), table.scores.tolist(), strict=True))


def test_a_score_equal_to_the_threshold_is_not_above_it():
    table = scored({0: [[0, 0, 1, 1], [1, 0, 2, 1]], 2: [[0, 0, 1, 1]]}, [1.5, 1.6, 2.0], speed=[1.0, 2.0, 3.0])
    kept = keep_anomalous(table, 1.5)
    assert kept.scores.tolist() == [1.6, 2.0]
    assert kept.attributes["speed"].tolist() == [2.0, 3.0]
    assert len(keep_anomalous(table, -np.inf)) == 3


def test_boxes_without_scores_are_refused():
    with pytest.raises(UsageError) as error:
        keep_anomalous(BoxTable.of_frames({0: [[0, 0, 1, 1]]}), 1.0)
    assert error.value.code == "B215"
    assert len(keep_anomalous(BoxTable.empty(), 1.0)) == 0


def test_a_threshold_that_is_no_number_is_refused():
    with pytest.raises(UsageError) as error:
        keep_anomalous(BoxTable.empty(), float("nan"))
    assert error.value.code == "B213"


def test_overlapping_boxes_of_a_frame_become_one_with_the_higher_score_and_its_attributes():
    table = scored(
        {0: [[0, 0, 10, 10], [5, 5, 15, 15], [40, 0, 50, 10]], 1: [[5, 5, 15, 15]]},
        [1, 3, 2, 4],
        speed=[0.5, 2.0, 1.0, 3.0],
        deep=[0.5, 1.0, 1.0, 1.0],
    )
    merged = merge_boxes(table)
    assert rows(merged) == [(0, [0, 0, 15, 15], 3), (0, [40, 0, 50, 10], 2), (1, [5, 5, 15, 15], 4)]
    assert merged.attributes["speed"].tolist() == [2.0, 1.0, 3.0]
    assert merged.attributes["deep"].tolist() == [1.0, 1.0, 1.0]


def test_chains_of_overlaps_become_one_and_touching_boxes_stay():
    table = scored({0: [[0, 0, 10, 10], [18, 0, 28, 10], [8, 0, 20, 10], [28, 0, 30, 10]]}, [1, 2, 3, 4])
    assert rows(merge_boxes(table)) == [(0, [0, 0, 28, 10], 3), (0, [28, 0, 30, 10], 4)]


def test_random_boxes_end_without_overlap_and_their_order_does_not_matter():
    rng = np.random.default_rng(1)
    corner = rng.uniform(0, 100, (30, 2))
    boxes = np.hstack([corner, corner + rng.uniform(5, 15, (30, 2))])
    scores = rng.random(30)
    attributes = {"speed": scores / 2, "deep": scores - scores / 2}
    mixed = rng.permutation(30)
    merged = merge_boxes(scored({3: boxes}, scores, **attributes))
    again = merge_boxes(scored({3: boxes[mixed]}, scores[mixed], **{n: v[mixed] for n, v in attributes.items()}))
    assert merged.to_csv() == again.to_csv()
    assert np.count_nonzero(intersection_over_union(merged.boxes[:, None], merged.boxes[None])) == len(merged) < 30
    assert (merged.attributes["speed"] + merged.attributes["deep"]).tolist() == merged.scores.tolist()


def test_the_released_merge_goes_once_through_the_boxes():
    a, b, c = [0, 0, 10, 10], [18, 0, 28, 10], [10, 0, 19, 10]
    # c touches a, the first merged box, and joins it alone, although the two are one with b then.
    merged = merge_boxes(scored({0: [a, b, c]}, [1, 3, 8], speed=[1, 3, 8]), Reading.RELEASED)
    assert rows(merged) == [(0, [0, 0, 19, 10], 2), (0, b, 3)]
    assert merged.attributes == {}
    # The other way round everything is joined: b touches c, then a touches what they are.
    assert rows(merge_boxes(scored({0: [c, b, a]}, [8, 3, 1]), Reading.RELEASED)) == [(0, [0, 0, 28, 10], 5.5)]


def test_the_released_merge_gives_every_merged_box_the_mean_of_the_first_two_of_the_frame():
    boxes = [[0, 0, 5, 5], [20, 0, 25, 5], [40, 0, 50, 10], [45, 0, 55, 10]]
    merged = merge_boxes(scored({7: boxes}, [1, 2, 8, 9]), Reading.RELEASED)
    assert rows(merged) == [(7, boxes[0], 1), (7, boxes[1], 2), (7, [40, 0, 55, 10], 1.5)]


@pytest.mark.parametrize("reading", list(Reading))
def test_no_boxes_stay_no_boxes(reading):
    assert len(merge_boxes(BoxTable.empty(), reading)) == 0

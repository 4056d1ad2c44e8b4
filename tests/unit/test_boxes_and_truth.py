"""Boxes, tracks, masks and predictions at their edges, and the errors they raise."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from vadbench import DataError, Detections, Instances, Prediction, Track, Truth
from vadbench.boxes import boxes_from_masks, intersection_over_union, merge_overlapping
from vadbench.masks import MaskRuns
from vadbench.prediction import PredictionKind, ScoreMapArray
from vadbench.truth import tracks_from_masks

ONE = np.ones((1, 3, 4), dtype=bool)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0),
        ((0, 0, 2, 2), (2, 0, 4, 2), 0.0),  # they touch
        ((0, 0, 2, 2), (1, 1, 3, 3), 1 / 7),
        ((0, 0, 4, 4), (1, 1, 2, 2), 1 / 16),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),  # both empty
        ((0.5, 0, 1.5, 1), (0, 0, 1, 1), 1 / 3),
        ((-2, -2, 0, 0), (-1, -1, 1, 1), 1 / 7),
        ((0, 0, 1, 10), (0, 0, 1, 1), 0.1),  # exactly the standard threshold
    ],
)
def test_iou(first: tuple, second: tuple, expected: float) -> None:
    for a, b in ((first, second), (second, first)):
        assert intersection_over_union(a, b) == expected
    assert intersection_over_union([first] * 3, second).tolist() == [expected] * 3


def test_iou_of_unsigned_boxes_does_not_wrap() -> None:
    far = np.array([[0, 0, 2, 2], [200, 200, 250, 250]], dtype=np.uint8)
    assert intersection_over_union(far[0], far[1]) == 0


def test_box_of_a_mask_counts_any_value_and_separate_parts() -> None:
    mask = np.zeros((2, 4, 5))
    mask[0, 3, 4] = -0.5
    mask[1, 0, 0] = mask[1, 2, 3] = 255
    assert boxes_from_masks(mask).tolist() == [[4, 3, 5, 4], [0, 0, 4, 3]]
    assert boxes_from_masks(np.zeros((0, 4, 5))).shape == (0, 4)


def test_merging_runs_on_through_a_chain_and_keeps_what_touches() -> None:
    chain = [[2, 0, 4, 2], [0, 0, 2, 2], [1, 0, 3, 2], [4, 0, 5, 2]]
    merged, scores = merge_overlapping(chain, [1, 5, 2, 9])
    assert merged.tolist() == [[0, 0, 4, 2], [4, 0, 5, 2]]
    assert scores.tolist() == [5, 9]
    none, no_scores = merge_overlapping(np.zeros((0, 4)), [])
    assert (none.shape, no_scores.shape) == ((0, 4), (0,))


def from_masks(**changes: object) -> Instances:
    arguments = {"frames": [0], "masks": ONE, "scores": [1.0], "height": 3, "width": 4} | changes
    return Instances.from_masks(arguments.pop("frames"), arguments.pop("masks"), arguments.pop("scores"), **arguments)


WRONG: dict[str, tuple[str, Callable[[], object]]] = {
    "masks not 3-d": ("D310", lambda: boxes_from_masks(np.ones((3, 4)))),
    "empty mask": ("D311", lambda: boxes_from_masks(np.zeros((1, 3, 4)))),
    "track without regions": ("D301", lambda: Track("a", [], np.zeros((0, 4)))),
    "track with too few boxes": ("D301", lambda: Track("a", [0, 1], [[0, 0, 1, 1]])),
    "track not in order": ("D302", lambda: Track("a", [1, 0], [[0, 0, 1, 1]] * 2)),
    "track with a frame twice": ("D302", lambda: Track("a", [1, 1], [[0, 0, 1, 1]] * 2)),
    "track before the clip": ("D302", lambda: Track("a", [-1], [[0, 0, 1, 1]])),
    "region without area": ("D303", lambda: Track("a", [0], [[2, 0, 2, 1]])),
    "region not finite": ("D303", lambda: Track("a", [0], [[0, 0, np.inf, 1]])),
    "truth of nothing": ("D304", Truth.from_arrays),
    "truth of another shape": ("D304", lambda: Truth.from_arrays(ONE, shape=(2, 3, 4))),
    "mask of one frame": ("D304", lambda: Truth.from_arrays(ONE[0])),
    "too few labels": ("D305", lambda: Truth.from_arrays(ONE, labels=[1, 0])),
    "masks that are not there": ("D306", lambda: Truth.from_arrays(shape=(1, 3, 4)).masks()),
    "detections of unequal length": ("D320", lambda: Detections([0, 1], [[0, 0, 1, 1]], [1.0])),
    "NaN score": ("D321", lambda: Detections([0], [[0, 0, 1, 1]], [np.nan])),
    "infinite box": ("D321", lambda: Detections([0], [[0, 0, np.inf, 1]], [1.0])),
    "box without area": ("D322", lambda: Detections([0], [[3, 3, 3, 5]], [1.0])),
    "empty instance": ("D330", lambda: from_masks(masks=~ONE)),
    "instance of another size": ("D330", lambda: from_masks(width=5)),
    "too few scores": ("D330", lambda: from_masks(scores=[])),
    "instances not in order of frame": ("D330", lambda: from_masks(frames=[1, 0], masks=[*ONE, *ONE], scores=[1, 2])),
    "maps of one frame": ("D340", lambda: ScoreMapArray(np.zeros((3, 4)))),
    "complex maps": ("D340", lambda: Prediction(score_maps=np.zeros((1, 3, 4), dtype=complex))),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name: str) -> None:
    code, make = WRONG[name]
    with pytest.raises(DataError) as caught:
        make()
    assert caught.value.code == code
    assert caught.value.message
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301  - our own bytes


def test_the_place_of_a_wrong_row_is_named() -> None:
    with pytest.raises(DataError) as caught:
        Detections([4, 7], [[0, 0, 1, 1]] * 2, [1.0, np.inf])
    assert "row 1" in str(caught.value)
    assert "frame 7" in str(caught.value)


def test_labels_come_from_the_masks_unless_given() -> None:
    masks = np.concatenate([ONE, ~ONE])
    assert Truth.from_arrays(masks).labels.tolist() == [True, False]
    assert Truth.from_arrays(masks, labels=[0, 2]).labels.tolist() == [False, True]
    assert Truth.from_arrays(shape=(2, 3, 4)).labels is None


def test_given_tracks_come_first_even_if_there_are_none() -> None:
    assert Truth.from_arrays(ONE, tracks=[]).tracks() == ()
    assert len(Truth.from_arrays(ONE).tracks()) == 1
    assert Truth.from_arrays(shape=(1, 3, 4)).tracks() is None


def test_an_empty_frame_ends_a_track() -> None:
    assert [t.frames.tolist() for t in tracks_from_masks(np.concatenate([ONE, ONE, ~ONE, ONE]))] == [[0, 1], [3]]
    assert tracks_from_masks(~ONE) == []


def test_runs_of_no_frames_and_of_full_frames() -> None:
    none = MaskRuns.from_frames([], 3, 4)
    assert (none.frames, none.n_pixels, none.decode().shape) == (0, 0, (0, 3, 4))
    full = MaskRuns.from_frames(np.ones((2, 3, 4)), 3, 4)
    assert full.lengths.tolist() == [12, 12]
    assert full.decode().all()


def test_kinds_are_what_is_there() -> None:
    assert Prediction().kinds == ()
    prediction = Prediction(score_maps=ONE, frame_scores=[0.5])
    assert prediction.kinds == (PredictionKind.SCORE_MAPS, PredictionKind.FRAME_SCORES)
    assert prediction.maps.dtype == np.uint8, "bool maps are stored as 0 and 1"
    assert [start for start, _ in Prediction(score_maps=np.zeros((17, 1, 1))).maps.blocks()] == [0, 8, 16]

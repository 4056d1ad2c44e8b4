"""Predictions refuse what they cannot mean, and say which row is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vadbench.errors import DataError
from vadbench.prediction import Detections, Instances, Prediction

BOX = [[0.0, 0.0, 2.0, 2.0]]

WRONG_DETECTIONS = [
    ({"frames": [0, 1]}, "D320"),
    ({"objects": [1, 2]}, "D320"),
    ({"scores": [np.nan]}, "D321"),
    ({"boxes": [[0, 0, np.inf, 2]]}, "D321"),
    ({"boxes": [[2, 0, 2, 2]]}, "D322"),
    ({"frames": [1.7]}, "D323"),
    ({"frames": ["1"]}, "D323"),
    ({"objects": [0.5]}, "D323"),
    ({"scores": [1j]}, "D324"),
    ({"scores": ["0.5"]}, "D324"),
]


@pytest.mark.parametrize(("change", "code"), WRONG_DETECTIONS)
def test_wrong_detections(change: dict[str, Any], code: str) -> None:
    fields = {"frames": [0], "boxes": BOX, "scores": [0.5]} | change
    with pytest.raises(DataError) as raised:
        Detections(**fields)
    assert raised.value.code == code


def test_no_detection_at_all_is_fine() -> None:
    assert Detections([], [], []).boxes.shape == (0, 4)


def instances(**change: Any) -> Instances:
    """Two masks of a frame of 2 x 3 pixels: the first column, and everything."""
    fields: dict[str, Any] = {
        "height": 2,
        "width": 3,
        "frames": np.array([0, 4], dtype=np.int32),
        "scores": np.array([0.5, 0.25]),
        "counts": np.array([0, 2, 4, 0, 6], dtype=np.uint32),
        "offsets": np.array([0, 3, 5]),
    }
    return Instances(**fields | change)


def test_right_instances() -> None:
    good = instances()
    assert good.mask(0).tolist() == [[True, False, False]] * 2
    assert good.mask(1).all()
    assert good.boxes().tolist() == [[0, 0, 1, 2], [0, 0, 3, 2]]


WRONG_INSTANCES = [
    ({"scores": np.array([0.5])}, "D331", ""),
    ({"objects": np.array([1], dtype=np.int32)}, "D331", ""),
    ({"offsets": np.array([0, 3])}, "D331", ""),
    ({"offsets": np.array([0, 3, 4])}, "D331", ""),
    ({"offsets": np.array([0, 5, 5])}, "D331", ""),
    ({"frames": np.array([4, 0], dtype=np.int32)}, "D332", "row 1"),
    ({"frames": np.array([-1, 0], dtype=np.int32)}, "D332", "row 0"),
    ({"scores": np.array([0.5, np.nan])}, "D332", "row 1"),
    ({"scores": np.array([np.inf, 0.5])}, "D332", "row 0"),
    ({"counts": np.array([0, 2, 4, 0, 7], dtype=np.uint32)}, "D332", "row 1"),
    ({"counts": np.array([2, 0, 4, 0, 6], dtype=np.uint32)}, "D332", "row 0"),
    ({"counts": np.array([2, 2, 2, 6], dtype=np.uint32), "offsets": np.array([0, 3, 4])}, "D332", "row 1"),
]


@pytest.mark.parametrize(("change", "code", "row"), WRONG_INSTANCES)
def test_wrong_instances(change: dict[str, Any], code: str, row: str) -> None:
    with pytest.raises(DataError) as raised:
        instances(**change)
    assert raised.value.code == code
    assert row in " ".join(raised.value.where)


@pytest.mark.parametrize("scores", [np.array(list("abcd")), np.array([1j]), np.array([None])])
def test_frame_scores_are_real(scores: np.ndarray) -> None:
    with pytest.raises(DataError, match="D324"):
        Prediction(frame_scores=scores)


def test_frame_scores_have_one_axis() -> None:
    with pytest.raises(DataError, match="D341"):
        Prediction(frame_scores=np.zeros((3, 1)))

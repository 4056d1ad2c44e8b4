"""Whether ``bbox`` of COCO files is what it should be: x, y, width and height, and around the mask beside it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.objects.number_rows import Place, shown_number
from vadbench.errors import ConversionError
from vadbench.prediction import Instances

_SAME_BOX = 0.5
"""Intersection over union from which a box is taken for that of a mask: the detector's own box may be a little off."""

_FAR = 1e9
"""Pixels beyond every frame, to which numbers are cut before areas are made of them."""


def stated_boxes(values: list[Any]) -> NDArray[np.float64]:
    """Boxes (N, 4) as the file states them, NaN where there are no four finite numbers."""
    return np.array([value if _is_box(value) else [np.nan] * 4 for value in values], dtype=np.float64).reshape(-1, 4)


def look_like_corners(boxes: NDArray[np.float64], size: tuple[int, int]) -> bool:
    """Whether boxes (N, 4) are all corners ``x1, y1, x2, y2`` within a frame, rather than x, y, width, height.

    Parameters
    ----------
    boxes : (N, 4) float64
        As the file states them; rows of NaN are left out.
    size : (int, int)
        Height and width of the frame.
    """
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    behind = (boxes[:, 2:] > boxes[:, :2]) & (boxes[:, 2:] <= size[::-1])
    return len(boxes) > 0 and bool(behind.all())


def corners_given(error: ConversionError) -> ConversionError:
    """The error about a box that sticks out of the frame, where all boxes of the file look like corners."""
    return ConversionError(
        error.code,
        error.message,
        where=error.where,
        expected="bbox: [x, y, width, height]",
        got=error.got,
        hint="all boxes look like corners x1, y1, x2, y2: width is x2 - x1, height y2 - y1",
    )


def unlike_boxes(masks: Instances, boxes: NDArray[np.float64], place: Place) -> int:
    """Number of masks whose extremal box is more than a pixel off the box beside them.

    Parameters
    ----------
    masks : Instances
        Of N rows.
    boxes : (N, 4) float64
        ``x, y, width, height`` of each row, NaN where there is none.
    place : callable
        Where row n stands, for messages.

    Raises
    ------
    ConversionError
        C164 if most of the masks that have a box fit it only when their runs are read row by row.
    """
    rows = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    boxes = np.clip(boxes, -_FAR, _FAR)
    stated = np.hstack([boxes[rows, :2], boxes[rows, :2] + boxes[rows, 2:]])
    own = masks.boxes()[rows]
    unlike = np.flatnonzero((np.abs(own - stated) > 1).any(axis=1))
    astray = np.flatnonzero(_overlaps(own, stated) < _SAME_BOX)
    if 2 * len(astray) <= len(rows):
        return len(unlike)
    fits = _overlaps(_boxes_read_by_rows(masks)[rows[astray]], stated[astray]) >= _SAME_BOX
    if 2 * fits.sum() > len(rows):
        first = astray[int(fits.argmax())]
        raise ConversionError(
            "C164",
            f"{fits.sum()} of {len(rows)} masks contradict the bbox beside them, as if written row by row",
            where=place(int(rows[first])),
            expected=f"a mask around x, y, width, height {_shown(boxes[rows[first]])}",
            got=_shown(np.concatenate([own[first, :2], own[first, 2:] - own[first, :2]])),
            hint="runs go column by column: take them of the transposed mask, mask.T.ravel(), or with pycocotools of\n"
            "np.asfortranarray(mask); if the masks are right and the boxes wrong, leave bbox out",
        )
    return len(unlike)


def _boxes_read_by_rows(masks: Instances) -> NDArray[np.int64]:
    """Boxes of the masks that the same runs are when they go row by row: the columns of the transposed frame."""
    transposed = Instances(
        masks.width, masks.height, masks.frames, masks.scores, masks.counts, masks.offsets, masks.objects
    )
    return transposed.boxes()[:, [1, 0, 3, 2]]


def _overlaps(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of each of N pairs of half-open boxes; 0 where the union is empty."""
    common = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    common_area = np.clip(common, 0, None).prod(axis=1).astype(np.float64)
    union = _areas(one) + _areas(other) - common_area
    overlaps: NDArray[np.float64] = np.divide(common_area, union, out=np.zeros_like(common_area), where=union > 0)
    return overlaps


def _areas(boxes: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1), dtype=np.float64)


def _is_box(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 4:
        return False
    return all(isinstance(one, (int, float)) and not isinstance(one, bool) and is_finite(one) for one in value)


def is_finite(value: float) -> bool:
    """Whether a number of a JSON file is one; a whole number beyond every float is not."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _shown(box: NDArray[Any]) -> str:
    return ", ".join(map(shown_number, box))

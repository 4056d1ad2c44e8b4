"""Boxes of another format become detections: corners, frames, edges of the frame, order.

Source: protocols.md, "Conventions": a reader of inclusive corners or of frames counted from 1 converts at the door.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.choices import Choice
from vadbench.conversion.objects.number_rows import Place, shown_number
from vadbench.conversion.source import Timing
from vadbench.conversion.timing import timed_rows
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, UsageError
from vadbench.prediction import Detections


class Corners(Choice):
    """How the greater corners of boxes are meant."""

    INCLUSIVE = "inclusive"
    HALF_OPEN = "half-open"

    @property
    def beyond(self) -> float:
        """What is added to x2 and y2 to make them half-open."""
        return 1.0 if self is Corners.INCLUSIVE else 0.0


class NumberType(Choice):
    """The type that scores and corners are stored as."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"


@dataclass(frozen=True)
class BoxRules:
    """What the caller says of boxes, because no file does.

    Parameters
    ----------
    corners : Corners
    clip_to_frame : bool
        Cut boxes that stick out of the frame, instead of refusing them.
    constant_score : float, optional
        The score of every box, for files without scores.
    dtype : NumberType
        float32 is exact for numbers that were float32 before they were written.
    """

    corners: Corners = Corners.HALF_OPEN
    clip_to_frame: bool = False
    constant_score: float | None = None
    dtype: NumberType = NumberType.FLOAT64

    def __post_init__(self) -> None:
        if self.constant_score is not None and not np.isfinite(self.constant_score):
            raise UsageError("U220", "the constant score must be a finite number", got=str(self.constant_score))

    def record(self) -> dict[str, Any]:
        """What provenance says of the rules."""
        given = {"corners": str(self.corners), "clip_to_frame": self.clip_to_frame, "dtype": str(self.dtype)}
        return given if self.constant_score is None else {**given, "constant_score": self.constant_score}


@dataclass(frozen=True)
class BoxRows:
    """Boxes of one clip as a file states them.

    Parameters
    ----------
    frames : (N,) int64
        As the file counts them, in any order.
    boxes : (N, 4) float64
        ``x1, y1, x2, y2`` as the file means them.
    scores : (N,) float64
    objects : (N,) int64, optional
    place : callable
        Where row n stands, for messages.
    """

    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    place: Place
    objects: NDArray[np.int64] | None = None


def detections_of(rows: BoxRows, clip: Clip, timing: Timing, rules: BoxRules) -> tuple[Detections, int]:
    """Detections of a clip, and how many of them were cut at the edge of the frame.

    Parameters
    ----------
    rows : BoxRows
    clip : Clip
        Gives T, H and W.
    timing : Timing
        Applied by `timed_rows`.
    rules : BoxRules

    Returns
    -------
    detections : Detections
        In order of frame; rows of a frame keep their order.
    n_cut : int

    Raises
    ------
    ConversionError
        C106 for a frame outside the clip, C154 for a box without area, C155 for one that sticks out of the frame.
    """
    kept, frames = rows_in_clip(rows.frames, clip, timing, rows.place)
    boxes = rows.boxes + np.array([0.0, 0.0, rules.corners.beyond, rules.corners.beyond])
    _check_area(boxes, rows, rules)
    boxes, n_cut = _inside(boxes, rows, clip, rules)
    stored_boxes = boxes.astype(rules.dtype)
    with np.errstate(over="ignore"):
        scores = rows.scores.astype(rules.dtype)
    _check_stored(stored_boxes, scores, rows, rules)
    objects = None if rows.objects is None else rows.objects[kept]
    return Detections(frames, stored_boxes[kept], scores[kept], objects), n_cut


def rows_in_clip(
    frames: NDArray[np.int64], clip: Clip, timing: Timing, place: Place
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of a clip in order of frame, and their 0-based frames: `timed_rows`, with files and lines in messages."""
    return timed_rows(frames, timing, clip.frames, place=lambda row: " · ".join(place(row)))


def _check_area(boxes: NDArray[np.float64], rows: BoxRows, rules: BoxRules) -> None:
    flat = np.flatnonzero((boxes[:, 2:] <= boxes[:, :2]).any(axis=1))
    if not len(flat):
        return
    row = int(flat[0])
    x1, y1, x2, y2 = rows.boxes[row]
    hint = (
        "the corners are the wrong way round, or the last two numbers are width and height:\n"
        "x2 = x1 + width and y2 = y1 + height are needed"
    )
    if rules.corners is Corners.HALF_OPEN and (x1 == x2 or y1 == y2):
        hint = "boxes of one pixel with x1 = x2 have inclusive corners: give --corners inclusive"
    sign = "≤" if rules.corners is Corners.INCLUSIVE else "<"
    raise ConversionError(
        "C154",
        "a box has no area",
        where=rows.place(row),
        expected=f"x1 {sign} x2 and y1 {sign} y2, corners {rules.corners}",
        got=_shown_box(rows.boxes[row]),
        hint=hint,
    )


def _inside(boxes: NDArray[np.float64], rows: BoxRows, clip: Clip, rules: BoxRules) -> tuple[NDArray[np.float64], int]:
    limits = np.array([clip.width, clip.height, clip.width, clip.height], dtype=np.float64)
    out = ((boxes < 0) | (boxes > limits)).any(axis=1)
    if not out.any():
        return boxes, 0
    if rules.clip_to_frame:
        cut = np.clip(boxes, 0, limits)
        gone = np.flatnonzero((cut[:, 2:] <= cut[:, :2]).any(axis=1))
        if not len(gone):
            return cut, int(out.sum())
        raise ConversionError(
            "C154",
            "a box lies outside the frame: nothing is left of it after cutting",
            where=rows.place(int(gone[0])),
            expected=f"a box that shares pixels with the frame of {clip.width} x {clip.height} pixels",
            got=_shown_box(rows.boxes[int(gone[0])]),
            hint="leave out the row",
        )
    row = int(np.flatnonzero(out)[0])
    raise ConversionError(
        "C155",
        f"{'a box sticks' if out.sum() == 1 else f'{out.sum()} boxes stick'} out of the frame",
        where=rows.place(row),
        expected=f"0 ≤ x ≤ {clip.width}, 0 ≤ y ≤ {clip.height}, half-open",
        got=_shown_box(rows.boxes[row]) + f", corners {rules.corners}",
        hint=_outside_hint(boxes, limits, clip, rules),
    )


def _outside_hint(boxes: NDArray[np.float64], limits: NDArray[np.float64], clip: Clip, rules: BoxRules) -> str:
    cut = "--clip-to-frame cuts such boxes at its edge"
    furthest = boxes[:, 2:].max(axis=0) - rules.corners.beyond
    if rules.corners is Corners.INCLUSIVE and boxes.min() >= 0 and (furthest <= limits[2:]).all():
        return f"the greater corners reach the size of the frame itself: perhaps --corners half-open; else {cut}"
    fits_swapped = (furthest <= (clip.height, clip.width)).all() and (furthest > limits[2:]).any()
    if boxes.min() >= 0 and fits_swapped:
        return f"the boxes would fit a frame of {clip.height} x {clip.width}: x and y may be swapped; else {cut}"
    if (furthest > 1.25 * limits[2:]).any():
        return (
            f"the boxes seem to be for another frame size than {clip.width} x {clip.height}: rescale them; else {cut}"
        )
    return cut


def _check_stored(boxes: NDArray[Any], scores: NDArray[Any], rows: BoxRows, rules: BoxRules) -> None:
    """What float32 cannot hold."""
    wrong = np.flatnonzero(~np.isfinite(scores) | (boxes[:, 2:] <= boxes[:, :2]).any(axis=1))
    if len(wrong):
        row = int(wrong[0])
        raise ConversionError(
            "C152",
            f"{rules.dtype} cannot hold a row",
            where=rows.place(row),
            got=f"{_shown_box(rows.boxes[row])}, score {shown_number(rows.scores[row])}",
            hint="leave out --dtype float32",
        )


def _shown_box(box: NDArray[np.float64]) -> str:
    return ", ".join(f"{name} {shown_number(value)}" for name, value in zip(("x1", "y1", "x2", "y2"), box, strict=True))

"""Before the filtering: the boxes above the threshold, and overlapping ones of a frame made one.

Source: TAO, equation 3 and section 4.2; tao.md, "The method", row "overlapping boxes are merged".
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.filtering.settings import Reading
from vadbench import UsageError
from vadbench.boxes import merge_overlapping


def keep_anomalous(table: BoxTable, tau: float) -> BoxTable:
    """Boxes whose score is above the threshold; those equal to it go.

    Parameters
    ----------
    table : BoxTable
        With scores.
    tau : float
        τ; minus infinity keeps all.

    Raises
    ------
    UsageError
        B213 if τ is not a number, B215 if the boxes have no scores.
    """
    if math.isnan(tau):
        raise UsageError("B213", "the threshold of the scores is not a number", expected="a number", got="nan")
    return table.select(_scores(table) > tau)


def merge_boxes(table: BoxTable, reading: Reading = Reading.PAPER) -> BoxTable:
    """One box in place of those of a frame that overlap.

    Parameters
    ----------
    table : BoxTable
        With scores. Labels and prompts are dropped: what is merged has none yet.
    reading : Reading
        `PAPER`: until no two boxes overlap, the smallest box around both with the higher score
        (`vadbench.boxes.merge_overlapping` at IoU 0); boxes that only touch stay apart; the attributes are those of
        the box with that score. The order of the boxes of a frame does not matter, and is (x1, y1, x2, y2) after.
        `RELEASED`: once through the boxes as they are given; each joins the first earlier merged box that it overlaps
        or touches. What is merged gets the mean score of the first two boxes of the frame, a slip that is kept here,
        and attributes are dropped, because scores are no longer their sum.

    Raises
    ------
    UsageError
        B215 if the boxes have no scores.
    """
    scores = _scores(table)
    frames: list[NDArray[np.int64]] = []
    boxes: list[NDArray[np.float64]] = []
    merged_scores: list[NDArray[np.float64]] = []
    sources: list[NDArray[np.int64]] = []
    merge = _merged_in_one_pass if reading is Reading.RELEASED else merge_overlapping
    for frame, rows in table.by_frame():
        hulls, hull_scores = merge(table.boxes[rows], scores[rows])
        frames.append(np.full(len(hulls), frame))
        boxes.append(hulls)
        merged_scores.append(hull_scores)
        if reading is Reading.PAPER:
            sources.append(rows.start + _highest_inside(hulls, table.boxes[rows], scores[rows]))
    if not frames:
        return BoxTable(table.frames, table.boxes, table.scores, attributes=table.attributes)
    attributes = {}
    if reading is Reading.PAPER:
        chosen = np.concatenate(sources)
        attributes = {name: values[chosen] for name, values in table.attributes.items()}
    return BoxTable(np.concatenate(frames), np.concatenate(boxes), np.concatenate(merged_scores), attributes=attributes)


def _highest_inside(
    hulls: NDArray[np.float64], boxes: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.int64]:
    """For each hull the box inside it with the highest score, the first by coordinates among equals."""
    order = np.lexsort((*boxes.T[::-1], -scores))
    ordered = boxes[order]
    inside = (ordered[None, :, :2] >= hulls[:, None, :2]) & (ordered[None, :, 2:] <= hulls[:, None, 2:])
    return np.asarray(order[inside.all(axis=2).argmax(axis=1)])


def _merged_in_one_pass(
    boxes: NDArray[np.float64], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    merged: list[NDArray[np.float64]] = []
    merged_scores: list[float] = []
    for box, score in zip(boxes, scores.tolist(), strict=True):
        for number, earlier in enumerate(merged):
            if (box[:2] <= earlier[2:]).all() and (earlier[:2] <= box[2:]).all():
                merged[number] = np.concatenate([np.minimum(box[:2], earlier[:2]), np.maximum(box[2:], earlier[2:])])
                merged_scores[number] = float(scores[:2].mean())
                break
        else:
            merged.append(box)
            merged_scores.append(score)
    return np.stack(merged), np.array(merged_scores)


def _scores(table: BoxTable) -> NDArray[np.float64]:
    if table.scores is None:
        if not len(table):
            return np.empty(0)
        raise UsageError("B215", "the boxes have no scores yet", hint="run the scoring first")
    return table.scores

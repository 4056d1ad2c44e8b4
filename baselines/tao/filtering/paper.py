"""Algorithm 1 as we read the paper's text.

Source: TAO, Algorithm 1; tao.md, "The method", column ``paper``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import NO_LABEL, BoxTable
from baselines.tao.filtering.settings import FilterSettings, Inherit
from vadbench.boxes import intersection_over_union


def paper_labels(table: BoxTable, settings: FilterSettings) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Label of each box, and whether it is the first of its object.

    Boxes inherit one to one: no label twice in a frame. By `Inherit.AVAILABLE` a box may inherit a label if it matches
    the object in m frames of the window, or in all that show it; pairs of box and label are taken by most matches,
    then highest IoU with the object's latest box, then oldest label. By `Inherit.LITERAL` a box may inherit if m frames
    of the window have a labelled box that it matches, whichever their labels are; pairs are taken by the latest frame
    in which they match, because the assignments of the printed loop overwrite each other, then highest IoU there, then
    oldest label.

    Returns
    -------
    labels : (N,) int64
        `NO_LABEL` for boxes that are dropped.
    births : (N,) bool
    """
    labels = np.full(len(table), NO_LABEL, dtype=np.int64)
    births = np.zeros(len(table), dtype=np.bool_)
    n_labels = 0
    for frame, rows in table.by_frame():
        # The order in which boxes are given must not decide between equals.
        order = rows.start + np.lexsort(table.boxes[rows].T[::-1])
        before = slice(int(np.searchsorted(table.frames, frame - settings.window)), rows.start)
        past = before.start + np.flatnonzero(labels[before] != NO_LABEL)
        if past.size:
            overlaps = intersection_over_union(table.boxes[order, None], table.boxes[None, past])
            labels[order] = _inherited(overlaps, table.frames[past], labels[past], settings)
        free = order[labels[order] == NO_LABEL]
        after = slice(rows.stop, int(np.searchsorted(table.frames, frame + settings.window, side="right")))
        matched = intersection_over_union(table.boxes[free, None], table.boxes[None, after]) > settings.overlap
        born = free[_matching_frames(matched, table.frames[after]) >= settings.matches]
        labels[born] = n_labels + np.arange(len(born))
        births[born] = True
        n_labels += len(born)
    return labels, births


def _matching_frames(matched: NDArray[np.bool_], frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row of (n, N), the number of distinct frames (N,) in which something matches."""
    if not frames.size:
        return np.zeros(len(matched), dtype=np.int64)
    starts = np.flatnonzero(np.diff(frames, prepend=-1))
    return np.asarray(np.logical_or.reduceat(matched, starts, axis=1).sum(axis=1))


def _inherited(
    overlaps: NDArray[np.float64],
    past_frames: NDArray[np.int64],
    past_labels: NDArray[np.int64],
    settings: FilterSettings,
) -> NDArray[np.int64]:
    """Labels (n,) of the boxes of a frame by their overlaps (n, N) with the labelled boxes of the window."""
    matched = overlaps > settings.overlap
    known, column = np.unique(past_labels, return_inverse=True)
    # A label stands once in a frame, so boxes of an object are frames that show it.
    belongs = np.zeros((len(past_labels), len(known)), dtype=np.int64)
    belongs[np.arange(len(past_labels)), column] = 1
    hits = matched.astype(np.int64) @ belongs
    if settings.inherit is Inherit.LITERAL:
        may = (hits >= 1) & (_matching_frames(matched, past_frames)[:, None] >= settings.matches)
        matched_row = np.where(matched[:, :, None] & (belongs[None] == 1), np.arange(len(past_labels))[:, None], -1)
        latest = matched_row.max(axis=1)
        first = past_frames[latest]
        second = np.take_along_axis(overlaps, np.maximum(latest, 0), axis=1)
    else:
        may = (hits >= 1) & (hits >= np.minimum(settings.matches, belongs.sum(axis=0)))
        latest_row = len(past_labels) - 1 - belongs[::-1].argmax(axis=0)
        first, second = hits, overlaps[:, latest_row]
    box, label = np.nonzero(may)
    # `lexsort` takes its last key first.
    best_first = np.lexsort((box, label, -second[box, label], -first[box, label]))
    return _taken(box[best_first], known[label[best_first]], len(overlaps))


def _taken(boxes: NDArray[np.int64], labels: NDArray[np.int64], n_boxes: int) -> NDArray[np.int64]:
    """Pairs taken one to one in the order given: the label of each box, or `NO_LABEL`."""
    taken = np.full(n_boxes, NO_LABEL, dtype=np.int64)
    used: set[int] = set()
    for box, label in zip(boxes.tolist(), labels.tolist(), strict=True):
        if taken[box] == NO_LABEL and label not in used:
            taken[box] = label
            used.add(label)
    return taken

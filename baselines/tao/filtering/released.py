"""The filtering of the released program, with its peculiarities, by its description.

Source: tao.md, "The method", column ``released`` and the paragraph on ``robust_filtering.py``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import NO_LABEL, BoxTable
from baselines.tao.filtering.settings import FilterSettings
from vadbench.boxes import intersection_over_union

_MATCHES_OF_FIRST_FRAME = 1
"""Frames after the first frame with boxes that must have a near box there, for boxes of that frame to be born."""


def released_labels(table: BoxTable, settings: FilterSettings) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Label of each box, and whether it is the first of its object.

    Two boxes are near if, with coordinates cut to whole numbers, their centres are at most `distance` pixels apart or
    their IoU is at least `overlap`. The boxes of a frame are looked at as they are given:

    - it inherits the label of the first near box of the window, oldest frame first, that is not in use in its frame;
      a near box without label ends the search in that box's frame, the next frame is searched then;
    - else it is born, if m frames of those ahead have a near box; one is enough in the first frame that has boxes;
    - else it is dropped.

    Labels are kept by the cut coordinates alone, without the frame: a box of the window has the label that a box with
    the same coordinates was given last, in whichever frame.

    Where the description is open: a near box whose label is already in use does not end the search in its frame;
    equal coordinates lend their label to a box that is looked back at, they give none to the box of the frame itself.
    Left out: later births are prompted there with the centre of the frame's last box in place of their own (a prompt
    here is a box, and its centre follows from it), and the end of the whole run at a clip without a prompt.

    Returns
    -------
    labels : (N,) int64
        `NO_LABEL` for boxes that are dropped.
    births : (N,) bool
    """
    labels = np.full(len(table), NO_LABEL, dtype=np.int64)
    births = np.zeros(len(table), dtype=np.bool_)
    cut = np.trunc(table.boxes)
    coordinates = list(map(tuple, cut.tolist()))
    label_of: dict[tuple[float, ...], int] = {}
    n_labels = 0
    needed = min(_MATCHES_OF_FIRST_FRAME, settings.matches)
    for frame, rows in table.by_frame():
        low, high = np.searchsorted(table.frames, [frame - settings.window, frame + settings.window + 1])
        near = _near(cut[rows], cut[low:high], settings)
        near_before, near_after = near[:, : rows.start - low], near[:, rows.stop - low :]
        used: set[int] = set()
        for row in range(rows.start, rows.stop):
            candidates = low + np.flatnonzero(near_before[row - rows.start])
            label = _first_found(
                [(int(table.frames[past]), label_of.get(coordinates[past])) for past in candidates], used
            )
            if label is None:
                ahead = table.frames[rows.stop : high][near_after[row - rows.start]]
                if len(np.unique(ahead)) < needed:
                    continue
                label, n_labels = n_labels, n_labels + 1
                births[row] = True
            labels[row] = label
            used.add(label)
        # A box of this frame is looked back at from later frames only.
        label_of.update(
            (coordinates[row], int(labels[row])) for row in range(rows.start, rows.stop) if labels[row] != NO_LABEL
        )
        needed = settings.matches
    return labels, births


def _near(boxes: NDArray[np.float64], others: NDArray[np.float64], settings: FilterSettings) -> NDArray[np.bool_]:
    """Whether boxes (n, 4) and others (N, 4), of whole numbers, are near each other, (n, N)."""
    centres, other_centres = (boxes[:, :2] + boxes[:, 2:]) / 2, (others[:, :2] + others[:, 2:]) / 2
    apart = np.linalg.norm(centres[:, None] - other_centres[None], axis=2)
    # Boxes thinner than a pixel may have lost their area; they share none then.
    overlaps = intersection_over_union(boxes[:, None], others[None])
    return np.asarray((apart <= settings.distance) | (overlaps >= settings.overlap))


def _first_found(candidates: list[tuple[int, int | None]], used: set[int]) -> int | None:
    """First free label of near boxes, given as frame and label in order; None where there is none."""
    ended = -1
    for frame, label in candidates:
        if frame == ended:
            continue
        if label is None:
            ended = frame
        elif label not in used:
            return label
    return None

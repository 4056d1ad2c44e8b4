"""Whether ids of objects follow objects over time, as far as that can be told from rows alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.submission.rows import distinct

MOST_RUNS = 2_000_000
"""Runs of masks that are looked at in a clip; rows behind them are left out, which bounds memory."""

FAR_IN_DIAGONALS = 2
"""Two boxes of an id are far apart where their centres lie more than twice the larger diagonal apart."""


@dataclass(frozen=True)
class IdFacts:
    """How the ids of a clip move.

    Attributes
    ----------
    n_rows, n_ids, n_frames : int
        Rows, distinct ids, frames that have a row.
    n_steps, n_jumps : int
        Ids with one row in each of two consecutive frames; those of them whose two boxes lie far apart.
    n_together, n_apart : int
        Rows after the first of their id in their frame; those of them that lie far from the one before.
    first_jump, first_apart : int or None
        A frame where that happens.
    """

    n_rows: int
    n_ids: int
    n_frames: int
    n_steps: int
    n_jumps: int
    n_together: int
    n_apart: int
    first_jump: int | None
    first_apart: int | None


def id_facts(arrays: Mapping[str, NDArray[Any]], height: int) -> IdFacts | None:
    """Facts of the ids of instances or detections.

    Parameters
    ----------
    arrays : mapping
        ``frame``, ``object`` and ``box``, or ``counts`` and ``offsets``; all of them right.
    height : int
        Of the frame; needed for masks.

    Returns
    -------
    IdFacts or None
        None where masks cannot be located, for lack of the height.
    """
    frames, objects = arrays["frame"], arrays["object"]
    if "box" in arrays:
        boxes = arrays["box"].astype(np.float64)
    elif height:
        boxes = mask_boxes(arrays["counts"], arrays["offsets"], height)
        frames, objects = frames[: len(boxes)], objects[: len(boxes)]
    else:
        return None
    order = np.lexsort([frames, objects])
    frame, own, box = frames[order].astype(np.int64), objects[order], boxes[order]
    same_id = own[1:] == own[:-1]
    between = np.diff(frame)
    far = _far(box[:-1], box[1:])
    together = same_id & (between == 0)
    # Of an id in several parts it is not known which part goes on as which.
    single = np.ones(len(own), dtype=bool)
    single[1:] &= ~together
    single[:-1] &= ~together
    step = same_id & (between == 1) & single[1:] & single[:-1]
    return IdFacts(
        n_rows=len(own),
        n_ids=int(np.count_nonzero(~same_id)) + 1 if len(own) else 0,
        n_frames=len(distinct(frames)),
        n_steps=int(np.count_nonzero(step)),
        n_jumps=int(np.count_nonzero(step & far)),
        n_together=int(np.count_nonzero(together)),
        n_apart=int(np.count_nonzero(together & far)),
        first_jump=_first(frame[1:], step & far),
        first_apart=_first(frame[1:], together & far),
    )


def _first(frames: NDArray[Any], chosen: NDArray[np.bool_]) -> int | None:
    return int(frames[chosen].min()) if chosen.any() else None


def _far(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.bool_]:
    centres = [(box[:, :2] + box[:, 2:]) / 2 for box in (before, after)]
    diagonals = [np.hypot(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]) for box in (before, after)]
    distance = np.hypot(*(centres[1] - centres[0]).T)
    return np.asarray(distance > FAR_IN_DIAGONALS * np.maximum(*diagonals))


def mask_boxes(counts: NDArray[Any], offsets: NDArray[Any], height: int) -> NDArray[np.float64]:
    """Extremal half-open boxes of masks, (n, 4) ``x1, y1, x2, y2``; of the first rows, up to `MOST_RUNS` runs.

    Parameters
    ----------
    counts, offsets : (M,), (N + 1,)
        As the format has them: column by column, beginning with a run of zeros.
    height : int
    """
    n = int(np.searchsorted(offsets, MOST_RUNS, side="right")) - 1
    starts = offsets[:n]
    if not n:
        return np.zeros((0, 4))
    own = counts[: offsets[n]].astype(np.int64)
    lengths = np.diff(offsets[: n + 1])
    ends = np.cumsum(own)
    ends -= np.repeat(ends[starts] - own[starts], lengths)
    is_mask = (np.arange(len(own)) - np.repeat(starts, lengths)) % 2 == 1
    stop, length = ends[is_mask], own[is_mask]
    start = stop - length
    firsts = np.concatenate([[0], np.cumsum(lengths // 2)[:-1]])
    column, last_column = start // height, (stop - 1) // height
    # A run that goes on into the next column touches the bottom of one and the top of the next.
    wraps = last_column > column
    top = np.where(wraps, 0, start % height)
    bottom = np.where(wraps, height - 1, (stop - 1) % height)
    return np.stack(
        [
            np.minimum.reduceat(column, firsts),
            np.minimum.reduceat(top, firsts),
            np.maximum.reduceat(last_column, firsts) + 1,
            np.maximum.reduceat(bottom, firsts) + 1,
        ],
        axis=1,
    ).astype(np.float64)

"""Half-open boxes ``[x1, y1, x2, y2)`` in pixels: from masks, intersection over union, merging.

Source: protocols.md, "Conventions" and "Regions: RBDC and TBDC".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.errors import DataError

Boxes = NDArray[np.float64]


def boxes_from_masks(masks: ArrayLike) -> NDArray[np.int64]:
    """Extremal box of each mask.

    Parameters
    ----------
    masks : (N, H, W) bool
        Any non-zero value belongs to the mask; its parts need not be connected.

    Returns
    -------
    (N, 4) int64
        ``x1, y1, x2, y2``, half-open, in pixels: a mask of one pixel has a box of area 1.

    Raises
    ------
    DataError
        D310 if the array is not three-dimensional, D311 if a mask is empty (it has no box).

    Examples
    --------
    >>> mask = np.zeros((1, 4, 5), dtype=bool)
    >>> mask[0, 1:3, 2] = True
    >>> boxes_from_masks(mask)
    array([[2, 1, 3, 3]])
    """
    given = np.asarray(masks)
    if given.ndim != 3:
        raise DataError("D310", "masks have the wrong shape", expected="(N, H, W)", got=str(given.shape))
    filled = given != 0
    columns, rows = filled.any(axis=1), filled.any(axis=2)
    empty = np.flatnonzero(~columns.any(axis=1))
    if empty.size:
        raise DataError(
            "D311",
            "a mask is empty and has no box",
            where=f"mask {empty[0]}",
            hint="leave empty masks out before asking for boxes",
        )
    width, height = columns.shape[1], rows.shape[1]
    return np.stack(
        [
            columns.argmax(axis=1),
            rows.argmax(axis=1),
            width - columns[:, ::-1].argmax(axis=1),
            height - rows[:, ::-1].argmax(axis=1),
        ],
        axis=1,
    ).astype(np.int64)


def intersection_over_union(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Shared area over area of the union, box by box.

    Parameters
    ----------
    first, second : (..., 4) real
        Half-open boxes; the leading shapes broadcast.

    Returns
    -------
    (...) float64
        0 where two boxes share nothing, touch only, or are both empty. One float64 division a pair.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    union = box_areas(a) + box_areas(b) - shared
    ratio = np.zeros(np.shape(shared), dtype=np.float64)
    np.divide(shared, union, out=ratio, where=union > 0)
    return ratio


def box_areas(boxes: Boxes) -> NDArray[np.float64]:
    """Area in square pixels of half-open boxes (..., 4)."""
    return np.asarray((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]), dtype=np.float64)


def merge_overlapping(
    boxes: ArrayLike, scores: ArrayLike, iou_threshold: float = 0.0
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Merge the boxes of one frame until no two have IoU > `iou_threshold`.

    The boxes are sorted by (x1, y1, x2, y2); the first pair in that order above the threshold is replaced by the
    smallest box around both with the higher score; then the search starts again. The order in which the boxes are
    given never matters. Boxes that only touch stay apart at the default threshold.

    Parameters
    ----------
    boxes : (N, 4) real
        Half-open boxes in pixels, of any real dtype, which is kept.
    scores : (N,) real
        Higher is more anomalous; the dtype is kept.
    iou_threshold : float
        Pairs above it are merged.

    Returns
    -------
    boxes : (M, 4), scores : (M,)
        Sorted by (x1, y1, x2, y2), equal boxes by score.

    Notes
    -----
    Time is O(N^2) a merge; at the default threshold, where the order of merging does not matter, all boxes that hang
    together are merged at once.
    Source: protocols.md, "Regions", field ``object.merge``.
    """
    given_boxes, given_scores = np.asarray(boxes).reshape(-1, 4), np.asarray(scores)
    if iou_threshold == 0:
        return _merged_hulls(given_boxes, given_scores)
    pairs = sorted(zip(map(tuple, given_boxes.tolist()), given_scores.tolist(), strict=True))
    found = _first_overlapping_pair(pairs, iou_threshold)
    while found is not None:
        (a, score_a), (b, score_b) = pairs[found[0]], pairs[found[1]]
        hull = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
        kept = [pair for index, pair in enumerate(pairs) if index not in found]
        pairs = sorted([*kept, (hull, max(score_a, score_b))])
        found = _first_overlapping_pair(pairs, iou_threshold)
    merged_boxes = np.array([box for box, _ in pairs], dtype=given_boxes.dtype).reshape(-1, 4)
    return merged_boxes, np.array([score for _, score in pairs], dtype=given_scores.dtype)


def _merged_hulls(boxes: NDArray[Any], scores: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Hulls of boxes that hang together by overlaps, again and again until none overlap."""
    from scipy.sparse.csgraph import connected_components

    while True:
        overlap = intersection_over_union(boxes[:, None], boxes[None]) > 0
        count, group = connected_components(overlap, directed=False) if len(boxes) else (0, np.zeros(0, dtype=int))
        if count == len(boxes):
            order = np.lexsort((scores, *boxes.T[::-1]))
            return boxes[order], scores[order]
        members = np.argsort(group, kind="stable")
        starts = np.searchsorted(group[members], np.arange(count))
        least = np.minimum.reduceat(boxes[members, :2], starts)
        greatest = np.maximum.reduceat(boxes[members, 2:], starts)
        boxes, scores = np.hstack([least, greatest]), np.maximum.reduceat(scores[members], starts)


def _first_overlapping_pair(pairs: Sequence[tuple[Sequence[float], float]], threshold: float) -> tuple[int, int] | None:
    if len(pairs) < 2:
        return None
    boxes = np.array([box for box, _ in pairs], dtype=np.float64)
    above = np.triu(intersection_over_union(boxes[:, None], boxes[None]) > threshold, k=1)
    index = int(above.argmax())
    first, second = divmod(index, len(pairs))
    return (first, second) if above[first, second] else None

"""Some hundred levels of score in place of every distinct one, chosen so that every metric loses little.

A *place* lies between two scores: what is flagged there is everything above it. All places of a pool in order, with
the counts there, are the points of its curves. Scores between two chosen places are taken for equal, which moves a
metric by something that is known; the interval that moves them most is cut next, until there are enough.

Source: docs/report-statistics.md, "Levels".
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.metrics.objects import DetectionRates
from vadbench.metrics.operating_points import OperatingPoints
from vadbench.statistics.scores import least_flagged_score

MOST_LEVELS = 512

_MOST_THRESHOLDS = 2**16
"""Distinct scores of anomalous pixels that are looked at: a 65 536th of these pixels between two of them."""

_BEYOND = 2.0
"""Object levels are as fine up to this many times the limit of false positives, which other clips reach elsewhere."""

_BOUND_SHARE = 0.05
"""How much the largest loss counts that an interval can cause in any choice of clips, beside its loss in all clips."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PixelLevels:
    """Levels of the pixels of one pool.

    Parameters
    ----------
    thresholds : (L,) dtype of the scores
        Falling; a pixel has reached a level where its score ≥ this.
    values : (L,) float64
        The same numbers, still distinct.
    """

    thresholds: NDArray[Any]
    values: Floats


def pixel_levels(points: OperatingPoints, fpr_limit: float, most: int = MOST_LEVELS) -> PixelLevels:
    """Choose levels for a pool of pixels.

    Parameters
    ----------
    points : OperatingPoints
        Of the pool, with at least one anomalous pixel.
    fpr_limit : float
        Of AUPRO.
    most : int
        Number of levels at most; all distinct scores of anomalous pixels, and the ends of what lies between, if these
        are fewer.

    Notes
    -----
    The threshold of the best F1 is always one of them.
    """
    rows = _looked_at(points)
    walk = _PixelWalk(points, rows, fpr_limit)
    best = int(np.searchsorted(rows, _best_f1(points)))
    # Place 2 i + 1 is above threshold i, place 2 i + 2 at it; place 0 is above everything.
    places = chosen_places(walk.length, walk.loss, [2 * best + 2], most)
    return _distinct(points.thresholds[rows], places, 2 * best + 2)


def _looked_at(points: OperatingPoints) -> NDArray[np.int64]:
    """Rows of operating points, even by rank of the anomalous pixels, if there are too many of them."""
    n = points.thresholds.size
    if n <= _MOST_THRESHOLDS:
        return np.arange(n)
    wanted = np.linspace(0, points.n_positive, _MOST_THRESHOLDS)
    rows = np.minimum(np.searchsorted(points.true_positives, wanted), n - 1)
    return np.unique(np.concatenate([rows, [_best_f1(points), n - 1]]))


def _best_f1(points: OperatingPoints) -> int:
    flagged = points.true_positives + points.false_positives
    return int(np.argmax(2 * points.true_positives / (flagged + points.n_positive)))


class _PixelWalk:
    """Counts at all places of a pool, and what an interval of them costs AUROC, AUPRO and AP."""

    def __init__(self, points: OperatingPoints, rows: NDArray[np.int64], fpr_limit: float) -> None:
        n = rows.size
        hits, false, overlap = np.zeros((3, 2 * n + 2))
        hits[2:-1:2], hits[3:-1:2] = points.true_positives[rows], points.true_positives[rows[:-1]]
        false[1:-1:2], false[2:-1:2] = points.false_positives_above[rows], points.false_positives[rows]
        overlap[2:-1:2], overlap[3:-1:2] = points.overlap[rows], points.overlap[rows[:-1]]
        hits[-1], false[-1], overlap[-1] = points.n_positive, points.n_negative, overlap[-2]
        recall = hits / points.n_positive
        fpr = false / max(1, points.n_negative)
        pro = overlap / max(1, points.n_components)
        # Beyond its limit AUPRO sees nothing.
        low = np.minimum(fpr / fpr_limit, 1.0)
        flagged = hits + false
        self._precision = np.divide(hits, flagged, out=np.ones(hits.size), where=flagged > 0)
        self._recall, self._areas = recall, ((fpr, recall), (low, pro))
        self._below = [_running_area(x, y) for x, y in self._areas]
        self._average = np.cumsum(np.diff(recall, prepend=0.0) * self._precision)
        steps = [np.abs(np.diff(own, prepend=own[0])) for own in (recall, pro, low, self._precision)]
        self.length = np.cumsum(np.sum(steps, axis=0))

    def loss(self, first: int, last: int) -> float:
        """By how much the metrics move together if all scores between two places are equal."""
        gained = self._recall[last] - self._recall[first]
        average = self._average[last] - self._average[first] - gained * self._precision[last]
        total = abs(average) + _BOUND_SHARE * gained * abs(self._precision[last] - self._precision[first])
        for (x, y), below in zip(self._areas, self._below, strict=True):
            total += _chord_loss(x, y, below, first, last)
        return float(total)


def _running_area(x: Floats, y: Floats) -> Floats:
    """Area below the lines up to each point."""
    return np.concatenate([[0.0], np.cumsum(np.diff(x) * (y[1:] + y[:-1]) / 2)])


def _chord_loss(x: Floats, y: Floats, below: Floats, first: int, last: int) -> float:
    """Area between a curve and its chord, and a share of the area in which every other curve between must lie."""
    width, height = x[last] - x[first], y[last] - y[first]
    area = below[last] - below[first] - width * (y[last] + y[first]) / 2
    return float(abs(area) + _BOUND_SHARE * width * height)


def chosen_places(
    length: Floats, loss: Callable[[int, int], float], kept: Sequence[int], most: int
) -> NDArray[np.int64]:
    """Choose places by cutting the worst interval in the middle of its length, again and again.

    Parameters
    ----------
    length : (m + 1,) float64
        Rising along all places, the first and last of which are the ends.
    loss : callable
        From the places around an interval to what it costs.
    kept : sequence of int
        Places that are chosen anyway, above 0 and below m.
    most : int
        Number of places at most.

    Returns
    -------
    (n,) int64
        Rising, without the ends.
    """
    chosen = sorted({0, *kept, length.size - 1})
    waiting = [(-loss(first, last), first, last) for first, last in pairwise(chosen)]
    heapq.heapify(waiting)
    while waiting and len(chosen) < most + 2:
        cost, first, last = heapq.heappop(waiting)
        if last - first < 2 or cost >= 0:
            continue
        middle = (length[first] + length[last]) / 2
        cut = min(max(first + 1, int(np.searchsorted(length, middle))), last - 1)
        chosen.append(cut)
        for begin, end in ((first, cut), (cut, last)):
            heapq.heappush(waiting, (-loss(begin, end), begin, end))
    return np.array(sorted(chosen)[1:-1], dtype=np.int64)


def _distinct(thresholds: NDArray[Any], places: NDArray[np.int64], needed: int) -> PixelLevels:
    """Scores of places; of those that are one number, or none, all but the needed one are left out."""
    levels: list[Any] = []
    values: list[float] = []
    kept = -1
    for place in places.tolist():
        score = thresholds[(place - 1) // 2]
        if place % 2:
            above = least_flagged_score(score.item(), thresholds.dtype, inclusive=False)
            score = -np.inf if above is None else above[0]
        value = float(score)
        if np.isinf(value):
            continue
        if values and value == values[-1]:
            # The later place has all of both, unless the one before must not move.
            if kept == needed:
                continue
            levels.pop()
            values.pop()
        levels.append(score)
        values.append(value)
        kept = place
    return PixelLevels(np.array(levels, dtype=thresholds.dtype), np.array(values, dtype=np.float64))


def object_places(rates: DetectionRates, fpr_limit: float, most: int = MOST_LEVELS) -> NDArray[np.int64]:
    """Choose steps of detection curves.

    Parameters
    ----------
    rates : DetectionRates
        Of all clips.
    fpr_limit : float
        Of RBDC and TBDC.
    most : int

    Returns
    -------
    (n,) int64
        Rising: numbers of steps, from 1 to that of the last step, which is always one of them.
    """
    n_steps = rates.thresholds.size
    if not n_steps:
        return np.zeros(0, dtype=np.int64)
    x = np.minimum(rates.fpr / fpr_limit, _BEYOND)
    curves = rates.region_rate, rates.track_rate
    below = [_running_area(x, own) for own in curves]

    def loss(first: int, last: int) -> float:
        return sum(_chord_loss(x, own, area, first, last) for own, area in zip(curves, below, strict=True))

    steps = [np.abs(np.diff(own, prepend=own[0])) for own in (x, *curves)]
    inner = chosen_places(np.cumsum(np.sum(steps, axis=0)), loss, [], most - 1)
    return np.append(inner, n_steps)

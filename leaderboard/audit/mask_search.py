"""Whether one binary mask over a pool of pixels can have several printed numbers: a search that leaves nothing out.

A mask is a recall R and a false-positive rate f. Boxes of (R, f) are cut smaller and smaller; a box is dropped where
no mask in it has all numbers. What is left when none is dropped any more is either a mask, or nothing.
Source: docs/audit.md, theorems 12 and 13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leaderboard.audit.printed import SLACK, Span, Spans
from leaderboard.audit.region_shares import RegionShares

_LEVELS = 44
_MOST_BOXES = 60_000
_FIRST = 16
_ROOT = 3
"""f = u³: F1 and precision turn where f is of the order of the prevalence, so boxes are finer near 0."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MaskPool:
    """The truth that a mask is held against.

    Parameters
    ----------
    prevalence : Span
        One number twice, or a range.
    regions : RegionShares or None
        AUPRO is the area under the overlap with regions; None: under precision-recall.
    fpr_limit : float
    """

    prevalence: Span
    regions: RegionShares | None = None
    fpr_limit: float = 0.3


@dataclass(frozen=True)
class Mask:
    """A mask by its rates."""

    recall: float
    false_positive_rate: float
    precision: float


@dataclass(frozen=True)
class _Boxes:
    """Boxes of recall and u, where f = u³; (n,) each."""

    recall_low: Floats
    recall_high: Floats
    u_low: Floats
    u_high: Floats

    @classmethod
    def grid(cls) -> _Boxes:
        edges = np.linspace(0, 1, _FIRST + 1)
        recall, u = (axis.ravel() for axis in np.meshgrid(np.arange(_FIRST), np.arange(_FIRST)))
        return cls(edges[recall], edges[recall + 1], edges[u], edges[u + 1])

    def __len__(self) -> int:
        return self.recall_low.size

    def kept(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> _Boxes:
        return _Boxes(self.recall_low[which], self.recall_high[which], self.u_low[which], self.u_high[which])

    def middles(self) -> _Boxes:
        recall, u = (self.recall_low + self.recall_high) / 2, (self.u_low + self.u_high) / 2
        return _Boxes(recall, recall, u, u)

    def quarters(self) -> _Boxes:
        middle = self.middles()
        recall, u = middle.recall_low, middle.u_low
        return _Boxes(
            np.concatenate([self.recall_low, recall, self.recall_low, recall]),
            np.concatenate([recall, self.recall_high, recall, self.recall_high]),
            np.concatenate([self.u_low, self.u_low, u, u]),
            np.concatenate([u, u, self.u_high, self.u_high]),
        )


def find_mask(spans: Spans, pool: MaskPool) -> Mask | Literal[False] | None:
    """Look for a mask with all the numbers.

    Parameters
    ----------
    spans : mapping from metric to Span
        Of ``pixel_auroc``, ``pixel_ap``, ``pixel_aupro``, ``pixel_f1``.
    pool : MaskPool

    Returns
    -------
    Mask, False or None
        A mask; False where there is none for certain; None where the search ended without an answer.
    """
    boxes = _Boxes.grid()
    for _ in range(_LEVELS):
        boxes = boxes.kept(_may_hold(boxes, spans, pool))
        if not len(boxes):
            return False
        middles = boxes.middles()
        holds = np.flatnonzero(_may_hold(middles, spans, pool, slack=0.0))
        if holds.size:
            first = middles.kept(holds[:1])
            precision = float(_precision(first.recall_low, first.u_low**_ROOT, pool.prevalence.low)[0])
            return Mask(float(first.recall_low[0]), float(first.u_low[0] ** _ROOT), precision)
        if len(boxes) > _MOST_BOXES:
            return None
        boxes = boxes.quarters()
    return None


def reach(target: str, spans: Spans, pool: MaskPool) -> Span | None:
    """Interval that holds `target` of every mask with the numbers `spans`; None where no mask has them."""
    boxes = _Boxes.grid()
    for _ in range(_LEVELS):
        boxes = boxes.kept(_may_hold(boxes, spans, pool))
        if not len(boxes):
            return None
        if 4 * len(boxes) > _MOST_BOXES:
            break
        boxes = boxes.quarters()
    ranges = [_ranges(boxes, pool)[target]]
    if target == "pixel_f1":
        ranges.append(_best_f1(ranges[0], pool))
    low, high = min(float(low.min()) for low, _ in ranges), max(float(high.max()) for _, high in ranges)
    return Span(max(0.0, low), min(1.0, high))


def least_error(spans: Spans, pool: MaskPool) -> float:
    """By how much some number has to be off at least for a mask to have them all; certain from below."""
    low, high = 0.0, 1.0
    while high - low > 1e-5:
        middle = (low + high) / 2
        if find_mask({key: span.widened(middle) for key, span in spans.items()}, pool) is False:
            low = middle
        else:
            high = middle
    return low


def _may_hold(boxes: _Boxes, spans: Spans, pool: MaskPool, slack: float = SLACK) -> NDArray[np.bool_]:
    ranges = _ranges(boxes, pool)
    holds = np.ones(len(boxes), dtype=bool)
    for key, span in spans.items():
        meets = _meets(ranges[key], span, slack)
        if key == "pixel_f1":
            meets |= _meets(_best_f1(ranges[key], pool), span, slack)
        holds &= meets
    return holds


def _meets(own: tuple[Floats, Floats], span: Span, slack: float) -> NDArray[np.bool_]:
    low, high = own
    return np.asarray((low <= span.high + slack) & (high >= span.low - slack))


def _best_f1(own: tuple[Floats, Floats], pool: MaskPool) -> tuple[Floats, Floats]:
    """F1 where flagging everything counts as a threshold too."""
    low, high = (2 * p / (1 + p) for p in (pool.prevalence.low, pool.prevalence.high))
    return np.maximum(own[0], low), np.maximum(own[1], high)


def _ranges(boxes: _Boxes, pool: MaskPool) -> dict[str, tuple[Floats, Floats]]:
    """Intervals of the metrics over each box: every term is monotone in R, in f and in p."""
    r_low, r_high = boxes.recall_low, boxes.recall_high
    f_low, f_high = boxes.u_low**_ROOT, boxes.u_high**_ROOT
    p_low, p_high = pool.prevalence.low, pool.prevalence.high
    precision_low = _precision(r_low, f_high, p_low, empty=0.0)
    precision_high = _precision(r_high, f_low, p_high, empty=1.0)
    ranges = {
        "pixel_auroc": ((1 + r_low - f_high) / 2, (1 + r_high - f_low) / 2),
        "pixel_ap": (
            r_low * precision_low + (1 - r_high) * p_low,
            r_high * precision_high + (1 - r_low) * p_high,
        ),
        "pixel_f1": (_f1(r_low, f_high, p_low), _f1(r_high, f_low, p_high)),
    }
    if pool.regions is None:
        ranges["pixel_aupro"] = (
            (r_low + precision_low + p_low * (1 - r_low)) / 2,
            (r_high + precision_high + p_high * (1 - r_high)) / 2,
        )
    else:
        ranges["pixel_aupro"] = (
            _aupro(pool.regions.least(r_low), f_high, pool.fpr_limit),
            _aupro(pool.regions.greatest(r_high), f_low, pool.fpr_limit),
        )
    return ranges


def _precision(recall: Floats, rate: Floats, prevalence: float, empty: float = 1.0) -> Floats:
    flagged = recall + rate * (1 - prevalence) / prevalence
    return np.asarray(np.divide(recall, flagged, out=np.full(recall.size, empty), where=flagged > 0))


def _f1(recall: Floats, rate: Floats, prevalence: float) -> Floats:
    return np.asarray(2 * recall / (1 + recall + rate * (1 - prevalence) / prevalence))


def _aupro(share: Floats, rate: Floats, limit: float) -> Floats:
    """Area of the polygon (0, 0), (rate, share), (1, 1) up to the limit, divided by it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        behind = share * (limit - rate) + (1 - share) * (limit - rate) ** 2 / (2 * (1 - rate))
        beyond = share * limit * limit / (2 * rate)
    return np.asarray(np.where(rate < limit, (rate * share / 2 + behind) / limit, beyond / limit))

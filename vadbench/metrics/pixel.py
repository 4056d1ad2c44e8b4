"""Pixel metrics: AUROC, average precision, F1, AUPRO and PR-AUC, exact for every real dtype.

Source: protocols.md, "Pixel metrics".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vadbench.errors import UndefinedMetricError
from vadbench.metrics.curves import Curve
from vadbench.metrics.operating_points import OperatingPoints
from vadbench.statistics.pixels import PixelStatistics

NO_ANOMALOUS_PIXEL = "there is no anomalous pixel"
NO_NORMAL_PIXEL = "there is no normal pixel"


@dataclass(frozen=True)
class F1Max:
    """The best F1 over all thresholds.

    Parameters
    ----------
    value : float
    threshold : int or float
        The highest threshold that reaches `value`, in the dtype of the scores; −∞ means that everything is flagged.
    precision, recall : float
        At that threshold.
    """

    value: float
    threshold: float
    precision: float
    recall: float


def _require(points: OperatingPoints, *, negatives: bool) -> None:
    if points.n_positive == 0:
        raise UndefinedMetricError(NO_ANOMALOUS_PIXEL)
    if negatives and points.n_negative == 0:
        raise UndefinedMetricError(NO_NORMAL_PIXEL)


def auroc(points: OperatingPoints) -> float:
    """P(s⁺ > s⁻) + ½ P(s⁺ = s⁻); the division is the only rounding."""
    _require(points, negatives=True)
    gained = points.true_positives - points.true_positives_above
    # Twice the normal pixels that an anomalous pixel of this score outranks, ties counting half.
    outranked = 2 * points.n_negative - points.false_positives - points.false_positives_above
    pairs = 2 * points.n_positive * points.n_negative
    if pairs < 2**63:
        won = int(np.dot(gained, outranked))
    else:
        won = int(np.dot(gained.astype(object), outranked.astype(object)))
    return won / pairs


def average_precision(points: OperatingPoints) -> float:
    """Sum over thresholds of recall gained times precision there."""
    _require(points, negatives=False)
    gained = points.true_positives - points.true_positives_above
    precision = points.true_positives / (points.true_positives + points.false_positives)
    return float(np.sum(gained * precision) / points.n_positive)


def f1_best(points: OperatingPoints) -> F1Max:
    """Best F1 over all thresholds."""
    _require(points, negatives=False)
    flagged = points.true_positives + points.false_positives
    values = 2 * points.true_positives / (flagged + points.n_positive)
    best = int(np.argmax(values))
    threshold = points.thresholds[best].item()
    return F1Max(
        value=float(values[best]),
        # Adding zero turns −0.0 into 0.0: which of the two stands for both depends on the order of the pixels.
        threshold=threshold + 0 if isinstance(threshold, float) else threshold,
        precision=float(points.true_positives[best] / flagged[best]),
        recall=float(points.true_positives[best] / points.n_positive),
    )


def f1_at(statistics: Sequence[PixelStatistics], threshold: float, *, inclusive: bool) -> float:
    """F1 of the pool flagged at score > `threshold`, or ≥ it where `inclusive`; 0 where nothing is flagged."""
    true_positives = sum(own.positives.flagged(threshold, inclusive=inclusive) for own in statistics)
    false_positives = sum(own.negatives.flagged(threshold, inclusive=inclusive) for own in statistics)
    return f1_of_counts(true_positives, false_positives, sum(own.n_positive for own in statistics))


def f1_of_counts(true_positives: int, false_positives: int, n_positive: int) -> float:
    """2TP / (TP + FP + N⁺)."""
    if n_positive == 0:
        raise UndefinedMetricError(NO_ANOMALOUS_PIXEL)
    return 2 * true_positives / (true_positives + false_positives + n_positive)


def aupro(points: OperatingPoints, fpr_limit: float) -> float:
    """Area under the PRO curve up to `fpr_limit`, divided by it."""
    return pro_curve(points).area(fpr_limit)


def pr_auc(points: OperatingPoints) -> float:
    """Area under straight lines through (recall, precision) of every threshold, started at (0, 1)."""
    _require(points, negatives=False)
    gained = points.true_positives - points.true_positives_above
    flagged_above = points.true_positives_above + points.false_positives_above
    before = np.divide(points.true_positives_above, flagged_above, out=np.ones(len(gained)), where=flagged_above > 0)
    precision = points.true_positives / (points.true_positives + points.false_positives)
    return float(np.sum(gained * (precision + before) / 2) / points.n_positive)


def roc_curve(points: OperatingPoints) -> Curve:
    """(false-positive rate, true-positive rate) from (0, 0) to (1, 1)."""
    _require(points, negatives=True)
    return _against_fpr(points, points.true_positives / points.n_positive)


def pro_curve(points: OperatingPoints) -> Curve:
    """(false-positive rate, mean flagged share of the components) from (0, 0) to (1, 1)."""
    _require(points, negatives=True)
    # The last value is 1 by definition; a sum of shares may miss it by a rounding.
    overlap = np.minimum(points.overlap / points.n_components, 1.0)
    overlap[-1] = 1.0
    return _against_fpr(points, overlap)


def _against_fpr(points: OperatingPoints, rate: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Curve:
    """Two points a threshold: just before it, then with everything that shares it."""
    k = rate.size
    x, y = np.zeros(2 * k + 2), np.zeros(2 * k + 2)
    x[1:-1:2], x[2:-1:2], x[-1] = points.false_positives_above, points.false_positives, points.n_negative
    y[2:-1:2], y[3:-1:2], y[-1] = rate, rate[:-1], rate[-1]
    thresholds = np.concatenate([points.thresholds[:1], np.repeat(points.thresholds, 2), points.thresholds[-1:]])
    return Curve(x / points.n_negative, y, thresholds)


def pr_curve(points: OperatingPoints) -> Curve:
    """(recall, precision) at every distinct score of an anomalous pixel; recall 0 has the first precision."""
    _require(points, negatives=False)
    precision = points.true_positives / (points.true_positives + points.false_positives)
    recall = points.true_positives / points.n_positive
    return Curve(
        np.concatenate([[0.0], recall]),
        np.concatenate([precision[:1], precision]),
        np.concatenate([points.thresholds[:1], points.thresholds]),
    )

"""Pixel metrics of one pool of clips, each taken as often as a resample says.

Source: protocols.md, "Pixel metrics"; docs/statistics.md, "Scores of a resample".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vadbench.comparison.step_curves import areas, from_zero, ratio
from vadbench.evaluation.report_statistics import PixelCounts
from vadbench.protocol.protocol import Aupro, PixelProtocol


class WeightedPool:
    """The pixels of clips with multiplicities; every metric gives (B,) float64, NaN where it has no value.

    Parameters
    ----------
    counts : PixelCounts
    weights : (B, C) float64
        How often each clip is taken.

    Notes
    -----
    Counts are whole numbers far below 2^53, so that all sums of them are exact.
    """

    def __init__(self, counts: PixelCounts, weights: NDArray[np.float64]) -> None:
        self.positives = weights @ counts.positives.astype(np.float64)
        self._true = from_zero(self.positives)
        self._false = from_zero(weights @ counts.negatives.astype(np.float64))
        self._coverage = weights @ counts.coverage
        self._components = weights @ counts.components.astype(np.float64)
        self.n_positive = self._true[:, -1]
        self.n_negative = self._false[:, -1]

    def value(self, key: str, protocol: PixelProtocol) -> NDArray[np.float64]:
        """Value of a metric that ranks all pixels; `pixel_f1` is the best over the levels."""
        makers: dict[str, Callable[[], NDArray[np.float64]]] = {
            "pixel_auroc": self.auroc,
            "pixel_ap": self.average_precision,
            "pixel_aupro": lambda: self.aupro(protocol.fpr_limit),
            "pixel_f1": self.f1_best,
        }
        if protocol.aupro is Aupro.PR_TRAPEZOID:
            makers["pixel_aupro"] = self.pr_auc
        return makers[key]()

    def auroc(self) -> NDArray[np.float64]:
        """P(s⁺ > s⁻) + ½ P(s⁺ = s⁻)."""
        outranked = 2 * self.n_negative[:, None] - self._false[:, 1:] - self._false[:, :-1]
        won = np.einsum("bl,bl->b", self.positives, outranked)
        return ratio(won, 2 * self.n_positive * self.n_negative)

    def average_precision(self) -> NDArray[np.float64]:
        """Sum over levels of recall gained times precision there."""
        return ratio(np.einsum("bl,bl->b", self.positives, self._precision()), self.n_positive)

    def pr_auc(self) -> NDArray[np.float64]:
        """Area under straight lines through (recall, precision), started at (0, 1)."""
        precision = self._precision()
        before = np.ones_like(precision)
        before[:, 1:] = precision[:, :-1]
        # Nothing flagged yet, through empty bins, is the start at precision 1.
        before[self._true[:, :-1] + self._false[:, :-1] == 0] = 1.0
        return ratio(np.einsum("bl,bl->b", self.positives, (precision + before) / 2), self.n_positive)

    def f1_best(self) -> NDArray[np.float64]:
        """Best F1 over the levels and over flagging everything."""
        true, flagged = self._true[:, 1:], self._true[:, 1:] + self._false[:, 1:]
        with np.errstate(invalid="ignore"):
            best = (2 * true / (flagged + self.n_positive[:, None])).max(axis=1)
        return np.where(self.n_positive > 0, best, np.nan)

    def aupro(self, fpr_limit: float) -> NDArray[np.float64]:
        """Area under the mean flagged share of components up to a false-positive rate, divided by it."""
        defined = (self.n_positive > 0) & (self.n_negative > 0)
        rate = ratio(self._false, self.n_negative[:, None])
        overlap = np.minimum(ratio(from_zero(self._coverage), self._components[:, None]), 1.0)
        # The last value is 1 by definition; a sum of shares may miss it by a rounding.
        overlap[:, -1] = 1.0
        return np.where(defined, areas(rate, overlap, fpr_limit), np.nan)

    def _precision(self) -> NDArray[np.float64]:
        flagged = self._true[:, 1:] + self._false[:, 1:]
        return np.divide(self._true[:, 1:], flagged, out=np.zeros_like(flagged), where=flagged > 0)


def f1_of_flagged(counts: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 of one pool at a threshold that was fixed before, (B,).

    Parameters
    ----------
    counts : (C, 3) int64
        Flagged anomalous, flagged normal and anomalous pixels.
    weights : (B, C) float64
    """
    true, false, positive = (weights @ counts.astype(np.float64)).T
    return np.where(positive > 0, ratio(2 * true, true + false + positive), np.nan)

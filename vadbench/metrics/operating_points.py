"""Counts of flagged pixels at every threshold that matters, from which all pixel metrics follow.

Only the distinct scores of *anomalous* pixels matter: between two of them the true positives stand still, so that
ROC and PRO run straight on, and neither AP nor the best F1 can gain. What has to be known at each of them is the number
of normal pixels above it and the number of those that share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.statistics.pixels import PixelStatistics, merged_positives
from vadbench.statistics.scores import ScoreCounts


@dataclass(frozen=True)
class OperatingPoints:
    """Counts at the k distinct scores of anomalous pixels, highest threshold first.

    Parameters
    ----------
    thresholds : (k,) real
        A pixel is flagged where its score ≥ threshold.
    true_positives : (k,) int64
        Flagged anomalous pixels.
    false_positives_above : (k,) int64
        Normal pixels with a score > threshold: the point just before the threshold is reached.
    false_positives : (k,) int64
        Normal pixels with a score ≥ threshold.
    overlap : (k,) float64
        Sum over components of the flagged share of the component.
    n_positive, n_negative, n_components : int
    """

    thresholds: NDArray[Any]
    true_positives: NDArray[np.int64]
    false_positives_above: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    overlap: NDArray[np.float64]
    n_positive: int
    n_negative: int
    n_components: int

    @property
    def true_positives_above(self) -> NDArray[np.int64]:
        """Anomalous pixels with a score > threshold, (k,) int64."""
        return np.concatenate([np.zeros(1, dtype=np.int64), self.true_positives[:-1]])[: self.true_positives.size]


def operating_points(statistics: Sequence[PixelStatistics]) -> OperatingPoints:
    """Fold the statistics of clips, always in the order given, into the operating points of their common pool.

    Parameters
    ----------
    statistics : sequence of PixelStatistics
        At least one; all with scores of one dtype.

    Returns
    -------
    OperatingPoints
        Time O(k log n) a clip for k distinct scores of anomalous pixels and n normal pixels.
    """
    positives, coverage = merged_positives(statistics)
    thresholds = positives.values
    above = np.zeros(thresholds.size, dtype=np.int64)
    at_least = np.zeros(thresholds.size, dtype=np.int64)
    for own in statistics:
        above += own.negatives.above(thresholds)
        at_least += own.negatives.at_least(thresholds)
    return pooled_points(
        positives,
        coverage,
        above,
        at_least,
        n_negative=sum(own.n_negative for own in statistics),
        n_components=sum(own.n_components for own in statistics),
    )


def running_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of the first 1 … n values, (n,), by blocks: the rounding grows with the root of n, not with n."""
    length = max(1, int(np.sqrt(values.size)))
    whole = values[: values.size // length * length].reshape(-1, length)
    within = np.cumsum(whole, axis=1)
    before = np.concatenate([[0.0], np.cumsum(within[:, -1])])
    rest = before[-1] + np.cumsum(values[whole.size :])
    return np.concatenate([(within + before[:-1, None]).ravel(), rest])


def pooled_points(
    positives: ScoreCounts,
    coverage: NDArray[np.float64],
    negatives_above: NDArray[np.int64],
    negatives_at_least: NDArray[np.int64],
    *,
    n_negative: int,
    n_components: int,
) -> OperatingPoints:
    """Operating points from the counts of a whole pool, by rising score of its anomalous pixels."""
    return OperatingPoints(
        thresholds=positives.values[::-1],
        true_positives=np.cumsum(positives.occurrences[::-1]),
        false_positives_above=negatives_above[::-1],
        false_positives=negatives_at_least[::-1],
        overlap=running_sums(coverage[::-1]),
        n_positive=positives.total,
        n_negative=n_negative,
        n_components=n_components,
    )

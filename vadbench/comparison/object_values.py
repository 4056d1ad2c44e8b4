"""RBDC and TBDC of clips, each taken as often as a resample says.

Source: protocols.md, "Regions: RBDC and TBDC", "Order statistics"; docs/statistics.md, "Scores of a resample".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vadbench.comparison.step_curves import areas, from_zero, ratio
from vadbench.evaluation.report_statistics import Counts, ObjectCounts


class WeightedDetections:
    """Events of clips with multiplicities; the copies of a clip enter side by side, event by event.

    Parameters
    ----------
    counts : ObjectCounts
    weights : (B, C) float64
        How often each clip is taken.
    fpr_limit : float
        False positives per frame.
    """

    def __init__(self, counts: ObjectCounts, weights: NDArray[np.float64], fpr_limit: float) -> None:
        self._counts, self._weights, self._limit = counts, weights, fpr_limit
        # The last bin is below all levels: nothing is found there, and the curve is held at its last height.
        false_positives = weights @ counts.false_positives[:, :-1].astype(np.float64)
        self._rate = ratio(from_zero(false_positives), (weights @ counts.frames.astype(np.float64))[:, None])

    def rbdc(self) -> NDArray[np.float64]:
        """Area under the share of regions found, (B,); NaN without a region."""
        return self._area(self._counts.regions)

    def tbdc(self) -> NDArray[np.float64]:
        """Area under the share of tracks found, (B,); NaN without a track."""
        return self._area(self._counts.tracks)

    def _area(self, events: Counts) -> NDArray[np.float64]:
        found = self._weights @ events.astype(np.float64)
        total = found.sum(axis=1)
        share = ratio(from_zero(found[:, :-1]), total[:, None])
        return np.where(total > 0, areas(self._rate, share, self._limit), np.nan)

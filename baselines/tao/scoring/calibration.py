"""Calibration: raw scores of an attribute become comparable, 0 to about 1 on what is normal.

Source: tao.md, section 3, "Calibration". What is scored was not learned from: clips are left out one at a time, or a
few at a time where there are many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from baselines.tao.scoring.densities import Density, Features

FitProgress = Callable[[int, int], None]
"""Called with the number of densities that are fitted, and the number of all."""

MOST_FOLDS = 16
"""Groups of clips that are left out in turn: with each clip alone, time grows with the square of their number."""
_PARTS_OF_ONE_CLIP = 4


def no_fit_progress(done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Calibration:
    """A straight line that takes the least normal score to 0 and nearly the highest to 1.

    Parameters
    ----------
    lower, upper : float
        Raw scores that become 0 and 1; scores above `upper` become more than 1.
    """

    lower: float
    upper: float

    @classmethod
    def fit(cls, normal_scores: NDArray[np.float64], quantile: float) -> Self:
        """Line through the minimum and a quantile of scores of normal boxes, (N,)."""
        lower, upper = float(normal_scores.min()), float(np.quantile(normal_scores, quantile))
        return cls(lower, upper if upper > lower else lower + 1.0)

    def calibrated(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores on the line, of the same shape."""
        return (scores - self.lower) / (self.upper - self.lower)


def left_out_scores(
    features: Sequence[Features], fit: Callable[[Features], Density], progress: FitProgress = no_fit_progress
) -> list[NDArray[np.float64]]:
    """Raw scores of the boxes of each training clip, by a density of the other clips.

    Parameters
    ----------
    features : sequence of (N, D) float64 or float32
        One array a training clip, in order; some may have no rows, not all.
    fit : callable
        Fits a density to features (M, D).
    progress : callable, optional

    Returns
    -------
    list of (N,) float64
        One array a training clip; empty for a clip without rows.

    Notes
    -----
    Up to 16 clips are left out one at a time. More of them make 16 groups of about as many clips, which follow each
    other in order: they are often parts of one recording.

    A single clip is cut into four parts in time, which stand in for clips: in-sample scores of nearest neighbours
    would all be 0. A single row is all there is, and is scored by what was learned from it.
    """
    filled = [number for number, part in enumerate(features) if len(part)]
    if len(filled) == 1:
        only = features[filled[0]]
        parts = [part for part in np.array_split(only, _PARTS_OF_ONE_CLIP) if len(part)]
        if len(parts) == 1:
            return [fit(only).scores(part) if len(part) else np.empty(0) for part in features]
        scores = np.concatenate(left_out_scores(parts, fit, progress))
        return [scores if len(part) else np.empty(0) for part in features]
    found = [np.empty(0)] * len(features)
    folds = [fold.tolist() for fold in np.array_split(filled, min(MOST_FOLDS, len(filled)))]
    for done, fold in enumerate(folds, start=1):
        density = fit(np.concatenate([features[number] for number in filled if number not in fold]))
        for number in fold:
            found[number] = density.scores(features[number])
        progress(done, len(folds))
    return found

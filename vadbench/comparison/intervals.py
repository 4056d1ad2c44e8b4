"""Percentile intervals of a score, and of the difference of two scores in the same resamples.

Source: docs/statistics.md, "Intervals"; Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vadbench.comparison.resampling import Unit, check_numbers
from vadbench.errors import UsageError

ROUNDING = 1e-9
"""Scores that differ by less are equal: sums in another order, and effects of nine digits, may do that."""


@dataclass(frozen=True)
class Interval:
    """A percentile interval of the bootstrap, and how it was made.

    Parameters
    ----------
    low, high : float
        Fractions, as the score is.
    confidence : float
        Nominal; docs/statistics.md says what it is worth with few clips.
    unit : Unit
        What was resampled.
    resamples : int
        B, all of them.
    seed : int
    undefined : int
        Resamples in which the score has no value; they are left out.
    """

    low: float
    high: float
    confidence: float
    unit: Unit
    resamples: int
    seed: int
    undefined: int = 0

    @property
    def holds_zero(self) -> bool:
        """Whether the interval of a difference leaves open which is the higher."""
        return self.low <= ROUNDING and self.high >= -ROUNDING

    def to_table(self) -> dict[str, float | int | str]:
        """Fields by name, fit for JSON."""
        return {
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
            "unit": str(self.unit),
            "resamples": self.resamples,
            "seed": self.seed,
            "undefined": self.undefined,
        }


def interval(
    replicates: NDArray[np.float64], *, confidence: float = 0.95, unit: Unit = Unit.CLIPS, seed: int = 0
) -> Interval:
    """Percentile interval of a score from its values in resamples.

    Parameters
    ----------
    replicates : (B,) float64
        NaN where the score has no value.
    confidence : float
        Above 0 and below 1.
    unit : Unit
    seed : int
        With which the resamples were made; for the record.

    Returns
    -------
    Interval
        Quantiles (1 − confidence) / 2 and (1 + confidence) / 2 with linear interpolation.

    Raises
    ------
    UsageError
        U260 for a confidence out of range, U262 where no resample has a value.

    Examples
    --------
    >>> found = interval(np.linspace(0, 1, 101), confidence=0.9)
    >>> round(found.low, 6), round(found.high, 6), found.undefined
    (0.05, 0.95, 0)
    """
    check_numbers(confidence=confidence)
    given = np.asarray(replicates, dtype=np.float64)
    defined = given[~np.isnan(given)]
    if not defined.size:
        raise UsageError("U262", "the score has no value in any resample", got=f"{given.size} resamples")
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high), confidence, unit, given.size, seed, given.size - defined.size)


def paired_interval(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    confidence: float = 0.95,
    unit: Unit = Unit.CLIPS,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a difference, first − second, from values in the same resamples.

    Parameters
    ----------
    first, second : (B,) float64
        Of two methods, resample by resample; a resample counts where both have a value.
    confidence, unit, seed
        As in `interval`.

    Raises
    ------
    UsageError
        U261 where the resamples cannot be the same, else as `interval`.
    """
    if np.shape(first) != np.shape(second):
        raise UsageError(
            "U261",
            "two scores need the same resamples to be compared",
            expected=str(np.shape(first)),
            got=str(np.shape(second)),
            hint="make both with the same number of resamples and the same seed",
        )
    return interval(np.subtract(first, second), confidence=confidence, unit=unit, seed=seed)

"""Multisets of scores: how many reach a threshold, exactly, for every real dtype."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ScoreCounts:
    """How often each score occurs.

    Parameters
    ----------
    values : (n,) real
        Ascending. Distinct where `counts` is given.
    counts : (n,) int64, optional
        None: every entry of `values` counts once, and equal ones stand side by side.
    """

    values: NDArray[Any]
    counts: NDArray[np.int64] | None = None

    @property
    def total(self) -> int:
        """Number of scores."""
        return int(self.values.size if self.counts is None else self.counts.sum())

    @property
    def occurrences(self) -> NDArray[np.int64]:
        """How often each entry of `values` counts, (n,) int64."""
        return np.ones(self.values.size, dtype=np.int64) if self.counts is None else self.counts

    def at_least(self, thresholds: NDArray[Any]) -> NDArray[np.int64]:
        """Number of scores ≥ each threshold; the thresholds have the dtype of the scores."""
        return self._from(np.searchsorted(self.values, thresholds, side="left"))

    def above(self, thresholds: NDArray[Any]) -> NDArray[np.int64]:
        """Number of scores > each threshold; the thresholds have the dtype of the scores."""
        return self._from(np.searchsorted(self.values, thresholds, side="right"))

    def _from(self, index: NDArray[np.intp]) -> NDArray[np.int64]:
        if self.counts is None:
            return np.asarray(self.values.size - index, dtype=np.int64)
        below = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.counts)])
        return np.asarray(below[-1] - below[index], dtype=np.int64)

    def flagged(self, threshold: float, *, inclusive: bool) -> int:
        """Number of scores ≥ `threshold` (inclusive) or > it, compared as real numbers whatever the dtype."""
        least = least_flagged_score(threshold, self.values.dtype, inclusive=inclusive)
        return 0 if least is None else int(self.at_least(least)[0])


@dataclass(frozen=True)
class RankedCounts:
    """How many scores reach each of some thresholds: all that is kept of scores too many to keep.

    Parameters
    ----------
    thresholds : (k,) real
        Ascending and distinct.
    reaching, exceeding : (k,) int64
        Number of scores ≥ and > each threshold.
    total : int
        Number of scores.
    """

    thresholds: NDArray[Any]
    reaching: NDArray[np.int64]
    exceeding: NDArray[np.int64]
    total: int

    def at_least(self, thresholds: NDArray[Any]) -> NDArray[np.int64]:
        """Number of scores ≥ each threshold; only thresholds that were counted can be asked for."""
        return self.reaching[self._places(thresholds)]

    def above(self, thresholds: NDArray[Any]) -> NDArray[np.int64]:
        """Number of scores > each threshold; only thresholds that were counted can be asked for."""
        return self.exceeding[self._places(thresholds)]

    def _places(self, thresholds: NDArray[Any]) -> NDArray[np.intp]:
        if thresholds is self.thresholds:
            return np.arange(thresholds.size)
        places = np.searchsorted(self.thresholds, thresholds)
        if places.size and (places[-1] >= self.thresholds.size or (self.thresholds[places] != thresholds).any()):
            raise ValueError("a threshold that was not counted")
        return places

    def flagged(self, threshold: float, *, inclusive: bool) -> int:
        """Number of scores ≥ `threshold` (inclusive) or > it; its least flagged score must have been counted."""
        least = least_flagged_score(threshold, self.thresholds.dtype, inclusive=inclusive)
        return 0 if least is None else int(self.at_least(least)[0])


def least_flagged_score(threshold: float, dtype: np.dtype[Any], *, inclusive: bool) -> NDArray[Any] | None:
    """Smallest number of `dtype` that is ≥ `threshold` (inclusive) or > it, as an array of one; None if there is none.

    NumPy compares a float32 array with a Python float in float32, and int64 with a float in float64; both round.
    Comparing with this number of the array's own dtype does not.
    """
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if math.isinf(threshold):
            least = int(limits.min) if threshold < 0 else int(limits.max) + 1
        else:
            least = math.ceil(threshold) if inclusive else math.floor(threshold) + 1
        if least > limits.max:
            return None
        return np.array([max(least, int(limits.min))], dtype=dtype)
    with np.errstate(over="ignore"):
        nearest = np.array([threshold], dtype=dtype)
    # A Python float is a float64, and float64 or long double holds every number of a narrower dtype.
    wide = nearest.astype(np.promote_types(dtype, np.float64))[0]
    if wide < threshold or (wide == threshold and not inclusive):
        with np.errstate(over="ignore"):
            nearest = np.nextafter(nearest, np.array([np.inf], dtype=dtype))
    return nearest

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


def sorted_scores(scores: NDArray[Any]) -> ScoreCounts:
    """Count scores of any real dtype, (n,); sorts the array in place.

    Scores with many repetitions are kept as distinct values with counts, the others as they are, whichever is smaller.
    """
    scores.sort()
    first = np.empty(scores.size, dtype=bool)
    first[:1] = True
    np.not_equal(scores[1:], scores[:-1], out=first[1:])
    starts = np.flatnonzero(first) if np.count_nonzero(first) * 3 < scores.size else None
    if starts is None:
        return ScoreCounts(scores)
    return ScoreCounts(scores[starts], np.diff(np.append(starts, scores.size)).astype(np.int64))


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
        nearest = np.nextafter(nearest, np.array([np.inf], dtype=dtype))
    return nearest

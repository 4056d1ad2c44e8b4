"""Ranks that each row can have, as far as the paired resamples decide.

Source: docs/statistics.md, "Rank ranges".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vadbench.comparison.intervals import ROUNDING
from vadbench.comparison.resampling import check_numbers


def rank_ranges(
    replicates: Sequence[NDArray[np.float64]] | NDArray[np.float64], *, confidence: float = 0.95
) -> list[tuple[int, int]]:
    """Best and worst rank of each of n rows.

    Row j is *above* row i where the `paired_interval` of their difference, j − i, lies above 0, by more than rounding:
    where j is higher in about 97.5 % of the resamples. The best rank of a row is 1 plus the rows above it, the worst n
    less the rows that it is above of.

    Parameters
    ----------
    replicates : sequence of n (B,) float64
        The same resamples for all; NaN where a row has no value. Of a pair the resamples count in which both have one;
        without any, neither is above.
    confidence : float

    Returns
    -------
    list of n (best, worst)
        From 1. Time n² B, in blocks of n B bytes: the quantile itself is taken of the few pairs near the edge alone.

    Examples
    --------
    >>> rank_ranges([np.array([0.9, 0.8]), np.array([0.5, 0.6]), np.array([0.55, 0.55])])
    [(1, 1), (2, 3), (2, 3)]
    """
    check_numbers(confidence=confidence)
    if not len(replicates):
        return []
    given = np.ascontiguousarray(np.asarray(replicates, dtype=np.float64).T)
    n_resamples, n = given.shape
    defined = ~np.isnan(given)
    both = np.full((n, n), float(n_resamples)) if defined.all() else defined.T.astype(np.float64) @ defined
    # The quantile lies between the differences of rank `before` and the next, from 0.
    before = np.floor((both - 1) * ((1 - confidence) / 2))
    lowered = given - ROUNDING
    above = np.zeros((n, n), dtype=np.bool_)
    for row in range(n):
        # above[j, row]: j above row; NaN is never higher.
        own = given[:, row : row + 1]
        not_higher = both[:, row] - _counted(lowered > own)
        above[:, row] = (not_higher <= before[:, row]) & (both[:, row] > 0)
        # One of the two differences is above 0 and the other is not, or rounding moved the rank.
        open_rows = np.flatnonzero((np.abs(not_higher - before[:, row] - 0.5) < 1) & (both[:, row] > 0))
        if open_rows.size:
            above[open_rows, row] = _low_ends(given[:, open_rows] - own, confidence) > ROUNDING
    best = 1 + above.sum(axis=0)
    worst = n - above.sum(axis=1)
    return [(int(own_best), int(own_worst)) for own_best, own_worst in zip(best, worst, strict=True)]


def _low_ends(differences: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Lower ends of paired intervals, (n,), as `interval` takes them."""
    share = (1 - confidence) / 2
    if np.isnan(differences).any():
        return np.array([np.quantile(own[~np.isnan(own)], share) for own in differences.T])
    return np.asarray(np.quantile(differences, share, axis=0))


def _counted(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number of true entries in each column; in blocks of rows whose sum fits a byte, which adds eight times faster."""
    total = np.zeros(flags.shape[1], dtype=np.int64)
    for start in range(0, len(flags), 255):
        total += np.add.reduce(flags[start : start + 255].view(np.uint8), axis=0, dtype=np.uint8)
    return total

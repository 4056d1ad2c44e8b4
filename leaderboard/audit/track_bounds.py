"""Bounds between RBDC and TBDC, by theorem 16 of docs/audit.md.

A track is found with a tenth of its regions, so that one that is not found adds less than a tenth of them to RBDC,
and one that is found adds a tenth at least.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leaderboard.audit.bounds import Bound
from leaderboard.audit.printed import Span, Spans

TRACK_FRACTION = 0.1


def regions_needed(sizes: NDArray[np.int64], track_fraction: float = TRACK_FRACTION) -> NDArray[np.int64]:
    """Least count of regions with which each track is found: the first m with m/n ≥ the fraction, as float64."""
    return np.array([next(m for m in range(1, n + 1) if m / n >= track_fraction) for n in sizes.tolist()])


def greatest_rbdc(tbdc: float, sizes: NDArray[np.int64]) -> float:
    """Greatest RBDC at that TBDC: the tracks found are those that add most, with m − 1 regions of any other."""
    needed = regions_needed(sizes)
    gains = np.sort(sizes - (needed - 1))[::-1]
    return _along(np.concatenate([[0], np.cumsum(gains)]) + np.sum(needed - 1), tbdc, sizes)


def least_rbdc(tbdc: float, sizes: NDArray[np.int64]) -> float:
    """Least RBDC at that TBDC: the tracks found are those that need fewest regions, with those alone."""
    return _along(np.concatenate([[0], np.cumsum(np.sort(regions_needed(sizes)))]), tbdc, sizes)


def _along(regions: NDArray[np.int64], tbdc: float, sizes: NDArray[np.int64]) -> float:
    return float(np.interp(tbdc * sizes.size, np.arange(sizes.size + 1), regions / sizes.sum()))


def track_bounds(spans: Spans, sizes: NDArray[np.int64]) -> list[Bound]:
    """Bounds of RBDC, given TBDC and the number of regions of each track."""
    tbdc = spans["tbdc"]
    reach = Span(least_rbdc(tbdc.low, sizes), greatest_rbdc(tbdc.high, sizes))
    return [Bound(16, "rbdc", ("tbdc",), "l(K·TBDC) ≤ RBDC ≤ u(K·TBDC), by the tracks' sizes", reach)]

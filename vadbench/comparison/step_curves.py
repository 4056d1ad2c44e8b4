"""Areas under many curves at once: one row a resample, straight lines between points.

Source: protocols.md, "Pixel metrics" and "Regions"; the same area as `vadbench.metrics.curves.Curve.area`, row by row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def areas(x: NDArray[np.float64], y: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
    """Area under each row's lines over 0 ≤ x ≤ `limit`, divided by the limit, (B,).

    The segment that crosses the limit is cut by interpolation; a curve that ends before it is held at its last height.

    Parameters
    ----------
    x, y : (B, n) float64
        Rows start at (0, 0); `x` never decreases along a row. A row with NaN gives NaN.
    limit : float
        Above 0.
    """
    n = x.shape[1]
    within = x <= limit
    inside = np.count_nonzero(within, axis=1)
    last = np.maximum(inside - 1, 0)[:, None]
    beyond = np.minimum(inside, n - 1)[:, None]
    x_last, y_last = np.take_along_axis(x, last, 1), np.take_along_axis(y, last, 1)
    x_beyond, y_beyond = np.take_along_axis(x, beyond, 1), np.take_along_axis(y, beyond, 1)
    crosses = (inside < n)[:, None]
    # Where no segment crosses, the quotient is not used; 1 keeps it from being 0 / 0.
    share = (limit - x_last) / np.where(crosses, x_beyond - x_last, 1.0)
    at_limit = np.where(crosses, y_last + (y_beyond - y_last) * share, y_last)
    cut_x, cut_y = np.minimum(x, limit), np.where(within, y, at_limit)
    # By steps of y, as `Curve.area`: a curve at its height from x = 0 on gives that height without rounding.
    rise = np.diff(cut_y, axis=1)
    above = np.einsum("bi,bi->b", rise, cut_x[:, 1:] + cut_x[:, :-1]) / (2 * limit)
    return np.asarray(cut_y[:, -1] - above)


def from_zero(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running sums along the rows with a 0 before them, (B, n + 1)."""
    sums = np.zeros((counts.shape[0], counts.shape[1] + 1))
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    return sums


def ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quotient, NaN where the denominator is 0: there is nothing to count."""
    empty = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    return np.asarray(np.divide(numerator, denominator, out=empty, where=denominator != 0), dtype=np.float64)

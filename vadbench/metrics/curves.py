"""Curves of a rate against false positives, their area up to a limit, and a thinned copy for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Curve:
    """Points joined by straight lines.

    Parameters
    ----------
    x, y : (n,) float64
        `x` never decreases.
    thresholds : (n,) real, optional
        The score at which a point is reached; the first point, where nothing is flagged, carries the next one's.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    thresholds: NDArray[Any] | None = None

    def area(self, limit: float = 1.0) -> float:
        """Area under the lines over 0 ≤ x ≤ `limit`, divided by the limit.

        The segment that crosses the limit is cut by interpolation; a curve that ends before it is held at its last
        height (protocols.md, "Pixel metrics" and "Regions").
        """
        inside = int(np.searchsorted(self.x, limit, side="right"))
        x, y = self.x[:inside], self.y[:inside]
        if inside < self.x.size:
            share = (limit - x[-1]) / (self.x[inside] - x[-1])
            x, y = np.append(x, limit), np.append(y, y[-1] + (self.y[inside] - y[-1]) * share)
        # The rectangle up to the last height less what lies above the curve: by steps of y, so that a curve which is
        # at its height from x = 0 on gives that height without any rounding, however many points follow.
        above = np.sum(np.diff(y) * ((x[1:] + x[:-1]) / 2 / limit))
        return float(y[-1] - above)

    def thinned(self, points: int = 400) -> Curve:
        """At most `points` of the curve's own points, even along its length, first and last kept."""
        if self.x.size <= points:
            return self
        steps = np.abs(np.diff(self.x)) + np.abs(np.diff(self.y))
        length = np.concatenate([[0.0], np.cumsum(steps)])
        wanted = np.searchsorted(length, np.linspace(0.0, length[-1], points))
        index = np.unique(np.concatenate([[0], np.minimum(wanted, self.x.size - 1), [self.x.size - 1]]))[:points]
        index[-1] = self.x.size - 1
        return Curve(self.x[index], self.y[index], None if self.thresholds is None else self.thresholds[index])

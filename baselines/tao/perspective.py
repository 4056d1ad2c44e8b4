"""How tall a usual box is at each height of the frame: who is far away is small, and slow in pixels.

Source: issue of scale in section 3 of tao.md ("÷ box height"); the place gives the scale also to boxes of other shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

_BANDS = 8
_LEAST_BOXES = 20


@dataclass(frozen=True)
class Perspective:
    """Usual height of a box whose lower edge is at y: ``intercept + slope * y``, in pixels, at least `least`.

    Parameters
    ----------
    intercept, slope, least : float
    """

    intercept: float
    slope: float
    least: float

    @classmethod
    def fit(cls, boxes: Sequence[NDArray[np.float64]]) -> Self:
        """Learn from the training boxes of one scene, (N, 4) each: a line through the medians of bands of y.

        Medians of bands, so that neither crowded rows nor a few boxes of other things pull the line.
        """
        every = np.concatenate([np.asarray(b, dtype=np.float64).reshape(-1, 4) for b in [*boxes, np.empty((0, 4))]])
        heights, bottoms = every[:, 3] - every[:, 1], every[:, 3]
        if not len(every):
            return cls(1.0, 0.0, 1.0)
        median = float(np.median(heights))
        edges = np.quantile(bottoms, np.linspace(0, 1, _BANDS + 1))
        bands = np.clip(np.searchsorted(edges, bottoms, side="right") - 1, 0, _BANDS - 1)
        filled = [band for band in range(_BANDS) if np.count_nonzero(bands == band) >= _LEAST_BOXES]
        places = [float(np.median(bottoms[bands == band])) for band in filled]
        if len(set(places)) < 2:
            return cls(median, 0.0, max(1.0, 0.2 * median))
        slope, intercept = np.polyfit(places, [float(np.median(heights[bands == band])) for band in filled], 1)
        return cls(float(intercept), float(slope), max(1.0, 0.2 * median))

    def usual_height(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Usual height at the lower edge of each box, (N,) in pixels."""
        return np.maximum(self.intercept + self.slope * boxes[:, 3], self.least)

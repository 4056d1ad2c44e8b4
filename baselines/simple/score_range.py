"""The straight line between a method's own scores and the stored numbers of a submission."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 65_535
"""Largest stored number: score maps are uint16."""


@dataclass(frozen=True)
class ScoreRange:
    """One range for all clips of a data set, fixed before the first test clip is read.

    Parameters
    ----------
    lower, upper : float
        Own scores of the stored numbers 0 and 65 535; scores beyond are stored as the nearer of the two.
    """

    lower: float
    upper: float

    def stored(self, scores: NDArray[Any] | float) -> NDArray[np.uint16]:
        """Stored numbers of own scores, uint16 of the same shape; a higher score never gets a lower number.

        >>> ScoreRange(0.0, 1.0).stored(np.array([-1.0, 0.0, 0.5, 1.0, 7.0])).tolist()
        [0, 0, 32768, 65535, 65535]
        """
        scaled = (np.asarray(scores) - self.lower) * (LARGEST / (self.upper - self.lower))
        return np.asarray(np.clip(np.rint(scaled), 0, LARGEST).astype(np.uint16))

    def stored_quantile(self, counts: NDArray[np.int64], share: float) -> int | None:
        """Least stored number that at most a share 1 - `share` of the counted pixels reaches.

        Parameters
        ----------
        counts : (65536,) int64
            Number of pixels by stored number.
        share : float
            In [0, 1).

        Returns
        -------
        int or None
            None if nothing was counted, or if even the largest number is reached by more.

        >>> counts = np.zeros(65536, dtype=np.int64)
        >>> counts[[10, 20]] = 99, 1
        >>> ScoreRange(0.0, 1.0).stored_quantile(counts, 0.99), ScoreRange(0.0, 1.0).stored_quantile(counts, 0.5)
        (11, 11)
        """
        total = int(counts.sum())
        reached = np.cumsum(counts[::-1])[::-1]
        # A hair wider than asked for, because 1 - 0.99 is a little more or less than a hundredth.
        few = np.flatnonzero(reached <= math.floor((1.0 - share) * total + 1e-6))
        return int(few[0]) if total and few.size else None

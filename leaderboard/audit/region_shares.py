"""How much of the regions a detector can cover, on the mean, with a given share of the anomalous pixels.

Source: docs/audit.md, theorem 9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class RegionShares:
    """Greatest and least mean flagged share of the regions, by recall: small regions first, or large ones first.

    Parameters
    ----------
    recall, share : (C + 1,) float64
        Knots of the greatest mean share, which is linear between them: from (0, 0) to (1, 1), concave.
    """

    recall: NDArray[np.float64]
    share: NDArray[np.float64]

    @classmethod
    def of_sizes(cls, sizes: ArrayLike) -> RegionShares:
        """Of regions with these numbers of pixels, (C,) integers above 0."""
        rising = np.sort(np.asarray(sizes, dtype=np.float64))
        recall = np.concatenate([[0.0], np.cumsum(rising) / rising.sum()])
        return cls(recall, np.arange(rising.size + 1) / rising.size)

    def greatest(self, recall: ArrayLike) -> NDArray[np.float64]:
        """Greatest mean share at that recall, which may be above 1."""
        return np.asarray(np.interp(np.asarray(recall, dtype=np.float64), self.recall, self.share), dtype=np.float64)

    def least(self, recall: ArrayLike) -> NDArray[np.float64]:
        """Least mean share at that recall: what is not flagged lies in the smallest regions."""
        return np.asarray(
            1 - np.interp(1 - np.asarray(recall, dtype=np.float64), self.recall, self.share), dtype=np.float64
        )

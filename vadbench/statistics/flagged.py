"""Pixels flagged at a declared threshold, counted frame by frame.

Source: protocols.md, "Pixel metrics", "Pixel-F1 (declared)".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FlaggedCounts:
    """Counts of the frames that enter, by frame.

    Parameters
    ----------
    true_positives, false_positives, positives : (n,) int64
        Flagged anomalous, flagged normal, and anomalous pixels.
    silent : (n,) bool
        Frames whose map is 0 everywhere.
    """

    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    positives: NDArray[np.int64]
    silent: NDArray[np.bool_]


def joined_flagged_counts(parts: Sequence[FlaggedCounts]) -> FlaggedCounts:
    """Counts of several sets of frames, one after the other."""
    none = np.zeros(0, dtype=np.int64)
    return FlaggedCounts(
        np.concatenate([none, *(part.true_positives for part in parts)]),
        np.concatenate([none, *(part.false_positives for part in parts)]),
        np.concatenate([none, *(part.positives for part in parts)]),
        np.concatenate([none.astype(bool), *(part.silent for part in parts)]),
    )

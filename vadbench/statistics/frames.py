"""Statistics of the frames of a clip: labels and scores.

Source: protocols.md, "Frame metrics".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FrameStatistics:
    """Labels and scores of the frames of one clip.

    Parameters
    ----------
    labels : (T,) bool
    scores : (T,) real
        −∞ ranks below everything: a frame without an instance or a detection.
    """

    labels: NDArray[np.bool_]
    scores: NDArray[Any]


def highest_by_frame(frames: NDArray[np.integer[Any]], scores: NDArray[Any], n_frames: int) -> NDArray[np.float64]:
    """Highest score of the rows of each frame, (T,) float64, −∞ for a frame without a row.

    Parameters
    ----------
    frames : (N,) int
        Frame of each row.
    scores : (N,) real
        Taken as float64.
    n_frames : int
        T.
    """
    highest = np.full(n_frames, -np.inf)
    np.maximum.at(highest, frames, scores.astype(np.float64))
    return highest

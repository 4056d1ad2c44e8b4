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


def highest_by_frame(frames: NDArray[np.integer[Any]], scores: NDArray[Any], n_frames: int) -> NDArray[Any]:
    """Highest score of the rows of each frame, (T,), −∞ for a frame without a row.

    Parameters
    ----------
    frames : (N,) int
        Frame of each row.
    scores : (N,) real
    n_frames : int
        T.

    Returns
    -------
    (T,) float64 or wider; Python numbers for integers of 64 bits, which no float beside −∞ would hold.
    """
    if scores.dtype.kind in "iu" and scores.dtype.itemsize > 4:
        highest = np.full(n_frames, -np.inf, dtype=object)
        for frame, score in zip(frames.tolist(), scores.tolist(), strict=True):
            highest[frame] = max(highest[frame], score)
        return highest
    highest = np.full(n_frames, -np.inf, dtype=np.promote_types(scores.dtype, np.float64))
    np.maximum.at(highest, frames, scores)
    return highest

"""Frame difference: what changes from one frame to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.simple.baseline import Baseline, Progress, Scorer, no_progress, stored_counts
from baselines.simple.frames import grey_frames, smoothed_in_space, smoothed_in_time
from baselines.simple.score_range import LARGEST, ScoreRange
from vadbench import Clip, Dataset


@dataclass(frozen=True)
class FrameDifference(Baseline):
    """Absolute difference of consecutive frames, smoothed in space and over a short time.

    Training clips serve for the declared threshold alone: where there are none, none is declared, and RBDC, TBDC
    and F1 (declared) are not available. The defaults were chosen on the synthetic data set (seeds 1 and 2), never on a
    real test set.

    Parameters
    ----------
    smoothing : float
        Standard deviation of the Gaussian in space, as a share of the frame's height.
    reach : int
        Frames on both sides that are averaged with each frame.
    threshold_share : float
        Share of the training pixels that score below the declared threshold.
    """

    name = "frame-difference"
    title = "Frame difference"
    summary = "Absolute difference of consecutive frames in grey, smoothed: fast things score high."

    smoothing: float = 0.04
    reach: int = 1
    threshold_share: float = 0.99

    def fit(self, dataset: Dataset, progress: Progress = no_progress) -> Scorer:
        """Take the threshold from the training clips, if there are any."""
        # Nothing can differ by more than 255 grey levels: the range needs no data at all.
        score_range = ScoreRange(0.0, 255.0)
        counts = np.zeros(LARGEST + 1, dtype=np.int64)
        for done, clip in enumerate(dataset.training_clips, start=1):
            stored_counts(self._scores(clip), score_range, counts)
            progress("threshold", done, len(dataset.training_clips))
        return Scorer(self._scores, score_range, score_range.stored_quantile(counts, self.threshold_share))

    def _scores(self, clip: Clip) -> Iterator[NDArray[np.floating[Any]]]:
        differences = frame_differences(grey_frames(clip))
        return smoothed_in_time((smoothed_in_space(change, self.smoothing) for change in differences), self.reach)


def frame_differences(frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Yield the absolute difference of each frame, (H, W), to the one before.

    The first frame has none before it and gets its difference to the second; a single frame gets zeros.

    >>> [m.tolist() for m in frame_differences([np.float32([[1, 1]]), np.float32([[4, 1]]), np.float32([[4, 0]])])]
    [[[3.0, 0.0]], [[3.0, 0.0]], [[0.0, 1.0]]]
    """
    ahead = iter(frames)
    before = next(ahead, None)
    if before is None:
        return
    second = next(ahead, None)
    if second is None:
        yield np.zeros_like(before)
        return
    yield np.abs(second - before)
    for frame in chain([second], ahead):
        yield np.abs(frame - before)
        before = frame

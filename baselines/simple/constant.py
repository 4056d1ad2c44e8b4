"""Constant: the same score everywhere, the floor of every metric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.simple.baseline import Baseline, Progress, Scorer, no_progress
from baselines.simple.score_range import ScoreRange
from vadbench import Clip, Dataset


@dataclass(frozen=True)
class Constant(Baseline):
    """One score for every pixel of every frame; needs no frames.

    Its values are known beforehand: AUROC 0.5, AP the share p of anomalous pixels, AUPRO half its limit,
    F1 2p / (1 + p).

    Parameters
    ----------
    score : float
        In [0, 1]; which one makes no difference.
    """

    name = "constant"
    title = "Constant"
    summary = "The same score for every pixel: what a metric gives for knowing nothing."
    needs_frames = False

    score: float = 0.5

    def fit(self, dataset: Dataset, progress: Progress = no_progress) -> Scorer:
        """There is nothing to learn, and no threshold that says anything."""
        return Scorer(self._scores, ScoreRange(0.0, 1.0))

    def _scores(self, clip: Clip) -> Iterator[NDArray[np.floating[Any]]]:
        scores = np.full((clip.height, clip.width), self.score, dtype=np.float32)
        return (scores for _ in range(clip.frames))

"""Random: seeded noise, the level of chance of every metric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.simple.baseline import Baseline, Progress, Scorer, no_progress
from baselines.simple.score_range import ScoreRange
from vadbench import Clip, Dataset, Detections


@dataclass(frozen=True)
class RandomCells(Baseline):
    """A uniform random score for every square cell of every frame; needs no frames.

    The best cell of each frame is also given as a detection: one box a frame, about as large as an object, so that
    RBDC and TBDC have a level of chance too, without a threshold. Noise of single pixels would have no boxes to
    speak of, and fills a disk: it cannot be compressed.

    Parameters
    ----------
    seed : int
        Together with the clip's id it decides every score, so no clip depends on another.
    cell : float
        Side of a cell as a share of the frame's height.
    """

    name = "random"
    title = "Random"
    summary = "Seeded uniform noise in square cells, and the best cell of each frame as a box: the level of chance."
    needs_frames = False

    seed: int = 0
    cell: float = 0.08

    def fit(self, dataset: Dataset, progress: Progress = no_progress) -> Scorer:
        """There is nothing to learn, and no threshold that says anything."""
        return Scorer(self._scores, ScoreRange(0.0, 1.0), detections=self._detections)

    def _side(self, clip: Clip) -> int:
        return max(1, round(self.cell * clip.height))

    def _cells(self, clip: Clip) -> Iterator[NDArray[np.float64]]:
        """Yield the scores of the cells, (rows, columns), of each frame."""
        rng = np.random.default_rng([self.seed, *clip.id.encode()])
        side = self._side(clip)
        shape = -(-clip.height // side), -(-clip.width // side)
        return (rng.random(shape) for _ in range(clip.frames))

    def _scores(self, clip: Clip) -> Iterator[NDArray[np.floating[Any]]]:
        side = self._side(clip)
        for cells in self._cells(clip):
            yield cells.repeat(side, axis=0).repeat(side, axis=1)[: clip.height, : clip.width]

    def _detections(self, clip: Clip) -> Detections:
        side = self._side(clip)
        boxes, scores = [], []
        for cells in self._cells(clip):
            row, column = divmod(int(cells.argmax()), cells.shape[1])
            x, y = column * side, row * side
            boxes.append([x, y, min(x + side, clip.width), min(y + side, clip.height)])
            scores.append(cells[row, column])
        return Detections(np.arange(clip.frames), np.array(boxes, dtype=np.float32), np.array(scores))

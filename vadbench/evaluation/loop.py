"""The clips of a data set, one after the other or side by side, folded in order of their ids as they come.

Scores of more than 16 bits take two rounds where all clips are ranked in one pool: the anomalous pixels of every clip
first, whose distinct scores are the thresholds for all; then the normal pixels, counted at and between them.

Source: architecture, "The loop"; protocols.md, "Statistics".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vadbench.evaluation.clip import (
    ClipStatistics,
    ClipTask,
    clip_positives,
    clip_statistics,
    pixels_are_ranked_together,
)
from vadbench.evaluation.executors import Progress, ordered_results
from vadbench.evaluation.kept_results import KeptResults, KeptWork
from vadbench.evaluation.pixel_scores import CommonPool, folded
from vadbench.evaluation.report import ClipRow
from vadbench.evaluation.scores import score_clips
from vadbench.evaluation.shared_arrays import shared
from vadbench.metrics.operating_points import OperatingPoints
from vadbench.statistics.pixels import PixelStatistics, PositivePixels, counted_thresholds
from vadbench.statistics.scores import least_flagged_score

Result = TypeVar("Result")
Work = Callable[[ClipTask], Result]


@dataclass(frozen=True)
class WorkedClips:
    """What came of all clips.

    Parameters
    ----------
    statistics : list of ClipStatistics
        In order of clip id; pixels that were folded are `FoldedPixels`.
    rows : list of ClipRow
        Each clip's own scores.
    common : OperatingPoints or None
        Of the pixels of all clips, where they were folded.
    """

    statistics: list[ClipStatistics]
    rows: list[ClipRow]
    common: OperatingPoints | None


def work_on_clips(
    tasks: Sequence[ClipTask],
    executor: Executor | None,
    progress: Progress | None,
    kept: KeptResults | None = None,
) -> WorkedClips:
    """Compute statistics and rows of all clips.

    Parameters
    ----------
    tasks : sequence of ClipTask
        In order of clip id, at least one.
    executor : Executor or None
        None: in this process.
    progress : callable or None
    kept : KeptResults or None
        Results of an earlier run, and where those of this one are kept.
    """
    positives_work: Work[PositivePixels | None] = clip_positives
    statistics_work: Work[ClipStatistics] = clip_statistics
    if kept is not None:
        positives_work = KeptWork(clip_positives, kept, "positives")
        statistics_work = KeptWork(clip_statistics, kept, "statistics")
    gathered: list[PositivePixels | None] = [None] * len(tasks)
    pool = None
    if _needs_common_thresholds(tasks):
        gathered = list(ordered_results(positives_work, tasks, executor, _first_round(progress)))
        progress = _second_round(progress)
        found = [own for own in gathered if own is not None]
        if found:
            thresholds = counted_thresholds(found, _further_thresholds(tasks[0], found[0]))
            pool = CommonPool(thresholds)
            if kept is not None:
                digest = sha256(thresholds.view(np.uint8).data).digest()
                statistics_work = KeptWork(clip_statistics, kept, "statistics", digest)
            handle = shared(executor, thresholds)
            tasks = [replace(task, positives=own, thresholds=handle) for task, own in zip(tasks, gathered, strict=True)]
    del gathered
    statistics, rows = [], []
    for task, clip in zip(tasks, ordered_results(statistics_work, tasks, executor, progress), strict=True):
        scores = score_clips([clip], task.protocol, task.sources, list(task.metrics), curves=False).scores
        rows.append(ClipRow(id=clip.clip.id, frames=clip.clip.frames, scores=scores))
        statistics.append(_folded_into(pool, clip, task))
    return WorkedClips(statistics, rows, None if pool is None else pool.points())


def _needs_common_thresholds(tasks: Sequence[ClipTask]) -> bool:
    return len(tasks) > 1 and pixels_are_ranked_together(tasks[0])


def _first_round(progress: Progress | None) -> Progress | None:
    if progress is None:
        return None
    return lambda done, total, clip_id: progress(done, 2 * total, f"{clip_id}, anomalous pixels")


def _second_round(progress: Progress | None) -> Progress | None:
    if progress is None:
        return None
    return lambda done, total, clip_id: progress(total + done, 2 * total, clip_id)


def _further_thresholds(task: ClipTask, positives: PositivePixels) -> list[NDArray[Any]]:
    """Thresholds beside the scores of anomalous pixels: that of F1, where the protocol has one."""
    threshold = task.protocol.pixel.f1.threshold
    least = None
    if threshold is not None:
        least = least_flagged_score(threshold, positives.scores.values.dtype, inclusive=False)
    return [] if least is None else [least]


def _folded_into(pool: CommonPool | None, clip: ClipStatistics, task: ClipTask) -> ClipStatistics:
    """Fold the clip's pixels into the pool, where there is one, and keep of them what is needed beside."""
    if pool is None or clip.negatives is None or not isinstance(clip.pixels, PixelStatistics):
        return clip
    pool.add(clip.pixels, *clip.negatives)
    return replace(clip, pixels=folded(clip.pixels, task.protocol.pixel), negatives=None)

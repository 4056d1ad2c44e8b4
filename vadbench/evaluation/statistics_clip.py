"""The second work on a clip, for the statistics beside a report: pixels by level, flagged pixels by frame, boxes.

Source: docs/report-statistics.md, "How they are made".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.evaluation.clip import ClipTask, pixel_choices, pixel_maps, present, scored_detections
from vadbench.evaluation.collectors import Collector, FlaggedCollector
from vadbench.evaluation.pixel_collectors import PixelChoices, PooledCodes, Positives
from vadbench.evaluation.report_statistics import TrackSummary
from vadbench.evaluation.sources import Source
from vadbench.evaluation.statistics_file import COVERAGE_UNIT
from vadbench.prediction import Prediction
from vadbench.protocol.protocol import FrameSelection
from vadbench.statistics.detections import ComponentDetections
from vadbench.statistics.flagged import FlaggedCounts
from vadbench.statistics.intervals import IntervalCounter
from vadbench.statistics.keys import is_narrow
from vadbench.statistics.scores import ScoreCounts
from vadbench.truth import Track, Truth

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class StatisticsTask:
    """One clip of which statistics are made; picklable.

    Parameters
    ----------
    clip : ClipTask
        As it was scored.
    levels : (L,) real, falling, or None
        Of the pixels that are ranked together; None where none are.
    flagged_at : tuple of a threshold and whether a score equal to it is flagged, or None
        Compared with scores after the protocol's map scaling.
    boxes_of : (n,) int64
        Detections whose boxes are wanted, by their place in reading order.
    """

    clip: ClipTask
    levels: NDArray[Any] | None
    flagged_at: tuple[float, bool] | None
    boxes_of: Counts

    @property
    def clip_id(self) -> str:
        """The clip's id."""
        return self.clip.clip_id


@dataclass(frozen=True)
class ClipLevels:
    """The pixels of a clip by level, as `PixelCounts` has them for all clips."""

    positives: Counts
    negatives: Counts
    coverage: NDArray[np.float64]
    components: int


@dataclass(frozen=True)
class ClipDetails:
    """What the statistics need of a clip beside what scoring it gave.

    Parameters
    ----------
    pixels : ClipLevels or None
        None without levels or masks.
    flagged : FlaggedCounts or None
        Of every frame; None without a threshold or masks.
    boxes : (n, 4) float64
    box_frames : (n,) int64
    tracks : tuple of TrackSummary
        Not found yet.
    """

    pixels: ClipLevels | None
    flagged: FlaggedCounts | None
    boxes: NDArray[np.float64]
    box_frames: Counts
    tracks: tuple[TrackSummary, ...]


def clip_details(task: StatisticsTask) -> ClipDetails:
    """Go through the predictions of one clip again."""
    clip = replace(task.clip.dataset.clip(task.clip_id), frame_reader=None)
    truth = task.clip.truth()
    prediction = task.clip.predictions.clip(clip)
    scored = pixel_maps(task.clip, truth, prediction)
    choices = pixel_choices(task.clip, truth, scored)
    counter = None if choices is None or task.levels is None else _LevelCounter(choices, task.levels)
    flagged = None if choices is None or task.flagged_at is None else _FlaggedFrames(choices, *task.flagged_at)
    components = _components(task, prediction)
    collectors: list[Collector] = [own for own in (counter, flagged, components) if own is not None]
    maps = scored or prediction.maps
    if collectors and maps is not None:
        for start, block in maps.blocks():
            for collector in collectors:
                collector.add(start, block)
    boxes, frames = _boxes(task, prediction, components)
    return ClipDetails(
        pixels=None if counter is None else counter.levels(),
        flagged=None if flagged is None else flagged.counts(),
        boxes=boxes,
        box_frames=frames,
        tracks=tuple(track_summary(task.clip_id, track) for track in _tracks(task, truth)),
    )


def _components(task: StatisticsTask, prediction: Prediction) -> ComponentDetections | None:
    if not task.boxes_of.size or task.clip.sources.objects is not Source.COMPONENTS:
        return None
    return ComponentDetections(present(task.clip.predictions.threshold), present(prediction.maps).dtype)


def _boxes(
    task: StatisticsTask, prediction: Prediction, components: ComponentDetections | None
) -> tuple[NDArray[np.float64], Counts]:
    if not task.boxes_of.size:
        return np.zeros((0, 4)), np.zeros(0, dtype=np.int64)
    found = scored_detections(task.clip, prediction, components)
    in_order = np.argsort(found.frames, kind="stable")[task.boxes_of]
    return found.boxes[in_order].astype(np.float64), found.frames[in_order].astype(np.int64)


def _tracks(task: StatisticsTask, truth: Truth) -> Sequence[Track]:
    if not isinstance(task.clip.sources.objects, Source):
        return ()
    return truth.tracks() or ()


def track_summary(clip_id: str, track: Track) -> TrackSummary:
    """Length, size and speed of a track; what of it is found is filled in later."""
    sizes = track.boxes[:, 2:] - track.boxes[:, :2]
    centres = (track.boxes[:, 2:] + track.boxes[:, :2]) / 2
    steps = np.diff(track.frames)
    # A gap of several frames is one step of that many.
    speeds = np.linalg.norm(np.diff(centres, axis=0), axis=1) / steps
    return TrackSummary(
        clip=clip_id,
        track=track.id,
        first_frame=int(track.frames[0]),
        last_frame=int(track.frames[-1]),
        regions=int(track.frames.size),
        height=float(np.median(sizes[:, 1])),
        width=float(np.median(sizes[:, 0])),
        speed=round(float(np.median(speeds)), 3) if speeds.size else 0.0,
        found_regions=0,
        found_at=None,
    )


class _FlaggedFrames:
    """Flagged pixels of every frame, whichever frames enter the metrics, on scores as the pixel metrics see them."""

    def __init__(self, choices: PixelChoices, threshold: float, inclusive: bool) -> None:
        self._choices = choices
        every_frame = replace(choices.protocol, frames=FrameSelection.ALL)
        ranked = replace(choices, dtype=choices.ranked_dtype, protocol=every_frame)
        self._collector = FlaggedCollector(threshold, ranked, inclusive=inclusive)

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in a block."""
        self._collector.add(first_frame, self._choices.scaled(scores))

    def counts(self) -> FlaggedCounts:
        """Give the counts of all frames."""
        return self._collector.counts()


class _LevelCounter:
    """Pixels by level, of scores of any dtype, of the frames that enter."""

    def __init__(self, choices: PixelChoices, levels: NDArray[Any]) -> None:
        self._choices, self._rising = choices, levels[::-1].copy()
        self._narrow = is_narrow(choices.ranked_dtype)
        self._codes = PooledCodes(choices) if self._narrow else None
        self._positives = None if self._narrow else Positives(choices)
        self._counter = None if self._narrow else IntervalCounter(self._rising)

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in a block."""
        if self._codes is not None:
            self._codes.add(first_frame, scores)
            return
        present(self._positives).add(first_frame, scores)
        for begin, end in self._choices.stretches(first_frame, len(scores)):
            present(self._counter).add(self._choices.scaled(scores[begin:end]))

    def levels(self) -> ClipLevels:
        """Give the counts, highest level first."""
        if self._codes is not None:
            own = self._codes.result()
            positives, coverage, components = own.positives, own.coverage, own.n_components
            if not isinstance(own.negatives, ScoreCounts):
                raise AssertionError("scores of at most 16 bits are counted by value")
            negatives = self._by_level(own.negatives)
        else:
            found = present(self._positives).positives()
            positives, coverage, components = found.scores, found.coverage, found.n_components
            at, between = present(self._counter).counts()
            every = between.astype(np.int64)
            every[1:] += at.astype(np.int64)
            negatives = every[::-1] - self._by_level(positives)
        shares = np.zeros(self._rising.size + 1)
        np.add.at(shares, self._bins(positives), coverage)
        return ClipLevels(self._by_level(positives), negatives, rounded_coverage(shares, components), components)

    def _bins(self, counts: ScoreCounts) -> NDArray[np.intp]:
        return self._rising.size - np.searchsorted(self._rising, counts.values, side="right")

    def _by_level(self, counts: ScoreCounts) -> Counts:
        result = np.zeros(self._rising.size + 1, dtype=np.int64)
        np.add.at(result, self._bins(counts), counts.occurrences)
        return result


def rounded_coverage(shares: NDArray[np.float64], components: int) -> NDArray[np.float64]:
    """Shares (L + 1,) in ten-thousandths of a component, so that their running sums are right to half of one.

    They add up to the number of components.
    """
    running = np.rint(np.cumsum(shares) * COVERAGE_UNIT)
    # A sum of shares may miss the whole number by a rounding.
    running = np.minimum(running, components * COVERAGE_UNIT)
    if components:
        last = int(np.flatnonzero(shares)[-1])
        running[last:] = components * COVERAGE_UNIT
    return np.diff(running, prepend=0.0) / COVERAGE_UNIT

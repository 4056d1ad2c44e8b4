"""Statistics beside a report: a second pass over the predictions, on levels chosen from what the first one found.

Source: docs/report-statistics.md, "How they are made".
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Dataset
from vadbench.errors import DataError, quoted
from vadbench.evaluation.evaluate import Evaluation, evaluation_of
from vadbench.evaluation.executors import Progress, ordered_results
from vadbench.evaluation.pixel_scores import FoldedPixels, FrameValues, folded, frame_f1_values
from vadbench.evaluation.predictions import PredictionSource
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import (
    MOST_FALSE_POSITIVES,
    ClipSums,
    Counts,
    FalsePositive,
    FlaggedFrames,
    FrameRanks,
    ObjectCounts,
    PixelCounts,
    ReportStatistics,
    TrackSummary,
)
from vadbench.evaluation.score_levels import PixelLevels, object_places, pixel_levels
from vadbench.evaluation.statistics_clip import ClipDetails, StatisticsTask, clip_details
from vadbench.evaluation.statistics_values import statistics_values
from vadbench.metrics.frames import ClipScaling, scaled_to_unit
from vadbench.metrics.objects import DetectionEvents, DetectionRates, Ties, detection_events, rates_of_events
from vadbench.metrics.operating_points import operating_points
from vadbench.prediction import Prediction
from vadbench.protocol.protocol import Pooling, Protocol
from vadbench.protocol.titles import DECLARED
from vadbench.statistics.frames import FrameStatistics
from vadbench.statistics.objects import ObjectStatistics, laid_in_line
from vadbench.statistics.pixels import PixelStatistics

if TYPE_CHECKING:
    from vadbench.submission import Submission

_DIGITS = 9


def report_statistics(
    submission: Submission | PredictionSource | Mapping[str, Prediction] | str | os.PathLike[str],
    dataset: Dataset,
    report: Report,
    *,
    threshold: float | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ReportStatistics:
    """Make the statistics that are kept beside a report.

    Parameters
    ----------
    submission : Submission or its path, or mapping from clip id to Prediction
        That the report is of; it is scored again, for the report does not say where its levels should lie.
    dataset : Dataset
    report : Report
    threshold : float, optional
        Declared threshold of score maps in memory, as it was given to `evaluate`.
    executor : concurrent.futures.Executor, optional
    progress : callable, optional
        As of `evaluate`; both passes count.

    Returns
    -------
    ReportStatistics
        The same whatever the executor.

    Raises
    ------
    DataError
        D374 where the report is not what scoring these predictions on this data set gives.
    """
    metrics = [key for key in report.scores if key != DECLARED]
    evaluation = evaluation_of(
        submission,
        dataset,
        report.parsed_signature.protocol,
        metrics,
        threshold=threshold,
        executor=executor,
        progress=first_of_two(progress, len(dataset.clips)),
    )
    for what, expected, got in (
        ("signature", evaluation.report.signature, report.signature),
        ("fingerprint", evaluation.report.submission["fingerprint"], report.submission.get("fingerprint")),
        ("scores", evaluation.report.scores, report.scores),
    ):
        if expected != got:
            raise DataError(
                "D374",
                "the report is not of these predictions",
                where=what,
                expected="what scoring them gives" if what == "scores" else quoted(expected),
                got="other values" if what == "scores" else quoted(got),
                hint="score them again",
            )
    return statistics_of(evaluation, executor=executor, progress=progress)


def first_of_two(progress: Progress | None, clips: int) -> Progress | None:
    """Progress of an evaluation after which `statistics_of` goes on."""
    if progress is None:
        return None
    return lambda done, total, clip_id: progress(done, total + clips, clip_id)


def statistics_of(
    evaluation: Evaluation, *, executor: Executor | None = None, progress: Progress | None = None
) -> ReportStatistics:
    """Make the statistics beside the report of an evaluation, going through the predictions once more."""
    return _StatisticsPass(evaluation).run(executor, progress)


@dataclass(frozen=True)
class _Detections:
    """The detections of all clips in line, and where those of each begin and end."""

    joined: ObjectStatistics
    events: DetectionEvents
    rates: DetectionRates
    parts: dict[int, tuple[slice, slice, slice]]
    """By clip: its detections, regions and tracks."""


class _StatisticsPass:
    """One making of statistics."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self._report, self._clips = evaluation.report, evaluation.clips
        self._protocol: Protocol = evaluation.tasks[0].protocol
        self._pooled = self._protocol.pixel.pooling is Pooling.DATASET

    def run(self, executor: Executor | None, progress: Progress | None) -> ReportStatistics:
        levels, flagged_at = self._pixel_levels(), self._flagged_at()
        detections = self._detections()
        largest = self._largest_false_positives(detections)
        tasks = [
            StatisticsTask(task, None if levels is None else levels.thresholds, flagged_at, rows)
            for task, rows in zip(self._evaluation.tasks, largest, strict=True)
        ]
        n = len(tasks)
        rounds = 2 if self._evaluation.common is not None else 1

        def told(done: int, total: int, clip_id: str) -> None:
            if progress is not None:
                progress(rounds * n + done, (rounds + 1) * total, f"{clip_id}, statistics")

        details = list(ordered_results(clip_details, tasks, executor, told))
        fingerprint = str(self._report.submission["fingerprint"])
        result = ReportStatistics(
            signature=self._report.signature,
            fingerprint=fingerprint,
            clip_ids=tuple(own.clip.id for own in self._clips),
            frames=np.array([own.clip.frames for own in self._clips], dtype=np.int64),
            pixels=None if levels is None else _pixel_counts(levels, details),
            frame_means=self._frame_means(),
            declared=self._declared(),
            fixed=self._fixed(),
            objects=None if detections is None else self._object_counts(detections),
            frame_ranks=self._frame_ranks(),
            flagged=None if flagged_at is None else _flagged_frames(flagged_at, details),
            tracks=self._tracks(detections, details),
            false_positives=self._false_positives(detections, largest, details),
        )
        return replace(result, effect=self._effect(result))

    def _effect(self, result: ReportStatistics) -> dict[str, float]:
        values = statistics_values(self._report, result)
        scores = self._report.scores
        # Adding zero turns −0.0 into 0.0.
        return {key: round(value - (scores[key].value or 0.0), _DIGITS) + 0.0 for key, value in values.items()}

    def _pixel_levels(self) -> PixelLevels | None:
        if not self._pooled:
            return None
        points = self._evaluation.common
        if points is None:
            own = [clip.pixels for clip in self._clips if isinstance(clip.pixels, PixelStatistics)]
            points = operating_points(own) if own else None
        if points is None or not points.n_positive:
            return None
        return pixel_levels(points, self._protocol.pixel.fpr_limit)

    def _flagged_at(self) -> tuple[float, bool] | None:
        score = self._report.scores.get("pixel_f1")
        if score is None or score.value is None:
            return None
        fixed = self._protocol.pixel.f1.threshold
        if fixed is not None:
            return fixed, False
        if score.threshold is None:
            return None
        # Not as a float: it may be a whole number that none holds.
        return (-math.inf if score.threshold == "all" else score.threshold), True

    def _frame_means(self) -> ClipSums | None:
        parts = [own.pixels if isinstance(own.pixels, FrameValues) else None for own in self._clips]
        if not any(parts):
            return None
        values: dict[str, list[NDArray[np.float64]]] = {
            key: [np.zeros(0) if part is None else part.values[key] for part in parts]
            for key, score in self._report.scores.items()
            if score.value is not None and any(part is not None and key in part.values for part in parts)
        }
        declared = self._report.scores.get(DECLARED)
        if declared is not None and declared.value is not None:
            silent = self._protocol.pixel.silent_frames
            values[DECLARED] = [
                np.zeros(0) if own.flagged is None else frame_f1_values(own.flagged, silent) for own in self._clips
            ]
        return ClipSums(
            sums={key: np.array([float(np.nansum(own)) for own in rows]) for key, rows in values.items()},
            counts={
                key: np.array([np.count_nonzero(~np.isnan(own)) for own in rows], dtype=np.int64)
                for key, rows in values.items()
            },
        )

    def _declared(self) -> Counts | None:
        if not self._pooled or all(own.flagged is None for own in self._clips):
            return None
        rows = [
            (0, 0, 0)
            if own.flagged is None
            else (own.flagged.true_positives.sum(), own.flagged.false_positives.sum(), own.flagged.positives.sum())
            for own in self._clips
        ]
        return np.array(rows, dtype=np.int64)

    def _fixed(self) -> Counts | None:
        choices = self._protocol.pixel
        if not self._pooled or choices.f1.threshold is None or self._flagged_at() is None:
            return None
        rows = []
        for clip in self._clips:
            own = folded(clip.pixels, choices) if isinstance(clip.pixels, PixelStatistics) else clip.pixels
            there = isinstance(own, FoldedPixels) and own.flagged is not None
            rows.append((*own.flagged, own.n_positive) if there else (0, 0, 0))  # type: ignore[union-attr,misc]
        return np.array(rows, dtype=np.int64)

    def _detections(self) -> _Detections | None:
        present = {k: own.objects for k, own in enumerate(self._clips) if isinstance(own.objects, ObjectStatistics)}
        if not present:
            return None
        joined = laid_in_line(list(present.values()))
        if not joined.n_regions:
            return None
        choices = self._protocol.object
        events = detection_events(joined, track_fraction=choices.track_fraction, ties=choices.ties)
        sizes = [(own.scores.size, own.n_regions, own.n_tracks) for own in present.values()]
        ends = np.cumsum([(0, 0, 0), *sizes], axis=0).tolist()
        parts = {
            clip: (slice(begin[0], end[0]), slice(begin[1], end[1]), slice(begin[2], end[2]))
            for clip, begin, end in zip(present, ends, ends[1:], strict=False)
        }
        return _Detections(joined, events, rates_of_events(events, joined), parts)

    def _object_counts(self, own: _Detections) -> ObjectCounts:
        places = object_places(own.rates, self._protocol.object.fpr_limit)
        if self._protocol.object.ties is Ties.SEQUENTIAL:
            levels = -places.astype(np.float64)
        else:
            levels = own.rates.thresholds[places - 1].astype(np.float64)
            # Of scores that are one float64 the last has them all.
            last_of_equals = np.append(levels[1:] != levels[:-1], True)[: levels.size]
            places, levels = places[last_of_equals], levels[last_of_equals]
        n_clips, false = len(self._clips), own.joined.false_positive
        # −0.0 and 0.0 are one level.
        regions, tracks, beside = (np.zeros((n_clips, places.size + 1), dtype=np.int64) for _ in range(3))
        frames = np.zeros(n_clips, dtype=np.int64)
        for clip, (detections, of_regions, of_tracks) in own.parts.items():
            frames[clip] = self._clips[clip].clip.frames
            regions[clip] = _by_place(own.events.region_step[of_regions], places)
            tracks[clip] = _by_place(own.events.track_step[of_tracks], places)
            beside[clip] = _by_place(own.events.step[detections][false[detections]], places)
        return ObjectCounts(levels + 0.0, regions, tracks, beside, frames)

    def _largest_false_positives(self, own: _Detections | None) -> list[Counts]:
        """Rows of the largest false positives of each clip, those of equal score in reading order."""
        none = np.zeros(0, dtype=np.int64)
        if own is None:
            return [none] * len(self._clips)
        result = []
        for clip in range(len(self._clips)):
            if clip not in own.parts:
                result.append(none)
                continue
            detections = own.parts[clip][0]
            rows = np.flatnonzero(own.joined.false_positive[detections])
            order = np.argsort(own.events.step[detections][rows], kind="stable")
            result.append(rows[order][:MOST_FALSE_POSITIVES].astype(np.int64))
        return result

    def _false_positives(
        self, own: _Detections | None, largest: Sequence[Counts], details: Sequence[ClipDetails]
    ) -> tuple[FalsePositive, ...]:
        if own is None:
            return ()
        found = []
        for clip, (detections, _, _) in own.parts.items():
            steps, scores = own.events.step[detections], own.joined.scores[detections]
            for row, box, frame in zip(
                largest[clip].tolist(), details[clip].boxes.tolist(), details[clip].box_frames.tolist(), strict=True
            ):
                rank = round(float(own.rates.fpr[steps[row] + 1]), 6)
                score = float(scores[row]) + 0.0
                found.append(FalsePositive(self._clips[clip].clip.id, frame, tuple(box), score, rank))
        return tuple(found)

    def _tracks(self, own: _Detections | None, details: Sequence[ClipDetails]) -> tuple[TrackSummary, ...]:
        if own is None:
            return ()
        # The step from which on there are more false positives than the limit.
        inside = int(np.searchsorted(own.rates.fpr[1:], self._protocol.object.fpr_limit, side="right"))
        summaries = []
        for clip, (_, regions, tracks) in own.parts.items():
            own_track = own.joined.region_track[regions] - tracks.start
            found = np.bincount(
                own_track[own.events.region_step[regions] < inside], minlength=tracks.stop - tracks.start
            )
            for number, summary in enumerate(details[clip].tracks):
                step = int(own.events.track_step[tracks][number])
                never = step >= own.rates.thresholds.size
                summaries.append(
                    replace(
                        summary,
                        found_regions=int(found[number]),
                        found_at=None if never else round(float(own.rates.fpr[step + 1]), 6),
                    )
                )
        return tuple(summaries)

    def _frame_ranks(self) -> FrameRanks | None:
        parts = [own.frames if isinstance(own.frames, FrameStatistics) else None for own in self._clips]
        if not any(part is not None for part in parts):
            return None
        scaled = self._protocol.frame.clip_scaling is ClipScaling.MIN_MAX
        scores = [scaled_to_unit(part.scores) if scaled else part.scores for part in parts if part is not None]
        ranks = np.unique(np.concatenate(scores), return_inverse=True)[1].astype(np.int64)
        ends = iter(np.split(ranks, np.cumsum([own.size for own in scores])[:-1]))
        none = np.zeros(0, dtype=np.int64)
        return FrameRanks(
            labels=tuple(np.zeros(0, dtype=bool) if part is None else part.labels for part in parts),
            ranks=tuple(none if part is None else next(ends) for part in parts),
        )


def _by_place(steps: Counts, places: Counts) -> Counts:
    """Number of events up to each place, since the one before, and after the last."""
    return np.bincount(np.searchsorted(places, steps + 1), minlength=places.size + 1).astype(np.int64)


def _pixel_counts(levels: PixelLevels, details: Sequence[ClipDetails]) -> PixelCounts:
    n_bins = levels.values.size + 1
    none, nothing = np.zeros(n_bins, dtype=np.int64), np.zeros(n_bins)
    parts = [own.pixels for own in details]
    return PixelCounts(
        levels=levels.values + 0.0,
        positives=np.stack([none if part is None else part.positives for part in parts]),
        negatives=np.stack([none if part is None else part.negatives for part in parts]),
        coverage=np.stack([nothing if part is None else part.coverage for part in parts]),
        components=np.array([0 if part is None else part.components for part in parts], dtype=np.int64),
    )


def _flagged_frames(flagged_at: tuple[float, bool], details: Sequence[ClipDetails]) -> FlaggedFrames:
    none = np.zeros(0, dtype=np.int64)
    parts = [own.flagged for own in details]
    threshold, inclusive = flagged_at
    return FlaggedFrames(
        threshold=float(threshold),
        inclusive=inclusive,
        n_positive=tuple(none if part is None else part.positives for part in parts),
        true_positives=tuple(none if part is None else part.true_positives for part in parts),
        false_positives=tuple(none if part is None else part.false_positives for part in parts),
    )

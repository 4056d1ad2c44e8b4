"""A report and statistics that are written out by hand: three clips of 100 frames, six tracks, four false positives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import vadbench
from vadbench import Detections, MemoryDataset, Prediction, Report, Track, Truth
from vadbench.comparison import ReportStatistics
from vadbench.evaluation.report_statistics import (
    FalsePositive,
    FlaggedFrames,
    FrameRanks,
    ObjectCounts,
    TrackSummary,
)
from vadbench.evaluation.statistics_values import statistics_values

CLIPS = ("01", "02", "03")
FRAMES = 100


def made_report(protocol: str = "standard", *, boxes: bool = True, threshold: float | None = None) -> Report:
    """Report of small random maps and, perhaps, one box; its scores are not those of the statistics."""
    rng = np.random.default_rng(0)
    masks = np.zeros((FRAMES, 4, 6), dtype=bool)
    masks[10:30, 1:3, 1:3] = True
    truth = Truth.from_arrays(masks, tracks=[Track("1", list(range(10, 30)), [[1, 1, 3, 3]] * 20)])
    dataset = MemoryDataset(dict.fromkeys(CLIPS, truth))
    found = Detections([12], [[1, 1, 3, 3]], [1.0]) if boxes else None
    predictions = {
        clip: Prediction(score_maps=rng.integers(0, 9, masks.shape).astype(np.uint8), detections=found)
        for clip in CLIPS
    }
    return vadbench.evaluate(predictions, dataset, protocol, threshold=threshold)


def track(clip: str, name: str, first: int, last: int, found_at: float | None, **more: Any) -> TrackSummary:
    given: dict[str, Any] = {"height": 10.0, "width": 10.0, "speed": 1.0, "regions": last - first + 1, **more}
    return TrackSummary(clip, name, first, last, found_regions=0, found_at=found_at, **given)


TRACKS = (
    track("01", "a", 0, 9, None, height=2.0, width=3.0),
    track("01", "b", 10, 49, 0.25, height=20.0, speed=3.0),
    track("02", "c", 0, 29, 1.5, height=4.0, speed=0.5),
    track("02", "d", 50, 99, 1.0, height=30.0, speed=4.0),
    track("03", "e", 20, 20, None, height=1.0, width=1.0, speed=0.0),
    track("03", "f", 5, 94, 0.0, height=40.0, speed=2.0),
)
"""At the limit of 1 false positive per frame a, c and e are missed; d is found just at it."""

FALSE = (
    FalsePositive("02", 40, (1.0, 1.0, 3.0, 3.0), 9.0, 0.01),
    FalsePositive("02", 60, (1.0, 1.0, 3.0, 3.0), 8.0, 0.02),
    FalsePositive("02", 70, (1.0, 1.0, 3.0, 3.0), 7.0, 0.03),
    FalsePositive("01", 5, (0.0, 0.0, 2.0, 2.0), 9.0, 0.01),
)


def counts(*rows: list[int]) -> Any:
    return np.array(rows, dtype=np.int64)


def objects() -> ObjectCounts:
    """Levels 3, 2, 1: 100, then 300, then 450 false positives in 300 frames; the limit is reached exactly at 2."""
    return ObjectCounts(
        levels=np.array([3.0, 2.0, 1.0]),
        regions=counts([0, 10, 0, 40], [0, 0, 50, 30], [90, 0, 0, 1]),
        tracks=counts([0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1]),
        false_positives=counts([10, 0, 50, 0], [90, 190, 100, 9], [0, 10, 0, 0]),
        frames=counts([FRAMES, FRAMES, FRAMES])[0],
    )


def flagged() -> FlaggedFrames:
    """Clip 01 misses 5 pixels in frame 7; clip 02 flags 9 wrongly in frame 60, 8 in frame 62; clip 03 has no masks."""
    positive, true, false = (np.zeros((2, FRAMES), dtype=np.int64) for _ in range(3))
    positive[0, 0:10] = 6
    true[0, 0:10] = 6
    true[0, 7] = 1
    positive[1, 0:10] = 2
    true[1, 0:10] = 2
    false[1, 60], false[1, 62], false[1, 3] = 9, 8, 1
    none = np.zeros(0, dtype=np.int64)
    return FlaggedFrames(5.0, True, (*positive, none), (*true, none), (*false, none))


def frame_ranks() -> FrameRanks:
    """In clip 01 the anomalous frame 7 ranks below all; in clip 02 the normal frame 60 above all; clip 03 is right."""
    labels = np.zeros((3, FRAMES), dtype=bool)
    labels[:, 0:10] = True
    scores = np.where(labels, 2, 1)
    scores[0, 7], scores[1, 60] = 0, 3
    return FrameRanks(tuple(labels), tuple(scores.astype(np.int64)))


def made_statistics(report: Report, **changes: Any) -> ReportStatistics:
    """Statistics with the counts above; what sets them apart from the report's scores is stated as their effect."""
    given: dict[str, Any] = {
        "objects": objects(),
        "flagged": flagged(),
        "frame_ranks": frame_ranks(),
        "tracks": TRACKS,
        "false_positives": FALSE,
    }
    statistics = ReportStatistics(
        signature=report.signature,
        fingerprint=str(report.submission["fingerprint"]),
        clip_ids=CLIPS,
        frames=np.full(3, FRAMES, dtype=np.int64),
        **(given | changes),
    )
    effect = {key: value - (report.value(key) or 0.0) for key, value in statistics_values(report, statistics).items()}
    return replace(statistics, effect=effect)

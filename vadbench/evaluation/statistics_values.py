"""Values of metrics from the statistics beside a report: the metrics' own functions on counts by level.

Source: docs/report-statistics.md, "Effect of the levels".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from vadbench.errors import UndefinedMetricError
from vadbench.evaluation.report import ClipRow, Report
from vadbench.evaluation.report_statistics import (
    ClipSums,
    Counts,
    FrameRanks,
    ObjectCounts,
    PixelCounts,
    ReportStatistics,
)
from vadbench.metrics import pixel
from vadbench.metrics.frames import auroc_of_frames
from vadbench.metrics.objects import NO_REGION, DetectionRates
from vadbench.metrics.operating_points import OperatingPoints
from vadbench.protocol.protocol import Aupro, PixelProtocol, Pooling, Protocol
from vadbench.protocol.signature import Signature
from vadbench.protocol.titles import DECLARED, OBJECT_METRICS, PIXEL_METRICS

_PIXEL_KEYS = (*PIXEL_METRICS, DECLARED)


def statistics_values(report: Report, statistics: ReportStatistics) -> dict[str, float]:
    """Value of each metric that the report has a value of, as the statistics give it; without what they do not hold.

    Parameters
    ----------
    report : Report
        Whose rows of clips are used where a metric is a mean over clips.
    statistics : ReportStatistics
        Beside that report.
    """
    protocol = Signature.parse(statistics.signature).protocol
    values = {}
    for key, score in report.scores.items():
        make = _maker(key, statistics, protocol, report.clips)
        if score.value is None or make is None:
            continue
        try:
            values[key] = make()
        except UndefinedMetricError:
            continue
    return values


def _maker(
    key: str, statistics: ReportStatistics, protocol: Protocol, rows: Sequence[ClipRow]
) -> Callable[[], float] | None:
    choices = protocol.pixel
    if key == "frame_auroc_macro" or (key in _PIXEL_KEYS and choices.pooling is Pooling.CLIP_MEAN):
        return partial(_mean_of_rows, rows, key)
    if key == "frame_auroc_micro":
        ranks = statistics.frame_ranks
        return None if ranks is None else partial(_frame_auroc, ranks)
    if key in OBJECT_METRICS:
        objects = statistics.objects
        return None if objects is None else partial(_detection_area, objects, key, protocol.object.fpr_limit)
    return _pixel_maker(key, statistics, choices)


def _pixel_maker(key: str, statistics: ReportStatistics, choices: PixelProtocol) -> Callable[[], float] | None:
    means, pixels = statistics.frame_means, statistics.pixels
    if means is not None:
        return partial(_mean_of_frames, means, key) if key in means.sums else None
    if key == DECLARED or (key == "pixel_f1" and choices.f1.threshold is not None):
        counts = statistics.declared if key == DECLARED else statistics.fixed
        return None if counts is None else partial(_f1_of_clips, counts)
    return None if pixels is None else partial(_pooled, pixels, key, choices)


def _f1_of_clips(counts: Counts) -> float:
    hits, false, anomalous = counts.sum(axis=0).tolist()
    return pixel.f1_of_counts(hits, false, anomalous)


def pooled_points(pixels: PixelCounts) -> OperatingPoints:
    """Operating points of all clips together, where every bin is one score."""
    positives, negatives = pixels.positives.sum(axis=0), pixels.negatives.sum(axis=0)
    there = positives > 0
    # The last bin is below all levels.
    thresholds = np.concatenate([pixels.levels, [-np.inf]])
    false = np.cumsum(negatives)
    return OperatingPoints(
        thresholds=thresholds[there],
        true_positives=np.cumsum(positives)[there],
        false_positives_above=(false - negatives)[there],
        false_positives=false[there],
        overlap=np.cumsum(pixels.coverage.sum(axis=0))[there],
        n_positive=int(positives.sum()),
        n_negative=int(negatives.sum()),
        n_components=int(pixels.components.sum()),
    )


def _pooled(pixels: PixelCounts, key: str, choices: PixelProtocol) -> float:
    points = pooled_points(pixels)
    if key == "pixel_auroc":
        return pixel.auroc(points)
    if key == "pixel_ap":
        return pixel.average_precision(points)
    if key == "pixel_f1":
        return pixel.f1_best(points).value
    return pixel.pr_auc(points) if choices.aupro is Aupro.PR_TRAPEZOID else pixel.aupro(points, choices.fpr_limit)


def detection_rates_by_level(objects: ObjectCounts) -> DetectionRates:
    """Both detection rates of all clips together at the levels; raises `UndefinedMetricError` without a region."""
    regions, tracks = objects.regions.sum(axis=0), objects.tracks.sum(axis=0)
    if not regions.sum():
        raise UndefinedMetricError(NO_REGION)
    reached = [
        np.concatenate([[0], np.cumsum(counts[:-1])])
        for counts in (objects.false_positives.sum(axis=0), regions, tracks)
    ]
    return DetectionRates(
        fpr=reached[0] / int(objects.frames.sum()),
        region_rate=reached[1] / int(regions.sum()),
        track_rate=reached[2] / int(tracks.sum()),
        thresholds=objects.levels,
    )


def _detection_area(objects: ObjectCounts, key: str, fpr_limit: float) -> float:
    rates = detection_rates_by_level(objects)
    return (rates.regions(fpr_limit) if key == "rbdc" else rates.tracks(fpr_limit)).area


def _frame_auroc(own: FrameRanks) -> float:
    return auroc_of_frames(np.concatenate(own.labels), np.concatenate(own.ranks))


def _mean_of_frames(own: ClipSums, key: str) -> float:
    n = int(own.counts[key].sum())
    if not n:
        raise UndefinedMetricError("the metric is not defined in any frame")
    return float(own.sums[key].sum()) / n


def _mean_of_rows(rows: Sequence[ClipRow], key: str) -> float:
    values = [row.scores[key].value for row in rows if key in row.scores]
    defined = [value for value in values if value is not None]
    if not defined:
        raise UndefinedMetricError("the metric is not defined in any clip")
    return float(np.mean(defined))

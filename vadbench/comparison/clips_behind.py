"""Clips, and scenes, that a score rests on: fewer than three have no interval.

Source: docs/statistics.md, "Intervals".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vadbench.comparison.metric_values import ORDER, per_clip_values
from vadbench.comparison.resampling import Unit, scenes_of
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import ReportStatistics
from vadbench.protocol.protocol import Pooling
from vadbench.protocol.titles import DECLARED, PIXEL_METRICS

FEWEST_BEHIND = 3
"""Clips or scenes behind a score that has an interval or a rank."""


def clips_behind(report: Report, statistics: ReportStatistics) -> dict[str, NDArray[np.bool_]]:
    """For each metric, whether a clip is one of those that the score rests on, (C,) bool.

    Of a mean: the clips that have a value. Of a pool: the clips that hold something anomalous to be found (pixels,
    regions, tracks, frames). Of Frame-AUROC (micro) the clips with anomalous or those with normal frames, whichever are
    fewer.

    Parameters
    ----------
    report : Report
    statistics : ReportStatistics
        Beside it.

    Returns
    -------
    mapping from metric to (C,) bool
        Of the metrics that the report has a value and the statistics have counts of.
    """
    made = {key: _behind(key, report, statistics) for key in ORDER if report.value(key) is not None}
    return {key: np.asarray(own, dtype=np.bool_) for key, own in made.items() if own is not None}


def n_behind(dataset_id: str, clip_ids: Sequence[str], behind: NDArray[np.bool_], unit: Unit) -> int:
    """Number of clips, or of scenes with such clips."""
    if unit is Unit.CLIPS:
        return int(np.count_nonzero(behind))
    return len({scene for scene, own in zip(scenes_of(dataset_id, clip_ids), behind.tolist(), strict=True) if own})


def _behind(key: str, report: Report, statistics: ReportStatistics) -> NDArray[np.bool_] | None:
    choices = report.parsed_signature.protocol.pixel
    is_pixel = key in (*PIXEL_METRICS, DECLARED)
    if key == "frame_auroc_macro" or (is_pixel and choices.pooling is Pooling.CLIP_MEAN):
        return ~np.isnan(per_clip_values(report, key))
    if key == "frame_auroc_micro":
        return _both_classes(statistics)
    if not is_pixel:
        objects = statistics.objects
        events = None if objects is None else objects.regions if key == "rbdc" else objects.tracks
        return None if events is None else np.asarray(events.any(axis=1))
    if choices.pooling is Pooling.FRAME_MEAN:
        means = statistics.frame_means
        return None if means is None or key not in means.counts else np.asarray(means.counts[key] > 0)
    if key == DECLARED or (key == "pixel_f1" and choices.f1.threshold is not None):
        flagged = statistics.declared if key == DECLARED else statistics.fixed
        return None if flagged is None else np.asarray(flagged[:, 2] > 0)
    return None if statistics.pixels is None else np.asarray(statistics.pixels.positives.any(axis=1))


def _both_classes(statistics: ReportStatistics) -> NDArray[np.bool_] | None:
    ranks = statistics.frame_ranks
    if ranks is None:
        return None
    anomalous = np.array([bool(labels.any()) for labels in ranks.labels])
    normal = np.array([labels.size > 0 and not bool(labels.all()) for labels in ranks.labels])
    return min(anomalous, normal, key=np.count_nonzero)

"""Every metric of a report as a function of how often each clip is taken, from the statistics beside the report alone.

Source: docs/statistics.md, "Scores of a resample".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vadbench.comparison.frame_values import frame_auroc
from vadbench.comparison.object_values import WeightedDetections
from vadbench.comparison.pixel_values import WeightedPool, f1_of_flagged
from vadbench.comparison.resampling import Unit, resampled_weights
from vadbench.comparison.step_curves import ratio
from vadbench.errors import UsageError
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import ReportStatistics
from vadbench.evaluation.statistics_values import statistics_values
from vadbench.protocol.protocol import Pooling, Protocol
from vadbench.protocol.titles import DECLARED, METRICS, OBJECT_METRICS, PIXEL_METRICS, chosen_metrics

Values = dict[str, NDArray[np.float64]]

_STATED_DIGITS = 1e-8
"""The effect is stated to nine digits."""

_BOTH_AT_ONCE = "make both at once: vadbench score SUBMISSION --statistics"

_CELLS = 2**21
"""Numbers of one array of running sums: resamples are taken in blocks that keep to it, some 200 MB in all."""


def values(report: Report, statistics: ReportStatistics, weights: NDArray[np.float64]) -> Values:
    """Every metric that the report has a value of, where each clip is taken as often as `weights` says.

    Parameters
    ----------
    report : Report
        Says which metrics there are, and gives the per-clip values of metrics that are means over clips.
    statistics : ReportStatistics
        Of that report; C clips.
    weights : (B, C) float64
        How often each clip is taken, from 0.

    Returns
    -------
    mapping from metric to (B,) float64
        In the order of tables; NaN where a metric has no value for these clips. Metrics without statistics are absent.
        Where all weights are 1, the report's value, to eight digits: the `effect` of the statistics' levels is taken
        off every value, which stays within 0 to 1. What is left of the levels is how their effect changes with the
        weights. Exact where there is no effect, with one exception: sequential steps among detections of equal score,
        where the copies of a clip enter side by side (the order of equal scores is arbitrary there, and the report's
        `order_bounds` say how much that is).

    Raises
    ------
    UsageError
        U265 where the statistics are not of this report, U266 for weights of another shape or below 0.
    """
    return _values(
        report, statistics, weights, [key for key, score in report.scores.items() if score.value is not None]
    )


def replicates(
    report: Report,
    statistics: ReportStatistics,
    *,
    metrics: str | Sequence[str] = "all",
    resamples: int = 1000,
    seed: int = 0,
    unit: Unit = Unit.CLIPS,
) -> Values:
    """Values of metrics in resamples of clips or scenes.

    Parameters
    ----------
    report, statistics
        As in `values`.
    metrics : str or sequence of str
        ``all``, one key, or several; Pixel-F1 (declared) comes with ``pixel_f1``.
    resamples : int
        B.
    seed : int
    unit : Unit

    Returns
    -------
    mapping from metric to (B,) float64
        NaN in a resample without a value. Two methods on the same clips get the same resamples.

    Raises
    ------
    UsageError
        As `values`, and U120, U260, U263 as `resampled_weights`.
    """
    keys = wanted_keys(report, metrics)
    weights = resampled_weights(report.dataset.id, statistics.clip_ids, resamples=resamples, seed=seed, unit=Unit(unit))
    return _values(report, statistics, weights, keys)


def wanted_keys(report: Report, metrics: str | Sequence[str]) -> list[str]:
    """Keys of the metrics asked for that the report has a value of, in the order of tables."""
    given = [metrics] if isinstance(metrics, str) else list(metrics)
    chosen = set(chosen_metrics([key for key in given if key != DECLARED] or ["pixel_f1"]))
    if DECLARED in given or "pixel_f1" in chosen:
        chosen = (chosen - {"pixel_f1"} if given == [DECLARED] else chosen) | {DECLARED}
    return [key for key in ORDER if key in chosen and report.value(key) is not None]


ORDER = tuple(key for metric in METRICS for key in ((metric, DECLARED) if metric == "pixel_f1" else (metric,)))
"""Keys of all nine metrics in the order of tables."""


def check_beside(report: Report, statistics: ReportStatistics) -> None:
    """Raise `UsageError` U265 where statistics are not those of the report: other names, or other values."""
    pairs = [
        ("signature", report.signature, statistics.signature),
        ("fingerprint of predictions", report.submission.get("fingerprint"), statistics.fingerprint),
        ("clips", tuple(row.id for row in report.clips), statistics.clip_ids),
    ]
    for name, of_report, of_statistics in pairs:
        if of_report != of_statistics:
            raise UsageError(
                "U265",
                "the statistics are not those of the report",
                where=name,
                expected=_text(of_report),
                got=_text(of_statistics),
                hint=_BOTH_AT_ONCE,
            )
    effect = statistics.effect or {}
    for key, value in statistics_values(report, statistics).items():
        of_report = report.value(key)
        # A value and its effect make up the report's, or the counts are of other scores.
        if of_report is not None and not abs(value - effect.get(key, 0.0) - of_report) <= _STATED_DIGITS:
            raise UsageError(
                "U265",
                "the statistics are not those of the report",
                where=f"value of {key}",
                expected=f"{of_report:.9f}, as in the report",
                got=f"{value - effect.get(key, 0.0):.9f}, from the statistics less their effect",
                hint=_BOTH_AT_ONCE,
            )


def _text(value: object) -> str:
    return f"{len(value)} clips: {', '.join(value[:6])} …" if isinstance(value, tuple) else str(value)


def _values(report: Report, statistics: ReportStatistics, weights: NDArray[np.float64], keys: Sequence[str]) -> Values:
    check_beside(report, statistics)
    given = np.asarray(weights, dtype=np.float64)
    n_clips = len(statistics.clip_ids)
    if given.ndim != 2 or given.shape[1] != n_clips or not (given >= 0).all():
        raise UsageError(
            "U266", "weights say how often each clip is taken", expected=f"(B, {n_clips}), from 0", got=str(given.shape)
        )
    protocol = report.parsed_signature.protocol
    rows = max(1, _CELLS // _widest(statistics))
    blocks = [
        _block(report, statistics, protocol, given[start : start + rows], keys)
        for start in range(0, max(1, len(given)), rows)
    ]
    effect = statistics.effect or {}
    return {
        key: np.clip(np.concatenate([block[key] for block in blocks]) - effect.get(key, 0.0), 0.0, 1.0)
        for key in ORDER
        if key in blocks[0]
    }


def _widest(statistics: ReportStatistics) -> int:
    levels = [part.levels.size for part in (statistics.pixels, statistics.objects) if part is not None]
    return 2 + max([*levels, len(statistics.clip_ids)])


def _block(
    report: Report,
    statistics: ReportStatistics,
    protocol: Protocol,
    weights: NDArray[np.float64],
    keys: Sequence[str],
) -> Values:
    found = _pixel_block(report, statistics, protocol, weights, keys)
    if statistics.objects is not None and any(key in OBJECT_METRICS for key in keys):
        detections = WeightedDetections(statistics.objects, weights, protocol.object.fpr_limit)
        found |= {key: make() for key, make in (("rbdc", detections.rbdc), ("tbdc", detections.tbdc)) if key in keys}
    if statistics.frame_ranks is not None and "frame_auroc_micro" in keys:
        found["frame_auroc_micro"] = frame_auroc(statistics.frame_ranks, weights)
    if "frame_auroc_macro" in keys:
        found["frame_auroc_macro"] = mean_over_clips(per_clip_values(report, "frame_auroc_macro"), weights)
    return found


def _pixel_block(
    report: Report,
    statistics: ReportStatistics,
    protocol: Protocol,
    weights: NDArray[np.float64],
    keys: Sequence[str],
) -> Values:
    own = [key for key in keys if key in (*PIXEL_METRICS, DECLARED)]
    if protocol.pixel.pooling is Pooling.CLIP_MEAN:
        return {key: mean_over_clips(per_clip_values(report, key), weights) for key in own}
    if protocol.pixel.pooling is Pooling.FRAME_MEAN:
        means = statistics.frame_means
        return {} if means is None else _frame_means(means.sums, means.counts, weights, own)
    found: Values = {}
    ranked = [key for key in own if key in PIXEL_METRICS]
    if "pixel_f1" in ranked and protocol.pixel.f1.threshold is not None:
        ranked.remove("pixel_f1")
        if statistics.fixed is not None:
            found["pixel_f1"] = f1_of_flagged(statistics.fixed, weights)
    if ranked and statistics.pixels is not None:
        pool = WeightedPool(statistics.pixels, weights)
        found |= {key: pool.value(key, protocol.pixel) for key in ranked}
    if DECLARED in own and statistics.declared is not None:
        found[DECLARED] = f1_of_flagged(statistics.declared, weights)
    return found


def _frame_means(
    sums: Mapping[str, NDArray[np.float64]],
    counts: Mapping[str, NDArray[np.int64]],
    weights: NDArray[np.float64],
    keys: Sequence[str],
) -> Values:
    """Means over all frames of all clips in which the metric is defined: ratios of sums."""
    return {
        key: ratio(weights @ sums[key], weights @ counts[key].astype(np.float64))
        for key in keys
        if key in sums and key in counts
    }


def per_clip_values(report: Report, key: str) -> NDArray[np.float64]:
    """Each clip's own value of a metric, (C,) float64; NaN where the clip has none."""
    found = [row.scores[key].value if key in row.scores else None for row in report.clips]
    return np.array([np.nan if value is None else value for value in found], dtype=np.float64)


def mean_over_clips(own: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the clips that have a value, (B,), each as often as it is taken; NaN where none is."""
    there = ~np.isnan(own)
    return ratio(weights[:, there] @ own[there], weights[:, there].sum(axis=1))

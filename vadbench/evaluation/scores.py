"""Scores of a data set, or of one clip alone, from the statistics of clips.

Source: protocols.md; "Statistics" for the order in which clips are taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from vadbench.errors import UndefinedMetricError
from vadbench.evaluation.clip import ClipStatistics
from vadbench.evaluation.pixel_scores import (
    FoldedPixels,
    FrameValues,
    PixelPool,
    declared_f1,
    mean_of_clips,
    mean_of_frames,
)
from vadbench.evaluation.report import Score
from vadbench.evaluation.sources import NotAvailable, Sources
from vadbench.metrics import frames as frame_metrics
from vadbench.metrics import objects as object_metrics
from vadbench.metrics.curves import Curve
from vadbench.metrics.objects import TieOrder, Ties
from vadbench.metrics.operating_points import OperatingPoints
from vadbench.protocol.protocol import Pooling, Protocol
from vadbench.protocol.titles import DECLARED, FRAME_METRICS, OBJECT_METRICS, PIXEL_METRICS
from vadbench.statistics.frames import FrameStatistics
from vadbench.statistics.objects import ObjectStatistics, laid_in_line
from vadbench.statistics.pixels import PixelStatistics


@dataclass(frozen=True)
class Scored:
    """Scores by metric, in the order of tables, and the curves behind them."""

    scores: dict[str, Score]
    curves: dict[str, Curve]


def score_clips(
    clips: Sequence[ClipStatistics],
    protocol: Protocol,
    sources: Sources,
    metrics: Sequence[str],
    *,
    curves: bool = True,
    common: OperatingPoints | None = None,
) -> Scored:
    """Score some clips together.

    Parameters
    ----------
    clips : sequence of ClipStatistics
        In order of clip id.
    protocol : Protocol
    sources : Sources
    metrics : sequence of str
        Keys of the metrics that are wanted.
    curves : bool
        Whether the curves behind the scores are wanted, too.
    common : OperatingPoints, optional
        Of the pixels of these clips, where they were folded already.
    """
    scores: dict[str, Score] = {}
    made: dict[str, Curve] = {}
    families: list[tuple[_FamilyScorer, tuple[str, ...]]] = [
        (partial(_score_pixels, common), PIXEL_METRICS),
        (_score_objects, OBJECT_METRICS),
        (_score_frames, FRAME_METRICS),
    ]
    for score_family, keys in families:
        wanted = [key for key in keys if key in metrics]
        if wanted:
            scored = score_family(clips, protocol, sources, wanted)
            scores |= scored.scores
            if curves:
                made |= scored.curves()
    return Scored(scores, made)


@dataclass(frozen=True)
class _Family:
    """Scores of one family of metrics, and a function that makes the curves behind them."""

    scores: dict[str, Score]
    curves: Callable[[], dict[str, Curve]] = dict


_FamilyScorer = Callable[[Sequence[ClipStatistics], Protocol, Sources, Sequence[str]], _Family]


def _unavailable(keys: Sequence[str], source: NotAvailable | str, parts: Sequence[object]) -> _Family:
    """Every metric of a family without a value, for the source's reason or the clips' own."""
    if isinstance(source, NotAvailable):
        reason = source.reason
    else:
        reasons = [part.reason for part in parts if isinstance(part, NotAvailable)]
        reason = reasons[0] if len(parts) == 1 else f"{reasons[0]}, nor has any other".replace("the clip", "a clip")
    return _Family({key: Score(value=None, reason=reason) for key in keys})


def _value_or_reason(make: Callable[[], Score]) -> Score:
    try:
        return make()
    except UndefinedMetricError as error:
        return Score(value=None, reason=error.message)


def _score_pixels(
    common: OperatingPoints | None,
    clips: Sequence[ClipStatistics],
    protocol: Protocol,
    sources: Sources,
    wanted: Sequence[str],
) -> _Family:
    parts = [clip.pixels for clip in clips]
    present = [part for part in parts if not isinstance(part, NotAvailable)]
    if isinstance(sources.pixel, NotAvailable) or not present:
        return _unavailable(wanted, sources.pixel, parts)
    source, n_clips = sources.pixel.value, len(present)
    pools = [part for part in present if isinstance(part, PixelStatistics)]
    by_frame = [part for part in present if isinstance(part, FrameValues)]
    curves: Callable[[], dict[str, Curve]] = dict
    if protocol.pixel.pooling is Pooling.DATASET:
        pooled = [part for part in present if isinstance(part, PixelStatistics | FoldedPixels)]
        pool = PixelPool(pooled, protocol.pixel, common)
        curves = pool.curves
        scores = {key: _value_or_reason(partial(_pooled_score, pool, key, source, n_clips)) for key in wanted}
    else:

        def mean(key: str) -> Score:
            value, n = mean_of_frames(by_frame, key) if by_frame else mean_of_clips(pools, protocol.pixel, key)
            return Score(value=value, source=source, clips=n)

        scores = {key: _value_or_reason(partial(mean, key)) for key in wanted}
    flagged = [clip.flagged for clip in clips if clip.flagged is not None]
    if flagged and "pixel_f1" in wanted:

        def declared() -> Score:
            value, n = declared_f1(flagged, protocol.pixel)
            return Score(value=value, source=source, clips=n)

        scores[DECLARED] = _value_or_reason(declared)
    return _Family(scores, curves)


def _pooled_score(pool: PixelPool, key: str, source: str, n_clips: int) -> Score:
    best = pool.best_f1() if key == "pixel_f1" else None
    if best is None:
        return Score(value=pool.value(key), source=source, clips=n_clips)
    return Score(
        value=best.value,
        threshold="all" if math.isinf(best.threshold) else best.threshold,
        precision=best.precision,
        recall=best.recall,
        source=source,
        clips=n_clips,
    )


def _score_objects(
    clips: Sequence[ClipStatistics], protocol: Protocol, sources: Sources, wanted: Sequence[str]
) -> _Family:
    parts = [clip.objects for clip in clips]
    present = [part for part in parts if isinstance(part, ObjectStatistics)]
    if isinstance(sources.objects, NotAvailable) or not present:
        return _unavailable(wanted, sources.objects, parts)
    joined = laid_in_line(present)
    choices = protocol.object

    def rates(tie_order: TieOrder) -> object_metrics.DetectionRates:
        return object_metrics.detection_rates(
            joined, track_fraction=choices.track_fraction, ties=choices.ties, tie_order=tie_order
        )

    try:
        in_order = rates(TieOrder.READING)
    except UndefinedMetricError as error:
        return _Family({key: Score(value=None, reason=error.message) for key in wanted})
    bounded = choices.ties is Ties.SEQUENTIAL and object_metrics.has_tied_scores(joined)
    extremes = [rates(TieOrder.FALSE_FIRST), rates(TieOrder.HITS_FIRST)] if bounded else []
    scores, curves = {}, {}
    for key in wanted:
        pick = _region_curve if key == "rbdc" else _track_curve
        curve = pick(in_order, choices.fpr_limit)
        least, greatest = (pick(extreme, choices.fpr_limit).area for extreme in extremes) if bounded else (0.0, 0.0)
        scores[key] = Score(
            value=curve.area,
            source=sources.objects.value,
            clips=len(present),
            # Three sums of one area may differ in their last digit; the value is one of the orders.
            order_bounds=(min(least, curve.area), max(greatest, curve.area)) if bounded else None,
        )
        curves[key] = curve.curve()
    return _Family(scores, lambda: curves)


def _region_curve(rates: object_metrics.DetectionRates, fpr_limit: float) -> object_metrics.DetectionCurve:
    return rates.regions(fpr_limit)


def _track_curve(rates: object_metrics.DetectionRates, fpr_limit: float) -> object_metrics.DetectionCurve:
    return rates.tracks(fpr_limit)


def _score_frames(
    clips: Sequence[ClipStatistics], protocol: Protocol, sources: Sources, wanted: Sequence[str]
) -> _Family:
    parts = [clip.frames for clip in clips]
    present = [part for part in parts if isinstance(part, FrameStatistics)]
    if isinstance(sources.frames, NotAvailable) or not present:
        return _unavailable(wanted, sources.frames, parts)
    source, choices = sources.frames.value, protocol.frame

    def micro() -> Score:
        return Score(value=frame_metrics.micro(present, choices.clip_scaling), source=source, clips=len(present))

    def macro() -> Score:
        mean = frame_metrics.macro(present, choices.one_class_clips)
        return Score(value=mean.value, source=source, clips=mean.clips, skipped_clips=mean.skipped or None)

    makers = {"frame_auroc_micro": micro, "frame_auroc_macro": macro}
    return _Family({key: _value_or_reason(makers[key]) for key in wanted})

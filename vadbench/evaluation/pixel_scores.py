"""Pixel metrics as a protocol asks for them: of one pool, or as the mean over clips or frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import UndefinedMetricError
from vadbench.metrics import pixel
from vadbench.metrics.curves import Curve
from vadbench.metrics.operating_points import OperatingPoints, operating_points, pooled_points
from vadbench.protocol.protocol import Aupro, PixelProtocol, Pooling, SilentFrames
from vadbench.protocol.titles import PIXEL_METRICS
from vadbench.statistics.flagged import FlaggedCounts, joined_flagged_counts
from vadbench.statistics.intervals import CompactCounts, ranked_counts
from vadbench.statistics.pixels import PixelStatistics
from vadbench.statistics.scores import ScoreCounts


@dataclass(frozen=True)
class FrameValues:
    """Each frame's own value of the pixel metrics, for the mean over frames.

    Parameters
    ----------
    values : mapping from metric to (n,) float64
        Of the n frames that enter; NaN where the metric is not defined for the frame. It never leaves this room.
    """

    values: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class FoldedPixels:
    """What is left of a clip's pixels where they were folded into a common pool already.

    Parameters
    ----------
    flagged : tuple of two ints, or None
        Anomalous and normal pixels above the protocol's threshold of F1, where it has one.
    n_positive : int
        Number of anomalous pixels.
    """

    flagged: tuple[int, int] | None
    n_positive: int


def folded(statistics: PixelStatistics, protocol: PixelProtocol) -> FoldedPixels:
    """What a pool needs of a clip beside its operating points."""
    threshold = protocol.f1.threshold
    flagged = None
    if threshold is not None:
        flagged = (
            statistics.positives.flagged(threshold, inclusive=False),
            statistics.negatives.flagged(threshold, inclusive=False),
        )
    return FoldedPixels(flagged, statistics.n_positive)


@dataclass(frozen=True)
class PixelPool:
    """Pixels that are ranked together: of one frame, of one clip or of a data set.

    Parameters
    ----------
    statistics : sequence of PixelStatistics or FoldedPixels
        In order of clip id.
    protocol : PixelProtocol
    common : OperatingPoints, optional
        Those of the pool, where the clips were folded as they came; needed with `FoldedPixels`.
    """

    statistics: Sequence[PixelStatistics | FoldedPixels]
    protocol: PixelProtocol
    common: OperatingPoints | None = None

    @cached_property
    def points(self) -> OperatingPoints:
        """Counts at every threshold that matters."""
        if self.common is not None:
            return self.common
        return operating_points([own for own in self.statistics if isinstance(own, PixelStatistics)])

    def value(self, key: str) -> float:
        """Value of a pixel metric; raises `UndefinedMetricError` where it has none."""
        by_key: dict[str, Callable[[], float]] = {
            "pixel_auroc": lambda: pixel.auroc(self.points),
            "pixel_ap": lambda: pixel.average_precision(self.points),
            "pixel_aupro": self._aupro,
            "pixel_f1": self._f1,
        }
        return by_key[key]()

    def best_f1(self) -> pixel.F1Max | None:
        """Best F1 with its threshold, where the protocol asks for the best."""
        return pixel.f1_best(self.points) if self.protocol.f1.threshold is None else None

    def curves(self) -> dict[str, Curve]:
        """ROC, PR and PRO curve; without those that are not defined."""
        makers = {"roc": pixel.roc_curve, "pr": pixel.pr_curve, "pro": pixel.pro_curve}
        if self.protocol.aupro is Aupro.PR_TRAPEZOID:
            makers.pop("pro")
        curves = {}
        for name, make in makers.items():
            try:
                curves[name] = make(self.points)
            except UndefinedMetricError:
                continue
        return curves

    def _aupro(self) -> float:
        if self.protocol.aupro is Aupro.PR_TRAPEZOID:
            return pixel.pr_auc(self.points)
        return pixel.aupro(self.points, self.protocol.fpr_limit)

    def _f1(self) -> float:
        if self.protocol.f1.threshold is None:
            return pixel.f1_best(self.points).value
        parts = [own if isinstance(own, FoldedPixels) else folded(own, self.protocol) for own in self.statistics]
        flagged = [part.flagged for part in parts if part.flagged is not None]
        return pixel.f1_of_counts(
            sum(hits for hits, _ in flagged), sum(false for _, false in flagged), sum(part.n_positive for part in parts)
        )


class CommonPool:
    """Folds clips whose normal pixels were counted at thresholds that all clips share.

    Parameters
    ----------
    thresholds : (k,) real
        Ascending and distinct; every score of an anomalous pixel is among them.

    Notes
    -----
    Memory: 32 bytes a threshold; where scores are floats, there are nearly as many as anomalous pixels.
    """

    def __init__(self, thresholds: NDArray[Any]) -> None:
        self._thresholds = thresholds
        self._counts = np.zeros(thresholds.size, dtype=np.int64)
        self._coverage = np.zeros(thresholds.size, dtype=np.float64)
        self._at = np.zeros(thresholds.size, dtype=np.int64)
        self._between = np.zeros(thresholds.size + 1, dtype=np.int64)
        self._n_components = 0

    def add(self, clip: PixelStatistics, at: CompactCounts, between: CompactCounts) -> None:
        """Take in a clip; clips come in order of their ids."""
        places = np.searchsorted(self._thresholds, clip.positives.values)
        self._counts[places] += clip.positives.occurrences
        self._coverage[places] += clip.coverage
        at.add_to(self._at)
        between.add_to(self._between)
        self._n_components += clip.n_components

    def points(self) -> OperatingPoints:
        """Operating points of all clips together."""
        there = self._counts > 0
        positives = ScoreCounts(self._thresholds[there], self._counts[there])
        negatives = ranked_counts(self._thresholds, self._at, self._between, np.flatnonzero(there))
        return pooled_points(
            positives,
            self._coverage[there],
            negatives.exceeding,
            negatives.reaching,
            n_negative=negatives.total,
            n_components=self._n_components,
        )


def values_of_frames(frames: Iterable[tuple[PixelStatistics, bool]], protocol: PixelProtocol) -> FrameValues:
    """Each frame's own value of every pixel metric.

    Parameters
    ----------
    frames : iterable of (statistics, silent)
        `silent`: the frame's map is 0 everywhere.
    protocol : PixelProtocol
    """
    rows: dict[str, list[float]] = {key: [] for key in PIXEL_METRICS}
    for statistics, silent in frames:
        pool = PixelPool([statistics], protocol)
        for key, values in rows.items():
            if silent and protocol.silent_frames is SilentFrames.ZERO:
                values.append(0.0)
                continue
            try:
                values.append(pool.value(key))
            except UndefinedMetricError:
                values.append(np.nan)
    return FrameValues({key: np.array(values, dtype=np.float64) for key, values in rows.items()})


def mean_of_frames(parts: Sequence[FrameValues], key: str) -> tuple[float, int]:
    """Mean over the frames of all clips in which the metric is defined, and the number of clips with such a frame."""
    mean = mean_where_defined(np.concatenate([part.values[key] for part in parts]), "frame")
    return mean, sum(not np.isnan(part.values[key]).all() for part in parts)


def mean_of_clips(parts: Sequence[PixelStatistics], protocol: PixelProtocol, key: str) -> tuple[float, int]:
    """Mean over the clips in which the metric is defined, and their number."""
    values = []
    for own in parts:
        try:
            values.append(PixelPool([own], protocol).value(key))
        except UndefinedMetricError:
            values.append(np.nan)
    return mean_where_defined(np.array(values), "clip"), int(np.count_nonzero(~np.isnan(values)))


def mean_where_defined(values: NDArray[np.float64], of: str) -> float:
    """Mean of the values that are not NaN; raises `UndefinedMetricError` where there is none."""
    defined = values[~np.isnan(values)]
    if not defined.size:
        raise UndefinedMetricError(f"the metric is not defined in any {of}")
    return float(np.mean(defined))


def declared_f1(parts: Sequence[FlaggedCounts], protocol: PixelProtocol) -> tuple[float, int]:
    """Pixel-F1 at the declared threshold, pooled or averaged as the protocol says, and the clips behind it.

    Parameters
    ----------
    parts : sequence of FlaggedCounts
        One a clip, in order of clip id.
    protocol : PixelProtocol
    """
    if protocol.pooling is Pooling.DATASET:
        return _pooled_f1(joined_flagged_counts(parts)), len(parts)
    if protocol.pooling is Pooling.CLIP_MEAN:
        with_positives = [part for part in parts if part.positives.sum()]
        return mean_where_defined(np.array([_pooled_f1(part) for part in with_positives]), "clip"), len(with_positives)
    by_clip = [frame_f1_values(part, protocol.silent_frames) for part in parts]
    n_clips = sum(not np.isnan(values).all() for values in by_clip)
    return mean_where_defined(np.concatenate(by_clip), "frame"), n_clips


def frame_f1_values(counts: FlaggedCounts, silent_frames: SilentFrames) -> NDArray[np.float64]:
    """F1 of each frame, (n,); NaN where the frame has no anomalous pixel."""
    denominator = counts.true_positives + counts.false_positives + counts.positives
    values = np.full(denominator.size, np.nan)
    np.divide(2.0 * counts.true_positives, denominator, out=values, where=counts.positives > 0)
    if silent_frames is SilentFrames.ZERO:
        values[counts.silent] = 0.0
    return values


def _pooled_f1(counts: FlaggedCounts) -> float:
    return pixel.f1_of_counts(
        int(counts.true_positives.sum()), int(counts.false_positives.sum()), int(counts.positives.sum())
    )

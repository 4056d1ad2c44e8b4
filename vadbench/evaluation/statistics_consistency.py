"""Whether statistics beside a report agree with themselves: theorems about all that are made, no guesses.

Source: docs/report-statistics.md, "What is checked".
"""

from __future__ import annotations

import numpy as np

from vadbench.errors import quoted
from vadbench.evaluation.report_statistics import (
    ClipSums,
    Counts,
    FlaggedFrames,
    FrameRanks,
    ObjectCounts,
    PixelCounts,
    ReportStatistics,
)
from vadbench.evaluation.statistics_file import COVERAGE_UNIT, MOST_PIXELS
from vadbench.evaluation.statistics_requirement import require
from vadbench.evaluation.statistics_told import check_told_objects
from vadbench.protocol.protocol import Aupro, FrameSelection, Pooling, Protocol
from vadbench.protocol.titles import DECLARED, METRICS, PIXEL_METRICS

_KEYS = (*METRICS, DECLARED)
_ROUNDING = 1e-9


def require_consistent(statistics: ReportStatistics, protocol: Protocol) -> None:
    """Check what the shapes of arrays do not say.

    Parameters
    ----------
    statistics : ReportStatistics
        Whose arrays have the right shapes and no number below 0.
    protocol : Protocol
        Of its signature.

    Raises
    ------
    ValueError
        With one line that says what is wrong.
    """
    pooled = protocol.pixel.pooling is Pooling.DATASET
    if statistics.pixels is not None:
        require(pooled, f"pixels: none where the protocol has {protocol.pixel.pooling}")
        _check_pixels(statistics.pixels, regions=protocol.pixel.aupro is Aupro.REGION_OVERLAP)
    if statistics.frame_means is not None:
        averaged = protocol.pixel.pooling is Pooling.FRAME_MEAN
        require(averaged, f"frame_means: none where the protocol has {protocol.pixel.pooling}")
        _check_means(statistics.frame_means, statistics.frames)
    for name, rows in (("declared", statistics.declared), ("fixed", statistics.fixed)):
        if rows is not None:
            require(pooled, f"{name}: none where the protocol has {protocol.pixel.pooling}")
            require(bool((rows[:, 0] <= rows[:, 2]).all()), f"{name}: more anomalous pixels flagged than there are")
    require(statistics.fixed is None or protocol.pixel.f1.threshold is not None, "fixed: the protocol has no threshold")
    if statistics.objects is not None:
        _check_objects(statistics.objects, statistics.frames)
        check_told_objects(statistics, statistics.objects, protocol.object)
    else:
        require(
            not statistics.tracks and not statistics.false_positives, "tracks, false_positives: none without objects"
        )
    if statistics.frame_ranks is not None:
        _check_ranks(statistics.frame_ranks)
    if statistics.flagged is not None:
        _check_flagged(statistics.flagged)
    _check_anomalous_pixels(statistics)
    _check_flagged_sums(statistics, protocol)
    for key, value in (statistics.effect or {}).items():
        require(key in _KEYS, f"effect: there is no metric {quoted(key)}")
        require(abs(value) <= 1, f"effect of {key}: at most 1")


def _check_pixels(own: PixelCounts, *, regions: bool) -> None:
    coverage = np.rint(own.coverage * COVERAGE_UNIT).astype(np.int64)
    total = own.positives.sum(dtype=np.float64) + own.negatives.sum(dtype=np.float64)
    require(total <= MOST_PIXELS, f"pixels: more than {MOST_PIXELS}")
    sums, anomalous = coverage.sum(axis=1), own.positives.sum(axis=1)
    require(bool((sums == COVERAGE_UNIT * own.components).all()), "pixels.coverage: shares that make up the components")
    require(bool((own.positives[coverage > 0] > 0).all()), "pixels.coverage: a share without an anomalous pixel")
    require(bool((own.components <= anomalous).all()), "pixels.components: more than anomalous pixels")
    if regions:
        require(bool(((own.components > 0) == (anomalous > 0)).all()), "pixels.components: none of anomalous pixels")
    else:
        require(not own.components.any(), "pixels.components: none in a protocol without AUPRO")


def _check_means(own: ClipSums, frames: Counts) -> None:
    for key in own.sums:
        require(key in (*PIXEL_METRICS, DECLARED), f"frame_means: there is no such mean of {quoted(key)}")
        sums, counts = own.sums[key], own.counts[key]
        require(bool((counts <= frames).all()), f"frame_means.{key}.counts: at most the frames of the clip")
        fits = (sums >= 0) & (sums <= counts * (1 + _ROUNDING))
        require(bool(fits.all()), f"frame_means.{key}.sums: from 0 to the number of frames")


def _check_objects(own: ObjectCounts, frames: Counts) -> None:
    require(bool(((own.frames == 0) | (own.frames == frames)).all()), "objects.frames: those of the clip, or 0")
    regions, tracks = own.regions.sum(axis=1), own.tracks.sum(axis=1)
    require(bool((tracks <= regions).all()), "objects.tracks: more than regions")
    require(bool(((tracks > 0) == (regions > 0)).all()), "objects.regions: regions without a track")
    without = own.frames == 0
    counted = own.regions.any(axis=1) | own.tracks.any(axis=1) | own.false_positives.any(axis=1)
    require(not bool((counted & without).any()), "objects: counts of a clip without frames")
    require(not bool(own.false_positives[:, -1].any()), "objects.false_positives: none below all levels")


def _check_ranks(own: FrameRanks) -> None:
    ranks = np.unique(np.concatenate(own.ranks))
    require(bool((ranks == np.arange(ranks.size)).all()), "frame_ranks.ranks: every rank from 0 to the highest")


def _check_flagged(own: FlaggedFrames) -> None:
    for anomalous, hits, false in zip(own.n_positive, own.true_positives, own.false_positives, strict=True):
        require(anomalous.size == hits.size == false.size, "flagged: three numbers of every frame, or none")
        require(bool((hits <= anomalous).all()), "flagged: more anomalous pixels flagged than there are")


def _check_anomalous_pixels(statistics: ReportStatistics) -> None:
    """However they are counted, the anomalous pixels of a clip are the same."""
    counted = {}
    if statistics.pixels is not None:
        counted["pixels.positives"] = statistics.pixels.positives.sum(axis=1)
    if statistics.declared is not None:
        counted["declared"] = statistics.declared[:, 2]
    if statistics.fixed is not None:
        counted["fixed"] = statistics.fixed[:, 2]
    if statistics.flagged is not None:
        counted["flagged.positives"] = np.array([own.sum() for own in statistics.flagged.n_positive], dtype=np.int64)
    names = list(counted)
    for name in names[1:]:
        same = bool((counted[name] == counted[names[0]]).all())
        require(same, f"{name}: as many anomalous pixels as in {names[0]}")


def _check_flagged_sums(statistics: ReportStatistics, protocol: Protocol) -> None:
    """The pixels that are flagged frame by frame are those that the pool has at the same threshold."""
    flagged = statistics.flagged
    if flagged is None or protocol.pixel.pooling is not Pooling.DATASET:
        return
    hits = np.array([own.sum() for own in flagged.true_positives], dtype=np.int64)
    false = np.array([own.sum() for own in flagged.false_positives], dtype=np.int64)
    every_frame = protocol.pixel.frames is FrameSelection.ALL
    if statistics.fixed is not None:
        require(bool((hits == statistics.fixed[:, 0]).all()), "flagged: other anomalous pixels than in fixed")
        same = not every_frame or bool((false == statistics.fixed[:, 1]).all())
        require(same, "flagged: other normal pixels than in fixed")
    elif statistics.pixels is not None:
        pool = statistics.pixels
        # A threshold that is no level flags everything, or no more than the pool has anyway.
        reached = pool.levels >= flagged.threshold
        bins = slice(None) if flagged.threshold == -np.inf else slice(0, int(reached.sum()))
        require(
            bool((hits == pool.positives[:, bins].sum(axis=1)).all()), "flagged: other anomalous pixels than levels"
        )
        same = not every_frame or bool((false == pool.negatives[:, bins].sum(axis=1)).all())
        require(same, "flagged: other normal pixels than levels")

"""RBDC and TBDC: region- and track-based detection criteria.

Source: protocols.md, "Regions: RBDC and TBDC"; Ramachandra and Jones, WACV 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.choices import Choice
from vadbench.errors import UndefinedMetricError
from vadbench.metrics.curves import Curve
from vadbench.statistics.objects import ObjectStatistics

NO_REGION = "there is no ground-truth region"


class Ties(Choice):
    """How detections with equal scores enter the curve (field ``object.ties``)."""

    GROUPED = "grouped"
    SEQUENTIAL = "sequential"


class TieOrder(Choice):
    """Order of detections with equal scores where they enter one at a time."""

    READING = "reading"
    HITS_FIRST = "hits-first"
    FALSE_FIRST = "false-first"


@dataclass(frozen=True)
class DetectionCurve:
    """A detection rate against false positives per frame.

    Parameters
    ----------
    area : float
        Area from 0 to the limit, divided by it.
    fpr : (n,) float64
        False positives per frame; starts at 0 and never decreases.
    rate : (n,) float64
        Share of regions (RBDC) or tracks (TBDC) found.
    thresholds : (n,) real
        Score of the detections that lead to the point; the first point, without detections, carries the next one's.
    """

    area: float
    fpr: NDArray[np.float64]
    rate: NDArray[np.float64]
    thresholds: NDArray[Any]

    def curve(self) -> Curve:
        """The same points as a `Curve`."""
        return Curve(self.fpr, self.rate, self.thresholds)


@dataclass(frozen=True)
class DetectionRates:
    """Points of both detection curves: one a distinct score (grouped) or one a detection (sequential).

    Parameters
    ----------
    fpr, region_rate, track_rate : (n + 1,) float64
        Starting at (0, 0).
    thresholds : (n,) real
        Falling.
    """

    fpr: NDArray[np.float64]
    region_rate: NDArray[np.float64]
    track_rate: NDArray[np.float64]
    thresholds: NDArray[Any]

    def regions(self, fpr_limit: float) -> DetectionCurve:
        """Curve and area of RBDC."""
        return self._curve(self.region_rate, fpr_limit)

    def tracks(self, fpr_limit: float) -> DetectionCurve:
        """Curve and area of TBDC."""
        return self._curve(self.track_rate, fpr_limit)

    def _curve(self, rate: NDArray[np.float64], fpr_limit: float) -> DetectionCurve:
        thresholds = np.concatenate([self.thresholds[:1], self.thresholds])
        return DetectionCurve(Curve(self.fpr, rate).area(fpr_limit), self.fpr, rate, thresholds)


@dataclass(frozen=True)
class DetectionEvents:
    """When everything happens while detections enter by falling score.

    Parameters
    ----------
    step : (N,) int64
        Of each detection, in the order of the statistics.
    region_step, track_step : (R,) and (K,) int64
        At which a region or track is found; the number of steps where it never is.
    thresholds : (n,) real
        Score of each step, falling.
    """

    step: NDArray[np.int64]
    region_step: NDArray[np.int64]
    track_step: NDArray[np.int64]
    thresholds: NDArray[Any]


def detection_events(
    statistics: ObjectStatistics, *, track_fraction: float, ties: Ties, tie_order: TieOrder = TieOrder.READING
) -> DetectionEvents:
    """Let detections enter by falling score.

    Every detection gets a *step*: all of one score the same (grouped), or each its own (sequential). A region is found
    at the first step of a detection that meets it, a track at the step that finds its m-th region, m the least
    count whose share of the track's regions reaches `track_fraction`.

    Parameters and errors as `detection_rates`.
    """
    if statistics.n_regions == 0:
        raise UndefinedMetricError(NO_REGION)
    step, thresholds = _steps(statistics, ties, tie_order)
    region_step = np.full(statistics.n_regions, thresholds.size)
    np.minimum.at(region_step, statistics.meets_region, step[statistics.meets_detection])
    track_step = _track_steps(region_step, statistics, track_fraction, thresholds.size)
    return DetectionEvents(step, region_step, track_step, thresholds)


def detection_rates(
    statistics: ObjectStatistics, *, track_fraction: float, ties: Ties, tie_order: TieOrder = TieOrder.READING
) -> DetectionRates:
    """Follow both detection rates while detections enter by falling score, see `detection_events`.

    Parameters
    ----------
    statistics : ObjectStatistics
    track_fraction : float
        Above 0; above 1 no track can be found.
    ties : Ties
    tie_order : TieOrder
        With ``sequential`` only.

    Raises
    ------
    UndefinedMetricError
        Where there is no region.
    """
    events = detection_events(statistics, track_fraction=track_fraction, ties=ties, tie_order=tie_order)
    return rates_of_events(events, statistics)


def rates_of_events(events: DetectionEvents, statistics: ObjectStatistics) -> DetectionRates:
    """Both detection rates after each step."""
    n_steps = events.thresholds.size

    def reached(steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of events at or before each step, from none."""
        counts = np.bincount(steps[steps < n_steps], minlength=n_steps)
        return np.asarray(np.concatenate([[0], np.cumsum(counts)]), dtype=np.int64)

    return DetectionRates(
        fpr=reached(events.step[statistics.false_positive]) / statistics.frames,
        region_rate=reached(events.region_step) / statistics.n_regions,
        track_rate=reached(events.track_step) / statistics.n_tracks,
        thresholds=events.thresholds,
    )


def _steps(statistics: ObjectStatistics, ties: Ties, tie_order: TieOrder) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Step of each detection, (N,), and the score of each step, falling."""
    rising, rank = np.unique(statistics.scores, return_inverse=True)
    grouped = np.asarray(rising.size - 1 - rank, dtype=np.int64)
    if ties is Ties.GROUPED:
        return grouped, rising[::-1]
    second_key = {
        TieOrder.READING: np.zeros(statistics.scores.size, dtype=bool),
        TieOrder.HITS_FIRST: statistics.false_positive,
        TieOrder.FALSE_FIRST: ~statistics.false_positive,
    }[tie_order]
    order = np.lexsort((second_key, grouped))
    step = np.empty(order.size, dtype=np.int64)
    step[order] = np.arange(order.size)
    return step, statistics.scores[order]


def _track_steps(
    region_step: NDArray[np.int64], statistics: ObjectStatistics, track_fraction: float, never: int
) -> NDArray[np.int64]:
    """Step at which each track is found, (K,); `never` where it is not."""
    order = np.lexsort((region_step, statistics.region_track))
    sizes = np.bincount(statistics.region_track, minlength=statistics.n_tracks)
    needed = regions_needed(sizes, track_fraction)
    first = np.cumsum(sizes) - sizes
    reachable = needed <= sizes
    steps = np.full(statistics.n_tracks, never)
    steps[reachable] = region_step[order][first[reachable] + needed[reachable] - 1]
    return steps


def regions_needed(sizes: NDArray[np.int64], track_fraction: float) -> NDArray[np.int64]:
    """Least count m, (K,) int64, with m / n ≥ `track_fraction` as one float64 division; n + 1 where there is none.

    The ceiling of fraction · n is not that number: .07 · 100 rounds up to 8 although 7 / 100 ≥ .07.
    """
    with np.errstate(over="ignore"):
        ceiling = np.ceil(track_fraction * sizes)
    needed = np.clip(ceiling, 1, sizes + 1).astype(np.int64)
    needed -= (needed > 1) & ((needed - 1) / sizes >= track_fraction)
    needed += (needed <= sizes) & (needed / sizes < track_fraction)
    return np.asarray(needed, dtype=np.int64)


def has_tied_scores(statistics: ObjectStatistics) -> bool:
    """Whether two detections have the same score."""
    return bool(np.unique(statistics.scores).size < statistics.scores.size)

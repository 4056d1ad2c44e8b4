"""Whether the tracks and false positives that are told one by one are those that are counted; theorems, no guesses.

Source: docs/report-statistics.md, "What is checked".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vadbench.evaluation.report_statistics import MOST_FALSE_POSITIVES, Counts, ObjectCounts, ReportStatistics
from vadbench.evaluation.statistics_requirement import require
from vadbench.metrics.objects import Ties, regions_needed
from vadbench.protocol.protocol import ObjectProtocol

_STATED = 1e-6
"""False positives per frame are stated to six digits."""


def check_told_objects(statistics: ReportStatistics, objects: ObjectCounts, protocol: ObjectProtocol) -> None:
    """Compare what is told of tracks and false positives with the counts of every clip; raises ValueError."""
    place = {clip_id: clip for clip, clip_id in enumerate(statistics.clip_ids)}
    n_clips = len(place)
    regions, tracks, false = np.zeros((3, n_clips), dtype=np.int64)
    found_at: list[list[float]] = [[] for _ in place]
    ranks: list[list[float]] = [[] for _ in place]
    scores: list[list[float]] = [[] for _ in place]
    found_regions = np.zeros(n_clips, dtype=np.int64)
    for track in statistics.tracks:
        clip = place[track.clip]
        regions[clip] += track.regions
        tracks[clip] += 1
        found_regions[clip] += track.found_regions
        if track.found_at is not None:
            found_at[clip].append(track.found_at)
    for own in statistics.false_positives:
        clip = place[own.clip]
        false[clip] += 1
        ranks[clip].append(own.rank)
        scores[clip].append(own.score)
    require(bool((regions == objects.regions.sum(axis=1)).all()), "tracks: other regions than in objects")
    require(bool((tracks == objects.tracks.sum(axis=1)).all()), "tracks: others than in objects")
    told = np.minimum(objects.false_positives.sum(axis=1), MOST_FALSE_POSITIVES)
    require(bool((false == told).all()), f"false_positives: of each clip the first {MOST_FALSE_POSITIVES}")
    if not objects.frames.sum():
        return
    rates = false_positive_rates(objects)
    for clip, own_rates in enumerate(found_at):
        never = int(objects.tracks[clip, -1])
        require(tracks[clip] - len(own_rates) == never, "tracks: others without found_at than in objects")
        fits = _lie_in_bins(own_rates, objects.tracks[clip], rates)
        require(fits, "tracks: found_at at other levels than in objects")
    for clip, own_rates in enumerate(ranks):
        fits = _lie_in_bins(own_rates, objects.false_positives[clip], rates)
        require(fits, "false_positives: ranks at other levels than in objects")
        falling = scores[clip] == sorted(scores[clip], reverse=True) and own_rates == sorted(own_rates)
        require(falling, "false_positives: of each clip the highest score first")
        # Steps of sequential ties are no scores.
        if protocol.ties is Ties.GROUPED:
            fits = _score_in_bins(scores[clip], objects.false_positives[clip], objects.levels)
            require(fits, "false_positives: scores at other levels than in objects")
    _check_found_regions(found_regions, objects, rates, protocol.fpr_limit)
    _check_found_tracks(statistics, protocol)


def false_positive_rates(objects: ObjectCounts) -> NDArray[np.float64]:
    """False positives per frame of all clips together down to each level, (L,); needs a frame."""
    rates: NDArray[np.float64] = np.cumsum(objects.false_positives.sum(axis=0))[:-1] / objects.frames.sum()
    return rates


def _bins(counts: Counts, most: int) -> NDArray[np.intp]:
    """Bin of each of the first events of a clip."""
    return np.repeat(np.arange(counts.size), np.minimum(counts, most))[:most]


def _lie_in_bins(told: Sequence[float], counts: Counts, rates: NDArray[np.float64]) -> bool:
    """Whether rates, in their order, can be those of the first events that the levels have; the last bin is never."""
    bins = _bins(counts[:-1], len(told))
    if bins.size != len(told):
        return False
    ends = np.concatenate([[0.0], rates])
    own = np.sort(np.array(told, dtype=np.float64))
    return bool(((ends[bins] - _STATED <= own) & (own <= ends[bins + 1] + _STATED)).all())


def _score_in_bins(told: Sequence[float], counts: Counts, levels: NDArray[np.float64]) -> bool:
    bins = _bins(counts[:-1], len(told))
    own = np.array(told, dtype=np.float64)
    # Scores of two steps that are one float64 may lie on both sides of a level.
    above = np.concatenate([[np.inf], levels])[bins]
    return bool(((levels[bins] <= own) & (own <= above)).all())


def _check_found_regions(found: Counts, objects: ObjectCounts, rates: NDArray[np.float64], limit: float) -> None:
    """Levels that are within the limit have found no more regions, and the first one beyond it has no fewer."""
    within = int(np.searchsorted(rates, limit, side="right"))
    least = objects.regions[:, :within].sum(axis=1)
    most = objects.regions[:, : min(within + 1, rates.size)].sum(axis=1)
    require(bool(((least <= found) & (found <= most)).all()), "tracks: other found_regions than in objects")


def _check_found_tracks(statistics: ReportStatistics, protocol: ObjectProtocol) -> None:
    """A track is found by the limit where enough of its regions are, and only there."""
    if not statistics.tracks:
        return
    sizes = np.array([track.regions for track in statistics.tracks], dtype=np.int64)
    needed = regions_needed(sizes, protocol.track_fraction).tolist()
    for track, count in zip(statistics.tracks, needed, strict=True):
        enough = track.found_regions >= count
        found_at = np.inf if track.found_at is None else track.found_at
        # The stated rate may have been rounded to the other side of the limit.
        sure = abs(found_at - protocol.fpr_limit) > _STATED
        require(not sure or enough == (found_at <= protocol.fpr_limit), "tracks: found_regions do not fit found_at")

"""Clips that cost a method most: what every score would be without one of them, and the clip's worst frame.

Source: docs/explain.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vadbench.comparison import values
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import (
    FlaggedFrames,
    FrameRanks,
    ObjectCounts,
    PixelCounts,
    ReportStatistics,
)
from vadbench.evaluation.score_levels import MOST_LEVELS
from vadbench.failures.false_positives import FalsePositives
from vadbench.failures.parts import NotAvailable, Place, counted, listed, whole
from vadbench.failures.pixels import frames_that_enter
from vadbench.failures.tracks import TrackFailures
from vadbench.protocol.protocol import Protocol
from vadbench.protocol.titles import DECLARED, OBJECT_METRICS, PIXEL_METRICS, metric_titles
from vadbench.statistics.pixels import MapScaling

_CLIPS_IN_WORDS = 2

SHOWN = 5e-5
"""Half of the last digit of a score in per cent: a clip that costs less is not told."""

_ROUNDING = 1e-9
"""Differences of sums in another order, and no gains."""


@dataclass(frozen=True)
class ClipCost:
    """What one clip does to a score.

    Parameters
    ----------
    clip : str
    gain : float or None
        Score of the other clips less that of all, both from the statistics; above 0 where the clip costs, 0 where they
        differ by rounding alone. None where the score of the others is not defined.
    look : Place or None
        The clip's worst frame, as far as the statistics have one of this kind.
    """

    clip: str
    gain: float | None
    look: Place | None

    @property
    def is_told(self) -> bool:
        """Whether the clip costs as much as can be seen in a table, 0.005 of a score in per cent."""
        return self.gain is not None and self.gain >= SHOWN


@dataclass(frozen=True)
class MetricCosts:
    """What each clip does to one score.

    Parameters
    ----------
    metric, title : str
    value : float
        Of all clips, that of the report.
    on_levels : bool
        Whether the gains come of counts on levels of score that stand for more scores than there are levels. They are
        then not quite those of scoring the other clips again; docs/explain.md has by how much.
    clips : tuple of ClipCost
        The one that costs most first; those without a gain last.
    """

    metric: str
    title: str
    value: float
    on_levels: bool
    clips: tuple[ClipCost, ...]


@dataclass(frozen=True)
class ClipCosts:
    """What each clip does to each score.

    Parameters
    ----------
    n_clips : int
    metrics : tuple of MetricCosts
        In the order of tables; metrics without a value are left out.
    """

    n_clips: int
    metrics: tuple[MetricCosts, ...]

    @property
    def in_words(self) -> str:
        """What the counts say, as a paragraph."""
        worst: dict[str, list[MetricCosts]] = {}
        for costs in self.metrics:
            first = costs.clips[0]
            if first.is_told:
                worst.setdefault(first.clip, []).append(costs)
        sentences = [f"Each score was computed again without one of the {self.n_clips} clips."]
        if not worst:
            sentences.append("No score would be higher by 0.005 or more without one of them.")
        ordered = sorted(worst.items(), key=lambda item: (-len(item[1]), item[0]))
        for clip, metrics in ordered[:_CLIPS_IN_WORDS]:
            scores = counted(len(metrics), "score")
            changes = ", ".join(
                f"{costs.title} {100 * costs.value:.2f} → {100 * (costs.value + (costs.clips[0].gain or 0)):.2f}"
                for costs in metrics
            )
            sentences.append(f"Clip {clip} costs most of {scores}: without it {changes}.")
        others = sum(len(metrics) for _, metrics in ordered[_CLIPS_IN_WORDS:])
        if others:
            clips = [clip for clip, _ in ordered[_CLIPS_IN_WORDS:]]
            holders = f"Clip {clips[0]} costs" if len(clips) == 1 else f"Clips {listed(clips)} cost"
            sentences.append(f"{holders} most of the other {counted(others, 'score') if others > 1 else 'score'}.")
        return " ".join(sentences)


def clip_costs(
    report: Report,
    statistics: ReportStatistics,
    metrics: Sequence[str],
    tracks: TrackFailures | NotAvailable,
    false_positives: FalsePositives | NotAvailable,
) -> ClipCosts | NotAvailable:
    """Compute every score without one clip after the other.

    Parameters
    ----------
    metrics : sequence of str
        Keys of the metrics asked for.
    tracks, false_positives : parts found before
        Where the worst frames of clips for RBDC and TBDC are looked up.
    """
    clips = statistics.clip_ids
    if len(clips) < 2:
        return NotAvailable("there is one clip only, and nothing is left without it")
    # The first row is that of all clips; in row c + 1 clip c is left out.
    weights = np.vstack([np.ones(len(clips)), 1.0 - np.eye(len(clips))])
    scores = values(report, statistics, weights)
    entering = statistics
    if statistics.flagged is not None:
        entering = replace(statistics, flagged=frames_that_enter(statistics.flagged, report.parsed_signature.protocol))
    titles = metric_titles(report.parsed_signature.protocol)
    found = [
        MetricCosts(
            metric=key,
            title=title,
            value=report.value(key) or 0.0,
            on_levels=_on_levels(key, statistics, report.parsed_signature.protocol),
            clips=_costs(scores[key], clips, _looks(key, report, entering, tracks, false_positives)),
        )
        for key, title in titles.items()
        if key in metrics and key in scores and np.isfinite(scores[key][0])
    ]
    return ClipCosts(len(clips), tuple(found)) if found else NotAvailable("no score asked for has a value")


def _on_levels(metric: str, statistics: ReportStatistics, protocol: Protocol) -> bool:
    fixed = metric == "pixel_f1" and protocol.pixel.f1.threshold is not None
    counts: PixelCounts | ObjectCounts | None = None
    if metric in PIXEL_METRICS and not fixed:
        counts = statistics.pixels
    elif metric in OBJECT_METRICS:
        counts = statistics.objects
    return counts is not None and counts.levels.size >= MOST_LEVELS


def _costs(scores: NDArray[np.float64], clips: Sequence[str], looks: Mapping[str, Place]) -> tuple[ClipCost, ...]:
    """Cost of each clip, the highest first; `scores` (C + 1,) are of all clips, then without one after the other."""
    of_all, without = float(scores[0]), scores[1:]
    gains = [_gain(float(score), of_all) for score in without]
    costs = [ClipCost(clip, gain, looks.get(clip)) for clip, gain in zip(clips, gains, strict=True)]
    costs.sort(key=lambda cost: (cost.gain is None, -(cost.gain or 0.0), cost.clip))
    return tuple(costs)


def _gain(without: float, of_all: float) -> float | None:
    gain = without - of_all
    if not math.isfinite(gain):
        return None
    return gain if abs(gain) > _ROUNDING else 0.0


def _looks(
    metric: str,
    report: Report,
    statistics: ReportStatistics,
    tracks: TrackFailures | NotAvailable,
    false_positives: FalsePositives | NotAvailable,
) -> dict[str, Place]:
    """Worst frame of each clip, of the kind that the metric looks at."""
    if metric == DECLARED and not _is_flagged_at_declared(report, statistics.flagged):
        # What is wrong in a frame at another threshold says nothing of this one.
        return {}
    if metric in {*PIXEL_METRICS, DECLARED}:
        return {} if statistics.flagged is None else _most_wrong_pixels(statistics.clip_ids, statistics.flagged)
    if metric in OBJECT_METRICS:
        false = {} if isinstance(false_positives, NotAvailable) else _highest_false_positives(false_positives)
        missed = {} if isinstance(tracks, NotAvailable) else _largest_missed_tracks(tracks)
        return false | missed if metric == "tbdc" else missed | false
    if statistics.frame_ranks is None:
        return {}
    return _misranked_frames(statistics.clip_ids, statistics.frame_ranks, pooled=metric == "frame_auroc_micro")


def _is_flagged_at_declared(report: Report, flagged: FlaggedFrames | None) -> bool:
    """Whether the frames are told at the declared threshold, which is one of stored scores, and itself flagged."""
    maps = report.submission.get("score_maps")
    # Of predictions in memory it stands at the top.
    declared = (maps if isinstance(maps, Mapping) else report.submission).get("threshold")
    stored = report.parsed_signature.protocol.pixel.map_scaling is MapScaling.NONE
    return stored and flagged is not None and flagged.inclusive and flagged.threshold == declared


def _most_wrong_pixels(clips: Sequence[str], flagged: FlaggedFrames) -> dict[str, Place]:
    looks = {}
    rows = zip(clips, flagged.n_positive, flagged.true_positives, flagged.false_positives, strict=True)
    for clip, n_positive, true_positives, false in rows:
        wrong = n_positive - true_positives + false
        if wrong.any():
            frame = int(wrong.argmax())
            missed = int(n_positive[frame] - true_positives[frame])
            looks[clip] = Place(clip, frame, f"{whole(int(false[frame]))} px wrongly flagged, {whole(missed)} missed")
    return looks


def _highest_false_positives(found: FalsePositives) -> dict[str, Place]:
    return {case.clip: Place(case.clip, case.frame, "false positive") for case in reversed(found.cases)}


def _largest_missed_tracks(tracks: TrackFailures) -> dict[str, Place]:
    return {missed.track.clip: missed.look for missed in reversed(tracks.missed)}


def _misranked_frames(clips: Sequence[str], ranks: FrameRanks, *, pooled: bool) -> dict[str, Place]:
    """Of each clip the frame on the wrong side of most frames of the other class, in the pool or the clip."""
    labels = [row.astype(np.bool_) for row in ranks.labels]
    sides = _sides(np.concatenate(labels), np.concatenate(ranks.ranks)) if pooled else None
    looks = {}
    for clip, own_labels, own_ranks in zip(clips, labels, ranks.ranks, strict=True):
        normal, anomalous = sides or _sides(own_labels, own_ranks)
        # Frames of the other class below, and at or below, each frame.
        below, to_it = (
            np.where(own_labels, np.searchsorted(normal, own_ranks, side), np.searchsorted(anomalous, own_ranks, side))
            for side in ("left", "right")
        )
        # Twice the pairs lost: one of equal rank is lost by half.
        lost = np.where(own_labels, 2 * len(normal) - below - to_it, below + to_it)
        if not lost.any():
            continue
        frame = int(lost.argmax())
        if own_labels[frame]:
            share = f"{whole(len(normal) - int(below[frame]))} of {whole(len(normal))}"
            shows = f"anomalous, and {share} normal frames rank at or above it"
        else:
            share = f"{whole(int(to_it[frame]))} of {whole(len(anomalous))}"
            shows = f"normal, and {share} anomalous frames rank at or below it"
        looks[clip] = Place(clip, frame, shows)
    return looks


def _sides(labels: NDArray[np.bool_], ranks: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks of the normal and of the anomalous frames, each sorted."""
    return np.sort(ranks[~labels]), np.sort(ranks[labels])

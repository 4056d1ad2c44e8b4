"""Timelines from the statistics beside a report: counts of flagged pixels, and ranks of frames; no predictions.

Source: docs/report-statistics.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import UsageError, did_you_mean, quoted
from vadbench.plots.clip_timeline import Timeline

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report
    from vadbench.evaluation.report_statistics import FrameRanks, ReportStatistics

RANK_LABEL = "frames that score\nlower (per cent)"
"""Label of the axis: the share of the frames of all clips."""


def check_belongs(name: str, report: Report, statistics: ReportStatistics) -> None:
    """Raise `UsageError` U282 unless statistics were made of the report's predictions, under its protocol."""
    fingerprint = report.submission.get("fingerprint")
    if statistics.signature == report.signature and fingerprint in {None, statistics.fingerprint}:
        return
    same = statistics.signature == report.signature
    raise UsageError(
        "U282",
        "the statistics belong to another report",
        where=quoted(name),
        expected=f"predictions {str(fingerprint)[:12]}" if same else report.signature,
        got=f"predictions {statistics.fingerprint[:12]}" if same else statistics.signature,
        hint="write both anew: vadbench score … --statistics",
    )


def check_over_time(timelines: Sequence[Timeline], clip_id: str) -> None:
    """Raise `UsageError` unless timelines are of one clip (U282) and some line can be drawn (U283)."""
    lengths = {len(own.pixel_f1) for own in timelines}
    if len(lengths) > 1:
        raise UsageError(
            "U282",
            f"the statistics differ in the length of clip {clip_id}",
            got=", ".join(f"{length} frames" for length in sorted(lengths)),
            hint="they were made with different data",
        )
    if all(own.no_pixel_f1 and own.no_frame_scores for own in timelines):
        raise UsageError(
            "U283",
            f"the statistics hold nothing over time for clip {clip_id}",
            got="; ".join(dict.fromkeys(f"{own.no_pixel_f1}; {own.no_frame_scores}" for own in timelines)),
            hint="a timeline needs pixel masks and pixel scores, or frame labels and frame scores",
        )


def clip_place(statistics: ReportStatistics, clip_id: str) -> int:
    """Place of a clip among those of the statistics; raises `UsageError` U110 for an unknown one."""
    if clip_id not in statistics.clip_ids:
        raise UsageError(
            "U110",
            f"the report has no clip {quoted(clip_id)}",
            hint=did_you_mean(clip_id, statistics.clip_ids),
        )
    return statistics.clip_ids.index(clip_id)


def anomalous_frames(statistics: ReportStatistics, place: int) -> NDArray[np.bool_] | None:
    """Which frames of a clip, (T,) bool, the truth calls anomalous, as far as the statistics know; else None."""
    frames = int(statistics.frames[place])
    if statistics.frame_ranks is not None and len(statistics.frame_ranks.labels[place]) == frames:
        return np.asarray(statistics.frame_ranks.labels[place], dtype=np.bool_)
    if statistics.flagged is not None and len(statistics.flagged.n_positive[place]) == frames:
        return np.asarray(statistics.flagged.n_positive[place] > 0)
    return None


def timeline_of_statistics(name: str, statistics: ReportStatistics, place: int) -> Timeline:
    """Pixel-F1 of every frame of a clip at the report's threshold, and where its frames rank among all.

    Parameters
    ----------
    name : str
    statistics : ReportStatistics
    place : int
        Of the clip.

    Returns
    -------
    Timeline
        `frame_scores` are shares in per cent of the frames of all clips that score lower.
    """
    frames = int(statistics.frames[place])
    values, no_f1 = np.full(frames, np.nan), ""
    if statistics.flagged is None:
        no_f1 = "the report has none with one threshold for all clips"
    elif len(statistics.flagged.n_positive[place]) != frames:
        no_f1 = "the clip has no pixel masks"
    else:
        flagged = statistics.flagged
        n_positive = flagged.n_positive[place]
        hits, false = flagged.true_positives[place], flagged.false_positives[place]
        there = n_positive > 0
        values[there] = 2.0 * hits[there] / (hits + false + n_positive)[there]
    shares, no_scores = None, ""
    if statistics.frame_ranks is None:
        no_scores = "the report has none"
    elif len(statistics.frame_ranks.ranks[place]) != frames:
        no_scores = "the clip has no frame labels"
    else:
        shares = _shares_below(statistics.frame_ranks, place)
    return Timeline(name, values, shares, no_f1, no_scores)


def _shares_below(ranks: FrameRanks, place: int) -> NDArray[np.float64]:
    """Per cent of all frames with a lower score than each frame of a clip."""
    pool = np.sort(np.concatenate([np.asarray(own) for own in ranks.ranks]))
    return np.asarray(100.0 * np.searchsorted(pool, ranks.ranks[place], side="left") / len(pool), dtype=np.float64)

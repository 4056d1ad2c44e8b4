"""Timelines of clips: rank of the frame score, Pixel-F1 of each frame, and the frames that are truly anomalous.

Made of the statistics beside a report; predictions are not needed. Columns stand for one frame or several, so that a
clip of any length fits a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaderboard.site.drawing import picture

if TYPE_CHECKING:
    from vadbench.comparison import ReportStatistics

_MOST_COLUMNS = 240
_SCORE_TOP, _SCORE_HEIGHT = 4, 40
_F1_TOP, _F1_HEIGHT = 52, 24
_HEIGHT = 80
_WITHOUT = -1


@dataclass(frozen=True)
class Timeline:
    """One clip over time.

    Parameters
    ----------
    clip : str
    labels : (T,) bool or None
        Truly anomalous frames.
    ranks : (T,) float64 or None
        Rank of the frame's score among all frames of the data set, 0 the lowest and 1 the highest.
    f1 : (T,) float64 or None
        Pixel-F1 of each frame at the threshold of the pooled F1; NaN where nothing is anomalous and nothing flagged.
    """

    clip: str
    labels: NDArray[np.bool_] | None
    ranks: NDArray[np.float64] | None
    f1: NDArray[np.float64] | None

    @property
    def frames(self) -> int:
        """Number of frames that are known."""
        return max((len(part) for part in (self.labels, self.ranks, self.f1) if part is not None), default=0)


def timelines(statistics: ReportStatistics) -> list[Timeline]:
    """Timelines of all clips that have frame scores or pixels, in the order of the report."""
    ranked, flagged = statistics.frame_ranks, statistics.flagged
    highest = 1
    if ranked is not None:
        highest = max((int(ranks.max()) for ranks in ranked.ranks if ranks.size), default=1) or 1
    found = []
    for index, clip in enumerate(statistics.clip_ids):
        labels = ranks = f1 = None
        if ranked is not None and ranked.ranks[index].size:
            labels, ranks = ranked.labels[index], ranked.ranks[index] / highest
        if flagged is not None and flagged.n_positive[index].size:
            f1 = frame_f1(flagged.n_positive[index], flagged.true_positives[index], flagged.false_positives[index])
            labels = flagged.n_positive[index] > 0 if labels is None else labels
        if ranks is not None or f1 is not None:
            found.append(Timeline(clip, labels, ranks, f1))
    return found


def frame_f1(
    n_positive: NDArray[np.int64], true_positives: NDArray[np.int64], false_positives: NDArray[np.int64]
) -> NDArray[np.float64]:
    """2 TP / (TP + FP + N+) of each frame; NaN where the frame has neither anomalous nor flagged pixels.

    Parameters
    ----------
    n_positive, true_positives, false_positives : (T,) int64
    """
    total = true_positives + false_positives + n_positive
    values = np.full(total.shape, np.nan)
    np.divide(2.0 * true_positives, total, out=values, where=total > 0)
    return values


def timeline_picture(identity: str, timeline: Timeline, *, columns: int = _MOST_COLUMNS) -> str:
    """A clip's timeline as SVG, one column for each frame or for several, of which the highest rank and the mean F1."""
    frames = timeline.frames
    n = min(columns, frames)
    starts = np.linspace(0, frames, n, endpoint=False).astype(np.int64) if n else np.zeros(0, np.int64)
    parts = []
    if timeline.labels is not None and timeline.labels.size:
        parts += [
            f'<path class="truth" d="M{start} {_SCORE_TOP}H{end}V{_F1_TOP + _F1_HEIGHT}H{start}Z"/>'
            for start, end in _runs(np.maximum.reduceat(timeline.labels, starts))
        ]
    parts.append(f'<path class="base" d="M0 {_SCORE_TOP + _SCORE_HEIGHT}H{n}M0 {_F1_TOP + _F1_HEIGHT}H{n}"/>')
    if timeline.ranks is not None:
        heights = np.rint((1 - np.maximum.reduceat(timeline.ranks, starts)) * _SCORE_HEIGHT).astype(np.int64)
        parts.append(f'<path class="score" d="{_stairs(heights + _SCORE_TOP)}"/>')
    if timeline.f1 is not None:
        known = np.isfinite(timeline.f1)
        count = np.add.reduceat(known, starts, dtype=np.int64)
        total = np.add.reduceat(np.where(known, timeline.f1, 0.0), starts)
        means = np.where(count > 0, total / np.maximum(count, 1), 0.0)
        heights = np.rint((1 - means) * _F1_HEIGHT).astype(np.int64) + _F1_TOP
        heights[count == 0] = _WITHOUT
        parts.append(f'<path class="f1" d="{_filled(heights, _F1_TOP + _F1_HEIGHT)}"/>')
    return picture(
        identity, max(n, 1), _HEIGHT, f"Clip {timeline.clip}", describe(timeline), "".join(parts), "timeline"
    )


def describe(timeline: Timeline) -> str:
    """A timeline in words, for those who do not see it."""
    words = [f"{timeline.frames} frames"]
    labels = timeline.labels
    if labels is not None:
        words[0] += f", {int(labels.sum())} of them anomalous"
        if timeline.ranks is not None and 0 < labels.sum() < labels.size:
            inside, outside = timeline.ranks[labels].mean(), timeline.ranks[~labels].mean()
            words.append(f"mean rank of the frame score {inside:.2f} in anomalous frames, {outside:.2f} in normal ones")
    if timeline.f1 is not None and np.isfinite(timeline.f1).any():
        words.append(f"mean Pixel-F1 of the frames {100 * float(np.nanmean(timeline.f1)):.1f} per cent")
    return "; ".join(words) + "."


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _changes(heights: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """(start, end, height) of runs of one height."""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(heights)) + 1))
    ends = np.concatenate((starts[1:], [heights.size]))
    return list(zip(starts.tolist(), ends.tolist(), heights[starts].tolist(), strict=True))


def _stairs(heights: NDArray[np.int64]) -> str:
    steps = _changes(heights)
    return f"M0 {steps[0][2]}" + "".join(f"V{height}H{end}" for _, end, height in steps)


def _filled(heights: NDArray[np.int64], bottom: int) -> str:
    """Columns down to `bottom`, none where the height is absent or nothing."""
    parts: list[str] = []
    open_until = -1
    for start, end, height in _changes(heights):
        if height in {_WITHOUT, bottom}:
            continue
        if start != open_until:
            parts.append(f"{f'V{bottom}' if parts else ''}M{start} {bottom}")
        parts.append(f"V{height}H{end}")
        open_until = end
    return "".join(parts) + (f"V{bottom}" if parts else "")

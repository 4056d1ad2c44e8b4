"""Detections that meet no region: how many in which clip, and the ones with the highest scores.

Source: protocols.md, "Regions: RBDC and TBDC"; docs/explain.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vadbench.evaluation.report_statistics import FalsePositive, ObjectCounts, ReportStatistics
from vadbench.failures.parts import NotAvailable, apart, counted, fewest_for_half, listed, whole
from vadbench.metrics.objects import Ties
from vadbench.protocol.protocol import Protocol, number_text


@dataclass(frozen=True)
class ClipFalsePositives:
    """False positives of one clip.

    Parameters
    ----------
    clip : str
    frames : int
        That count for false positives per frame.
    at_limit : int
        Down to `FalsePositives.level`.
    in_all : int
        At any score.
    """

    clip: str
    frames: int
    at_limit: int
    in_all: int

    @property
    def per_frame(self) -> float:
        """False positives per frame at the limit, 0 for a clip whose frames do not count."""
        return self.at_limit / self.frames if self.frames else 0.0


@dataclass(frozen=True)
class FalsePositives:
    """Where the false positives are.

    Parameters
    ----------
    limit : float
        Of false positives per frame, as the protocol has it.
    level : float, "all", "none" or None
        The lowest score, of the levels that the statistics have, down to which there are at most so many; ``all`` where
        there are no more at any score, ``none`` where there are more at the highest level already. None where it lies
        between and its score is not known: with ``object.ties=sequential`` levels are numbers of steps.
    reached : float
        False positives per frame at that level, all clips together; at most `limit`.
    clips : tuple of ClipFalsePositives
        Most first, at the limit, then at all.
    cases : tuple of FalsePositive
        Highest score first, those near a higher one left out (`vadbench.failures.SEPARATION`).
    """

    limit: float
    level: float | Literal["all", "none"] | None
    reached: float
    clips: tuple[ClipFalsePositives, ...]
    cases: tuple[FalsePositive, ...]

    @property
    def alike(self) -> bool:
        """Whether all cases have one and the same score, and their order says nothing."""
        return len(self.cases) > 1 and len({case.score for case in self.cases}) == 1

    @property
    def in_words(self) -> str:
        """What the counts say, as a paragraph."""
        total, frames = sum(clip.in_all for clip in self.clips), sum(clip.frames for clip in self.clips)
        if not total:
            return f"No detection is a false positive, in {counted(frames, 'frame')}."
        alike = (
            f" The highest scores of the clips are all equal ({self.cases[0].score:.6g}): "
            "listed are the first in reading order."
            if self.alike
            else ""
        )
        at_limit = [clip.at_limit for clip in self.clips]
        limit = number_text(self.limit)
        if not sum(at_limit):
            return (
                f"{counted(total, 'false positive')} in {counted(frames, 'frame')}, none of them before the limit of "
                f"{limit} per frame is passed: those with the highest score alone are more than that.{alike}"
            )
        half = [self.clips[index] for index in fewest_for_half(at_limit)]
        holders = f"Clip{'s' if len(half) > 1 else ''} {listed([clip.clip for clip in half])}"
        share = sum(clip.at_limit for clip in half) / sum(at_limit)
        of_frames = sum(clip.frames for clip in half) / frames
        without = sum(not count for count in at_limit)
        none = f" {counted(without, 'clip')} of {len(at_limit)} {'has' if without == 1 else 'have'} none there."
        return (
            f"Up to the limit of {limit} per frame there are {counted(sum(at_limit), 'false positive')} in "
            f"{counted(frames, 'frame')}, of {whole(total)} in all. {holders} {'have' if len(half) > 1 else 'has'} "
            f"{100 * share:.0f} % of them, and {100 * of_frames:.0f} % of the frames.{none if without else ''}{alike}"
        )


def false_positives(statistics: ReportStatistics, protocol: Protocol) -> FalsePositives | NotAvailable:
    """Count false positives clip by clip, at the limit and in all, and list the highest ones."""
    objects = statistics.objects
    if objects is None:
        return NotAvailable("the statistics have no counts of objects")
    if not objects.frames.sum():
        return NotAvailable("no clip has the truth that false positives need")
    limit = protocol.object.fpr_limit
    bins, reached = _bins_within(objects, limit)
    at_limit = objects.false_positives[:, :bins].sum(axis=1)
    clips = [
        ClipFalsePositives(clip, int(frames), int(within), int(row.sum()))
        for clip, frames, within, row in zip(
            statistics.clip_ids, objects.frames, at_limit, objects.false_positives, strict=True
        )
        if frames
    ]
    clips.sort(key=lambda clip: (-clip.at_limit, -clip.in_all, clip.clip))
    cases = sorted(statistics.false_positives, key=lambda case: (-case.score, case.clip, case.frame, case.box))
    return FalsePositives(
        limit=limit,
        level=_level(objects, bins, protocol),
        reached=reached,
        clips=tuple(clips),
        cases=tuple(apart((case.clip, case.frame, case) for case in cases)),
    )


def _level(objects: ObjectCounts, bins: int, protocol: Protocol) -> float | Literal["all", "none"] | None:
    if not objects.false_positives[:, bins:].any():
        return "all"
    if not bins:
        return "none"
    return None if protocol.object.ties is Ties.SEQUENTIAL else float(objects.levels[bins - 1])


def _bins_within(objects: ObjectCounts, limit: float) -> tuple[int, float]:
    """Number of bins from the highest score on with at most `limit` false positives per frame, and how many it is."""
    rates = np.cumsum(objects.false_positives.sum(axis=0)) / objects.frames.sum()
    within = int((rates <= limit).sum())
    return within, float(rates[within - 1]) if within else 0.0

"""Pixels that are flagged wrongly or missed at the threshold of Pixel-F1, by clip and frame.

Source: protocols.md, "Pixel metrics"; docs/explain.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vadbench.choices import Choice
from vadbench.evaluation.report_statistics import FlaggedFrames, ReportStatistics
from vadbench.failures.parts import NotAvailable, apart, fewest_for_half, listed, whole
from vadbench.protocol.protocol import FrameSelection, Pooling, Protocol, number_text
from vadbench.statistics.detections import InstanceScores
from vadbench.statistics.pixels import MapScaling

LISTED_FRAMES = 50
"""Of each kind; who wants more has the counts in the statistics."""


class ScoreUnit(Choice):
    """What the scores are that the threshold is compared with."""

    STORED = "stored"
    """Those of the predictions."""

    FRAME_MAXIMUM = "frame-maximum"
    """Shares of the largest score of the frame (``pixel.map_scaling=frame-maximum``)."""

    ONE_AN_INSTANCE = "one-an-instance"
    """1 within instances and 0 elsewhere (``instances.scores=one``)."""


@dataclass(frozen=True)
class ClipPixels:
    """Pixels of one clip at the threshold, in the frames that enter the metric.

    Parameters
    ----------
    clip : str
    frames, n_positive, true_positives, false_positives : int
    """

    clip: str
    frames: int
    n_positive: int
    true_positives: int
    false_positives: int

    @property
    def missed(self) -> int:
        """Anomalous pixels that are not flagged."""
        return self.n_positive - self.true_positives


@dataclass(frozen=True)
class FramePixels:
    """Pixels of one frame at the threshold.

    Parameters
    ----------
    clip : str
    frame : int
        0-based.
    n_positive, true_positives, false_positives : int
    """

    clip: str
    frame: int
    n_positive: int
    true_positives: int
    false_positives: int

    @property
    def missed(self) -> int:
        """Anomalous pixels that are not flagged."""
        return self.n_positive - self.true_positives


@dataclass(frozen=True)
class PixelFailures:
    """Which pixels are wrong at the threshold of Pixel-F1: the best one of the pool, or the protocol's own.

    Parameters
    ----------
    threshold : float
        −∞ for "all".
    inclusive : bool
        Whether a score equal to it is flagged.
    unit : ScoreUnit
        Of the scores that are compared with it.
    anomalous_only : bool
        Whether only frames with an anomalous pixel enter (``pixel.frames=anomalous``); the others are not counted here.
    averaged : bool
        Whether Pixel-F1 is a mean over frames, and not that of the sums told here.
    clips : tuple of ClipPixels
        In the order of the report; those with masks.
    most_false : tuple of FramePixels
        Frames with the most false-positive pixels, those near a worse one left out; at most `LISTED_FRAMES`.
    most_missed : tuple of FramePixels
        Frames with the most missed pixels, likewise.
    """

    threshold: float
    inclusive: bool
    unit: ScoreUnit
    anomalous_only: bool
    averaged: bool
    clips: tuple[ClipPixels, ...]
    most_false: tuple[FramePixels, ...]
    most_missed: tuple[FramePixels, ...]

    @property
    def scaled(self) -> bool:
        """Whether the threshold is one of scores that the protocol has changed; else of the stored ones."""
        return self.unit is not ScoreUnit.STORED

    @property
    def in_words(self) -> str:
        """What the counts say, as a paragraph."""
        false = [clip.false_positives for clip in self.clips]
        missed = [clip.missed for clip in self.clips]
        positive = sum(clip.n_positive for clip in self.clips)
        found = positive - sum(missed)
        flagged = found + sum(false)
        sentences = [
            f"At the threshold of Pixel-F1 ({self.rule}) it flags {_part(found, positive)} anomalous "
            f"pixels; {_part(sum(false), flagged)} flagged pixels are normal."
        ]
        if self.anomalous_only:
            sentences.append("Only frames with an anomalous pixel enter.")
        if self.averaged:
            sentences.append("Pixel-F1 is here the mean of each frame's own, not that of these sums.")
        frames = [clip.frames for clip in self.clips]
        anomalous = [clip.n_positive for clip in self.clips]
        for counts, what, base, whose in (
            (false, "pixels that are flagged wrongly", frames, "frames"),
            (missed, "missed pixels", anomalous, "anomalous pixels"),
        ):
            half = fewest_for_half(counts)
            if half:
                names = listed([self.clips[index].clip for index in half])
                holders = f"Clip{'s' if len(half) > 1 else ''} {names} {'have' if len(half) > 1 else 'has'}"
                share, expected = (sum(of[index] for index in half) / sum(of) for of in (counts, base))
                sentences.append(
                    f"{holders} {100 * share:.0f} % of the {what}, and {100 * expected:.0f} % of the {whose}."
                )
        return " ".join(sentences)

    @property
    def rule(self) -> str:
        """What is flagged, such as ``score ≥ 33120``."""
        if math.isinf(self.threshold):
            return "everything is flagged"
        return f"score {'≥' if self.inclusive else '>'} {number_text(self.threshold)}{_OF_UNIT[self.unit]}"


_OF_UNIT = {
    ScoreUnit.STORED: "",
    ScoreUnit.FRAME_MAXIMUM: " of the frame's maximum",
    ScoreUnit.ONE_AN_INSTANCE: ", where every instance counts as 1",
}


def _part(count: int, total: int) -> str:
    return f"{whole(count)} of {whole(total)}" + (f" ({100 * count / total:.1f} %)" if total else "")


def pixel_failures(
    statistics: ReportStatistics, protocol: Protocol, *, of_instances: bool = False
) -> PixelFailures | NotAvailable:
    """Say in which clips and frames pixels are wrong at the threshold of Pixel-F1.

    Parameters
    ----------
    statistics : ReportStatistics
    protocol : Protocol
        Of its signature.
    of_instances : bool
        Whether the pixel metrics are of instances, and not of score maps.
    """
    if statistics.flagged is None:
        if protocol.pixel.pooling is not Pooling.DATASET:
            return NotAvailable(
                f"pixel metrics of this protocol are means ({protocol.pixel.pooling}), and have no threshold in common"
            )
        return NotAvailable("the statistics have no pixels at a threshold")
    flagged = frames_that_enter(statistics.flagged, protocol)
    if not sum(int(counts.sum()) for counts in flagged.n_positive):
        return NotAvailable("no clip has masks with anomalous pixels")
    anomalous_only = protocol.pixel.frames is FrameSelection.ANOMALOUS
    return PixelFailures(
        threshold=flagged.threshold,
        inclusive=flagged.inclusive,
        unit=_unit(protocol, of_instances),
        anomalous_only=anomalous_only,
        averaged=protocol.pixel.pooling is not Pooling.DATASET,
        clips=tuple(
            ClipPixels(
                clip, int((n > 0).sum()) if anomalous_only else len(n), int(n.sum()), int(tp.sum()), int(fp.sum())
            )
            for clip, n, tp, fp in _by_clip(statistics.clip_ids, flagged)
        ),
        most_false=_worst(statistics.clip_ids, flagged, "false positives"),
        most_missed=_worst(statistics.clip_ids, flagged, "missed"),
    )


_Counts = NDArray[np.int64]


def _unit(protocol: Protocol, of_instances: bool) -> ScoreUnit:
    if protocol.pixel.map_scaling is MapScaling.FRAME_MAXIMUM:
        return ScoreUnit.FRAME_MAXIMUM
    if of_instances and protocol.instances.scores is InstanceScores.ONE:
        return ScoreUnit.ONE_AN_INSTANCE
    return ScoreUnit.STORED


def frames_that_enter(flagged: FlaggedFrames, protocol: Protocol) -> FlaggedFrames:
    """The counts of the frames that enter the pixel metrics; those of all others are 0.

    The statistics count every frame, for timelines.
    """
    if protocol.pixel.frames is FrameSelection.ALL:
        return flagged
    rows = zip(flagged.n_positive, flagged.false_positives, strict=True)
    return replace(flagged, false_positives=tuple(np.where(anomalous > 0, false, 0) for anomalous, false in rows))


def _by_clip(clip_ids: tuple[str, ...], flagged: FlaggedFrames) -> list[tuple[str, _Counts, _Counts, _Counts]]:
    rows = zip(clip_ids, flagged.n_positive, flagged.true_positives, flagged.false_positives, strict=True)
    return [row for row in rows if row[1].size]


def _worst(
    clip_ids: tuple[str, ...], flagged: FlaggedFrames, by: Literal["false positives", "missed"]
) -> tuple[FramePixels, ...]:
    """Frames with the most of one kind of wrong pixels, ties in the order of clips and frames."""
    rows = _by_clip(clip_ids, flagged)
    clips = [clip for clip, counts, _, _ in rows for _ in range(len(counts))]
    frames = np.concatenate([np.arange(len(counts)) for _, counts, _, _ in rows])
    n_positive, true_positives, false_positives = (
        np.concatenate([row[column] for row in rows]) for column in (1, 2, 3)
    )
    wrong = false_positives if by == "false positives" else n_positive - true_positives
    order = np.argsort(-wrong, kind="stable")[: np.count_nonzero(wrong)]
    kept = islice(apart((clips[index], int(frames[index]), index) for index in order.tolist()), LISTED_FRAMES)
    return tuple(
        FramePixels(
            clips[index],
            int(frames[index]),
            int(n_positive[index]),
            int(true_positives[index]),
            int(false_positives[index]),
        )
        for index in kept
    )

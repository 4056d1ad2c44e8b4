"""Tracks that are missed, and whether they are the small, the short, or the slow ones.

Source: protocols.md, "Regions: RBDC and TBDC"; docs/explain.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from vadbench.evaluation.report_statistics import FlaggedFrames, ReportStatistics, TrackSummary
from vadbench.failures.parts import NotAvailable, Place, counted, whole
from vadbench.protocol.protocol import Protocol, number_text

FEWEST_TRACKS = 3
"""Fewer have no three groups."""


class TrackProperty(StrEnum):
    """What tracks are grouped by."""

    SIZE = "size"
    """Median height times median width of its boxes, in pixels."""

    LENGTH = "length"
    """Frames from its first to its last, both included."""

    SPEED = "speed"
    """Median distance of the boxes' centres from one frame to the next, in pixels a frame."""


UNITS = {TrackProperty.SIZE: "px", TrackProperty.LENGTH: "frames", TrackProperty.SPEED: "px a frame"}
MIDDLE = "middle"
_CLEARLY = 1.5
"""Times the share of all tracks that is missed."""

_LEAST = {TrackProperty.SIZE: "smallest", TrackProperty.LENGTH: "shortest", TrackProperty.SPEED: "slowest"}
_MOST = {TrackProperty.SIZE: "largest", TrackProperty.LENGTH: "longest", TrackProperty.SPEED: "fastest"}


@dataclass(frozen=True)
class TrackGroup:
    """A third of the tracks, ordered by one property.

    Parameters
    ----------
    by : TrackProperty
    name : str
        Such as ``smallest``.
    low, high : float
        Least and greatest value in the group, in `UNITS`.
    found, missed : int
    """

    by: TrackProperty
    name: str
    low: float
    high: float
    found: int
    missed: int

    @property
    def missed_share(self) -> float:
        """Share of its tracks that are missed."""
        return self.missed / (self.found + self.missed)


@dataclass(frozen=True)
class MissedTrack:
    """A track that is not found, and the frame to look at.

    Parameters
    ----------
    track : TrackSummary
    look : Place
        The frame of the track that is nearest to its middle.
    """

    track: TrackSummary
    look: Place


@dataclass(frozen=True)
class TrackFailures:
    """Which tracks are missed.

    Parameters
    ----------
    limit : float
        False positives per frame by which a track must be found.
    n_tracks : int
    missed : tuple of MissedTrack
        Largest first: those that should have been seen most easily.
    groups : tuple of TrackGroup
        By size, length and speed, each from low to high; none where there are too few tracks.
    """

    limit: float
    n_tracks: int
    missed: tuple[MissedTrack, ...]
    groups: tuple[TrackGroup, ...]

    @property
    def in_words(self) -> str:
        """What the counts say, as a paragraph."""
        allowance = f"at up to {number_text(self.limit)} false positive{'s' if self.limit != 1 else ''} per frame"
        if not self.missed:
            return f"It finds all {counted(self.n_tracks, 'track')} {allowance}."
        sentences = [f"It misses {len(self.missed)} of {counted(self.n_tracks, 'track')} {allowance}."]
        telling = [words for kind in TrackProperty if (words := self._concentration(kind))]
        if telling:
            sentences.append(f"Of the missed tracks, {'; '.join(telling)}.")
        never = sum(missed.track.found_at is None for missed in self.missed)
        if never:
            sentences.append(f"{counted(never, 'track')} {'is' if never == 1 else 'are'} found at no threshold at all.")
        return " ".join(sentences)

    def _concentration(self, kind: TrackProperty) -> str:
        """A third with more than half of the missed tracks, at least two, and clearly more than its share."""
        share = len(self.missed) / self.n_tracks
        for group in self.groups:
            many = group.missed >= 2 and 2 * group.missed > len(self.missed)
            if group.by is kind and many and group.missed_share >= _CLEARLY * share:
                n_tracks = group.found + group.missed
                name = f"of middle {kind}" if group.name == MIDDLE else group.name
                bounds = f"{shown(kind, group.low)} to {shown(kind, group.high)} {UNITS[kind]}"
                return f"{group.missed} are among the {n_tracks} {name} ({bounds})"
        return ""


def shown(kind: TrackProperty, value: float) -> str:
    """A value of a property as it is printed: pixels and frames whole, speeds with one decimal."""
    return f"{value:.1f}" if kind is TrackProperty.SPEED else whole(round(value))


def values_of(kind: TrackProperty, tracks: Sequence[TrackSummary]) -> NDArray[np.float64]:
    """A property of tracks, (K,) float64; NaN for the speed of a track of one frame."""
    if kind is TrackProperty.SIZE:
        return np.array([track.height * track.width for track in tracks], dtype=np.float64)
    if kind is TrackProperty.LENGTH:
        return np.array([track.last_frame - track.first_frame + 1 for track in tracks], dtype=np.float64)
    # The median distance of one frame from itself is no speed.
    return np.array([track.speed if track.regions > 1 else math.nan for track in tracks], dtype=np.float64)


def track_failures(statistics: ReportStatistics, protocol: Protocol) -> TrackFailures | NotAvailable:
    """Say which tracks are missed at the protocol's limit of false positives per frame.

    A track is found if `TrackSummary.found_at` is at most the limit.
    """
    if statistics.objects is None:
        return NotAvailable("the statistics have no counts of objects")
    if not statistics.tracks:
        return NotAvailable("the data set has no tracks")
    limit = protocol.object.fpr_limit
    tracks = statistics.tracks
    missed = np.array([track.found_at is None or track.found_at > limit for track in tracks], dtype=np.bool_)
    chosen = [track for track, is_missed in zip(tracks, missed, strict=True) if is_missed]
    chosen.sort(key=lambda track: (-track.height * track.width, track.clip, track.first_frame, track.track))
    positives = _positives(statistics.clip_ids, statistics.flagged)
    return TrackFailures(
        limit=limit,
        n_tracks=len(tracks),
        missed=tuple(MissedTrack(track, _middle(track, positives.get(track.clip))) for track in chosen),
        groups=tuple(group for kind in TrackProperty for group in _groups(kind, tracks, missed)),
    )


def _groups(kind: TrackProperty, tracks: Sequence[TrackSummary], missed: NDArray[np.bool_]) -> list[TrackGroup]:
    """Thirds of the tracks; equal values stay together, so thirds can differ in size, and fall away."""
    values = values_of(kind, tracks)
    known = np.isfinite(values)
    if known.sum() < FEWEST_TRACKS:
        return []
    lower, upper = np.quantile(values[known], [1 / 3, 2 / 3], method="inverted_cdf")
    thirds = {
        _LEAST[kind]: known & (values <= lower),
        MIDDLE: known & (values > lower) & (values <= upper),
        _MOST[kind]: known & (values > upper),
    }
    return [
        TrackGroup(
            kind,
            name,
            low=float(values[inside].min()),
            high=float(values[inside].max()),
            found=int((inside & ~missed).sum()),
            missed=int((inside & missed).sum()),
        )
        for name, inside in thirds.items()
        if inside.any()
    ]


def _positives(clip_ids: Sequence[str], flagged: FlaggedFrames | None) -> dict[str, NDArray[np.int64]]:
    if flagged is None:
        return {}
    return {clip: counts for clip, counts in zip(clip_ids, flagged.n_positive, strict=True) if counts.size}


def _middle(track: TrackSummary, n_positive: NDArray[np.int64] | None) -> Place:
    """Middle of the track; where it has gaps there, the nearest frame that has anything anomalous."""
    middle = (track.first_frame + track.last_frame) // 2
    frame = middle
    if n_positive is not None:
        inside = np.flatnonzero(n_positive[track.first_frame : track.last_frame + 1]) + track.first_frame
        if inside.size:
            frame = int(inside[np.argmin(np.abs(inside - middle))])
    return Place(track.clip, frame, f"missed track {track.track}")

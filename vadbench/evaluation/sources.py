"""Which prediction feeds which metric.

Source: protocols.md, "Which prediction feeds which metric".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from vadbench.prediction import PredictionKind
from vadbench.protocol.protocol import BoxesFrom, Protocol


class Source(StrEnum):
    """What a metric was computed from, as reports say it."""

    SCORE_MAPS = "score-maps"
    INSTANCES = "instances"
    DETECTIONS = "detections"
    COMPONENTS = "score-map-components"
    FRAME_SCORES = "frame-scores"


@dataclass(frozen=True)
class NotAvailable:
    """A metric that cannot be had, and why."""

    reason: str


@dataclass(frozen=True)
class Sources:
    """The source of each family of metrics, or why there is none."""

    pixel: Source | NotAvailable
    objects: Source | NotAvailable
    frames: Source | NotAvailable


def choose_sources(kinds: Collection[PredictionKind], threshold: float | None, protocol: Protocol) -> Sources:
    """Choose the sources for a submission.

    Parameters
    ----------
    kinds : collection of PredictionKind
        Those that every clip holds.
    threshold : float or None
        The declared threshold of the score maps.
    protocol : Protocol
        ``object.boxes_from`` restricts the boxes.
    """
    return Sources(_pixel(kinds), _objects(kinds, threshold, protocol.object.boxes_from), _frames(kinds))


def _pixel(kinds: Collection[PredictionKind]) -> Source | NotAvailable:
    if PredictionKind.SCORE_MAPS in kinds:
        return Source.SCORE_MAPS
    if PredictionKind.INSTANCES in kinds:
        return Source.INSTANCES
    return NotAvailable("the submission has neither score maps nor instances")


def _objects(kinds: Collection[PredictionKind], threshold: float | None, boxes: BoxesFrom) -> Source | NotAvailable:
    if PredictionKind.DETECTIONS in kinds and boxes is BoxesFrom.DETECTIONS_FIRST:
        return Source.DETECTIONS
    if PredictionKind.INSTANCES in kinds:
        return Source.INSTANCES
    if boxes is BoxesFrom.INSTANCES:
        return NotAvailable("the protocol takes boxes from instances, and the submission has none")
    if PredictionKind.SCORE_MAPS not in kinds:
        return NotAvailable("the submission has frame scores only")
    if threshold is None:
        return NotAvailable("the submission has score maps only and declares no threshold")
    return Source.COMPONENTS


def _frames(kinds: Collection[PredictionKind]) -> Source | NotAvailable:
    for kind, source in (
        (PredictionKind.FRAME_SCORES, Source.FRAME_SCORES),
        (PredictionKind.SCORE_MAPS, Source.SCORE_MAPS),
        (PredictionKind.INSTANCES, Source.INSTANCES),
        (PredictionKind.DETECTIONS, Source.DETECTIONS),
    ):
        if kind in kinds:
            return source
    return NotAvailable("the submission has no predictions")

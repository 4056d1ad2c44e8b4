"""The work of one clip: read its truth and its prediction once, and give back statistics.

Source: architecture, "The loop"; protocols.md, "Statistics" and "Which prediction feeds which metric".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Clip, Dataset
from vadbench.datasets.fingerprint import track_lines, truth_bytes
from vadbench.evaluation.collectors import (
    Collector,
    ContentHash,
    Extremes,
    FlaggedCollector,
    FrameMaxima,
    InstanceMaps,
    PixelCollector,
)
from vadbench.evaluation.pixel_scores import FrameValues
from vadbench.evaluation.predictions import PredictionSource
from vadbench.evaluation.sources import NotAvailable, Source, Sources
from vadbench.prediction import Detections, Prediction, ScoreMaps
from vadbench.protocol.protocol import Protocol
from vadbench.protocol.titles import FRAME_METRICS, OBJECT_METRICS, PIXEL_METRICS
from vadbench.statistics.detections import ComponentDetections, detections_from_instances, track_boxes_read_as
from vadbench.statistics.flagged import FlaggedCounts
from vadbench.statistics.frames import FrameStatistics, highest_by_frame
from vadbench.statistics.objects import ObjectStatistics, object_statistics
from vadbench.statistics.pixels import PixelStatistics
from vadbench.truth import Truth

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class ClipTask:
    """One clip to be scored; picklable.

    Parameters
    ----------
    dataset : Dataset
    predictions : PredictionSource
    clip_id : str
    protocol : Protocol
    sources : Sources
        What each family of metrics is computed from.
    metrics : collection of str
        Keys of the metrics that are wanted.
    """

    dataset: Dataset
    predictions: PredictionSource
    clip_id: str
    protocol: Protocol
    sources: Sources
    metrics: Collection[str]

    def wants(self, keys: Collection[str]) -> bool:
        """Whether one of the metrics is wanted."""
        return any(key in self.metrics for key in keys)


@dataclass(frozen=True)
class ClipStatistics:
    """All that scoring needs of one clip.

    Parameters
    ----------
    clip : Clip
    pixels : PixelStatistics, FrameValues or NotAvailable
    flagged : FlaggedCounts or None
        At the declared threshold, where there is one.
    objects : ObjectStatistics or NotAvailable
    frames : FrameStatistics or NotAvailable
    score_range : tuple of two numbers, or None
        Least and greatest stored score of the score maps, where there are some.
    truth_bytes : bytes
        What the data set's fingerprint reads of this clip.
    track_lines : list of str
        What the fingerprint of its track files reads of this clip.
    content_lines : list of bytes
        What the submission's fingerprint reads of this clip.
    """

    clip: Clip
    pixels: PixelStatistics | FrameValues | NotAvailable
    flagged: FlaggedCounts | None
    objects: ObjectStatistics | NotAvailable
    frames: FrameStatistics | NotAvailable
    score_range: tuple[float, float] | None
    truth_bytes: bytes
    track_lines: list[str]
    content_lines: list[bytes]


def clip_statistics(task: ClipTask) -> ClipStatistics:
    """Compute the statistics of one clip.

    The score maps are read once, in blocks of frames; memory is bounded by a block for integer maps of up to 16 bits,
    and grows by one score a pixel of the clip for others.
    """
    clip = replace(task.dataset.clip(task.clip_id), frame_reader=None)
    truth = task.dataset.truth(task.clip_id)
    prediction = task.predictions.clip(clip)
    gathered = _walk(task, truth, prediction)
    return ClipStatistics(
        clip=clip,
        pixels=_pixels(task, truth, prediction, gathered),
        flagged=gathered.flagged.counts() if gathered.flagged else None,
        objects=_objects(task, truth, prediction, gathered),
        frames=_frames(task, truth, prediction, gathered),
        score_range=gathered.extremes.range() if gathered.extremes else None,
        truth_bytes=truth_bytes(clip, truth),
        track_lines=track_lines(clip.id, truth),
        content_lines=task.predictions.content_lines(
            clip, prediction, gathered.content.hexdigest() if gathered.content else None
        ),
    )


@dataclass(frozen=True)
class _Gathered:
    """What was gathered while the score maps went by; None for what was not needed."""

    content: ContentHash | None = None
    extremes: Extremes | None = None
    maxima: FrameMaxima | None = None
    pixels: PixelCollector | None = None
    flagged: FlaggedCollector | None = None
    components: ComponentDetections | None = None


class _Components:
    """Adapter: components need no masks."""

    def __init__(self, components: ComponentDetections) -> None:
        self._components = components

    def add(self, first_frame: int, scores: NDArray[Any], masks: NDArray[np.bool_] | None) -> None:
        self._components.add(first_frame, scores)


def _walk(task: ClipTask, truth: Truth, prediction: Prediction) -> _Gathered:
    """Let the score maps go by once."""
    maps = prediction.maps
    if maps is None:
        return _Gathered()
    threshold, sources = task.predictions.threshold, task.sources
    scored = truth.mask_runs is not None and sources.pixel is Source.SCORE_MAPS
    gathered = _Gathered(
        content=ContentHash(),
        extremes=Extremes(),
        maxima=FrameMaxima() if sources.frames is Source.SCORE_MAPS and task.wants(FRAME_METRICS) else None,
        pixels=PixelCollector(maps.dtype, task.protocol.pixel) if scored and task.wants(PIXEL_METRICS) else None,
        flagged=FlaggedCollector(threshold, maps.dtype, task.protocol.pixel)
        if scored and threshold is not None and task.wants(("pixel_f1",))
        else None,
        components=ComponentDetections(threshold, maps.dtype)
        if threshold is not None and sources.objects is Source.COMPONENTS and task.wants(OBJECT_METRICS)
        else None,
    )
    collectors: list[Collector | None] = [
        gathered.content,
        gathered.extremes,
        gathered.maxima,
        gathered.pixels,
        gathered.flagged,
    ]
    if gathered.components is not None:
        collectors.append(_Components(gathered.components))
    _go_by(maps, truth if gathered.pixels or gathered.flagged else None, [c for c in collectors if c is not None])
    return gathered


def _go_by(maps: ScoreMaps, truth: Truth | None, collectors: list[Collector]) -> None:
    runs = None if truth is None else truth.mask_runs
    for start, scores in maps.blocks():
        masks = None if runs is None else runs.decode(start, start + len(scores))
        for collector in collectors:
            collector.add(start, scores, masks)


def _pixels(
    task: ClipTask, truth: Truth, prediction: Prediction, gathered: _Gathered
) -> PixelStatistics | FrameValues | NotAvailable:
    if isinstance(task.sources.pixel, NotAvailable):
        return task.sources.pixel
    if truth.mask_runs is None:
        return NotAvailable("the clip has no pixel masks")
    if not task.wants(PIXEL_METRICS):
        return NotAvailable("not asked for")
    if gathered.pixels is not None:
        return gathered.pixels.result()
    instances = _present(prediction.instances)
    maps = InstanceMaps(instances, truth.frames, task.protocol.instances.scores)
    collector = PixelCollector(maps.dtype, task.protocol.pixel)
    _go_by(maps, truth, [collector])
    return collector.result()


def _objects(
    task: ClipTask, truth: Truth, prediction: Prediction, gathered: _Gathered
) -> ObjectStatistics | NotAvailable:
    if isinstance(task.sources.objects, NotAvailable):
        return task.sources.objects
    if not task.wants(OBJECT_METRICS):
        return NotAvailable("not asked for")
    tracks = truth.tracks()
    if tracks is None:
        return NotAvailable("the clip has neither track files nor pixel masks")
    protocol = task.protocol.object
    return object_statistics(
        _detections(task, prediction, gathered),
        track_boxes_read_as(tracks, protocol.track_boxes),
        frames=truth.frames,
        iou_threshold=protocol.iou_threshold,
    )


def _detections(task: ClipTask, prediction: Prediction, gathered: _Gathered) -> Detections:
    if task.sources.objects is Source.DETECTIONS:
        return _present(prediction.detections)
    if task.sources.objects is Source.INSTANCES:
        protocol = task.protocol
        return detections_from_instances(
            _present(prediction.instances),
            merge=protocol.object.merge,
            merge_iou=protocol.object.merge_iou,
            scores=protocol.instances.scores,
        )
    return _present(gathered.components).detections()


def _frames(
    task: ClipTask, truth: Truth, prediction: Prediction, gathered: _Gathered
) -> FrameStatistics | NotAvailable:
    source = task.sources.frames
    if isinstance(source, NotAvailable):
        return source
    if not task.wants(FRAME_METRICS):
        return NotAvailable("not asked for")
    if truth.labels is None:
        return NotAvailable("the clip has no frame labels")
    if source is Source.FRAME_SCORES:
        scores = _present(prediction.frame_scores)
    elif source is Source.SCORE_MAPS:
        scores = _present(gathered.maxima).maxima()
    elif source is Source.INSTANCES:
        instances = _present(prediction.instances)
        scores = highest_by_frame(instances.frames, instances.scores, truth.frames)
    else:
        detections = _present(prediction.detections)
        scores = highest_by_frame(detections.frames, detections.scores, truth.frames)
    return FrameStatistics(truth.labels, scores)


def _present(value: Kind | None) -> Kind:
    """Give a prediction of the chosen source, which every clip holds."""
    if value is None:
        raise AssertionError("a chosen source is absent from a clip")
    return value

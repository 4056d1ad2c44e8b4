"""The work of one clip: read its truth and its prediction once, and give back statistics.

Source: architecture, "The loop"; protocols.md, "Statistics" and "Which prediction feeds which metric".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from vadbench.datasets.base import Clip, Dataset
from vadbench.datasets.fingerprint import track_lines, truth_bytes
from vadbench.evaluation.collectors import (
    Beside,
    Collector,
    ContentHash,
    Extremes,
    FlaggedCollector,
    InstanceMaps,
    dtype_of_instance_maps,
)
from vadbench.evaluation.pixel_collectors import (
    FrameByFrame,
    PixelChoices,
    PixelCollector,
    PooledCodes,
    PooledIntervals,
    Positives,
    ranked_dtype,
)
from vadbench.evaluation.pixel_scores import FoldedPixels, FrameValues
from vadbench.evaluation.predictions import PredictionSource
from vadbench.evaluation.shared_arrays import SharedArray
from vadbench.evaluation.sources import NotAvailable, Source, Sources
from vadbench.evaluation.truth_index import indexed_truth
from vadbench.prediction import Detections, Prediction, ScoreMaps
from vadbench.protocol.protocol import Pooling, Protocol
from vadbench.protocol.titles import FRAME_METRICS, OBJECT_METRICS, PIXEL_METRICS
from vadbench.statistics.detections import (
    ComponentDetections,
    detections_from_instances,
    track_boxes_read_as,
)
from vadbench.statistics.flagged import FlaggedCounts
from vadbench.statistics.frames import FrameStatistics, highest_by_frame
from vadbench.statistics.intervals import CompactCounts
from vadbench.statistics.keys import is_narrow
from vadbench.statistics.objects import ObjectStatistics, object_statistics
from vadbench.statistics.pixels import PixelStatistics, PositivePixels, counted_thresholds
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
    spare_thread : bool
        Whether a thread beside may take part, which hashes what is decoded.
    positives : PositivePixels, optional
        Of this clip, where they were gathered before.
    thresholds : SharedArray, optional
        Distinct scores of the anomalous pixels of all clips, at and between which the normal ones are counted.
    reads_again : bool
        Whether the files of the truth are read, whatever its cache holds.
    """

    dataset: Dataset
    predictions: PredictionSource
    clip_id: str
    protocol: Protocol
    sources: Sources
    metrics: Collection[str]
    spare_thread: bool = False
    positives: PositivePixels | None = None
    thresholds: SharedArray | None = None
    reads_again: bool = False

    def truth(self) -> Truth:
        """Truth of the clip."""
        if self.reads_again:
            return self.dataset.truth(self.clip_id)
        return indexed_truth(self.dataset, self.clip_id)

    def wants(self, keys: Collection[str]) -> bool:
        """Whether one of the metrics is wanted."""
        return any(key in self.metrics for key in keys)


@dataclass(frozen=True)
class ClipStatistics:
    """All that scoring needs of one clip.

    Parameters
    ----------
    clip : Clip
    pixels : PixelStatistics, FrameValues, FoldedPixels or NotAvailable
    negatives : pair of CompactCounts, or None
        Normal pixels at and between the thresholds that all clips share, where there are such.
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
    pixels: PixelStatistics | FrameValues | FoldedPixels | NotAvailable
    negatives: tuple[CompactCounts, CompactCounts] | None
    flagged: FlaggedCounts | None
    objects: ObjectStatistics | NotAvailable
    frames: FrameStatistics | NotAvailable
    score_range: tuple[float, float] | None
    truth_bytes: bytes
    track_lines: list[str]
    content_lines: list[bytes]


def clip_statistics(task: ClipTask) -> ClipStatistics:
    """Compute the statistics of one clip.

    The score maps are read once, in blocks of frames, and what has an anomalous pixel once more before where scores
    have more than 16 bits. Memory is bounded by a few blocks for scores of at most 16 bits; `PositiveCollector` and
    `IntervalCounter` say what others take.
    """
    clip = replace(task.dataset.clip(task.clip_id), frame_reader=None)
    truth = task.truth()
    prediction = task.predictions.clip(clip)
    gathered = _walk(task, truth, prediction)
    pixels = _pixels(task, truth, gathered)
    return ClipStatistics(
        clip=clip,
        pixels=pixels,
        negatives=gathered.pixels.negatives if isinstance(gathered.pixels, PooledIntervals) else None,
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


def pixels_are_ranked_together(task: ClipTask) -> bool:
    """Whether the normal pixels of all clips must be counted at thresholds that all clips share; reads metadata."""
    if not task.wants(PIXEL_METRICS) or task.protocol.pixel.pooling is not Pooling.DATASET:
        return False
    prediction = task.predictions.clip(replace(task.dataset.clip(task.clip_id), frame_reader=None))
    if task.sources.pixel is Source.SCORE_MAPS:
        dtype = present(prediction.maps).dtype
    elif task.sources.pixel is Source.INSTANCES:
        dtype = dtype_of_instance_maps(present(prediction.instances), task.protocol.instances.scores)
    else:
        return False
    return not is_narrow(ranked_dtype(dtype, task.protocol.pixel))


def clip_positives(task: ClipTask) -> PositivePixels | None:
    """Gather the anomalous pixels of a clip; None where it has no masks."""
    truth = task.truth()
    prediction = task.predictions.clip(replace(task.dataset.clip(task.clip_id), frame_reader=None))
    maps = pixel_maps(task, truth, prediction)
    choices = pixel_choices(task, truth, maps)
    return _positives(choices, maps) if choices is not None and maps is not None else None


def pixel_maps(task: ClipTask, truth: Truth, prediction: Prediction) -> ScoreMaps | None:
    """Score maps that the pixel metrics read."""
    if task.sources.pixel is Source.SCORE_MAPS:
        return prediction.maps
    if task.sources.pixel is Source.INSTANCES:
        return InstanceMaps(present(prediction.instances), truth.frames, task.protocol.instances.scores)
    return None


def pixel_choices(task: ClipTask, truth: Truth, maps: ScoreMaps | None) -> PixelChoices | None:
    """What decides how the pixels of those maps are gathered; None where there are no maps or no masks."""
    if maps is None or truth.mask_runs is None:
        return None
    return PixelChoices(maps.dtype, truth.mask_runs, task.protocol.pixel)


def _positives(choices: PixelChoices, maps: ScoreMaps) -> PositivePixels:
    collector = Positives(choices)
    for start, scores in maps.blocks_of(choices.runs.anomalous_frames()):
        collector.add(start, scores)
    return collector.positives()


def _pixel_collector(task: ClipTask, choices: PixelChoices, maps: ScoreMaps) -> PixelCollector:
    if task.protocol.pixel.pooling is Pooling.FRAME_MEAN:
        return FrameByFrame(choices)
    if not choices.two_passes:
        return PooledCodes(choices)
    positives = _positives(choices, maps) if task.positives is None else task.positives
    if task.thresholds is None:
        return PooledIntervals(choices, positives, counted_thresholds([positives], choices.thresholds))
    return PooledIntervals(choices, positives, task.thresholds.open())


@dataclass(frozen=True)
class _Gathered:
    """What was gathered while the score maps went by; None for what was not needed."""

    content: ContentHash | None = None
    extremes: Extremes | None = None
    pixels: PixelCollector | None = None
    flagged: FlaggedCollector | None = None
    components: ComponentDetections | None = None


def _walk(task: ClipTask, truth: Truth, prediction: Prediction) -> _Gathered:
    """Let the score maps go by once, and the maps of instances where pixel metrics need them."""
    maps, scored = prediction.maps, pixel_maps(task, truth, prediction)
    choices = pixel_choices(task, truth, scored)
    pixels = _pixel_collector(task, choices, scored) if choices and scored and task.wants(PIXEL_METRICS) else None
    if maps is None:
        if scored is not None and pixels is not None:
            _go_by(scored, [pixels])
        return _Gathered(pixels=pixels)
    threshold = task.predictions.threshold
    wants_f1 = choices is not None and threshold is not None and task.wants(("pixel_f1",))
    wants_boxes = threshold is not None and task.sources.objects is Source.COMPONENTS and task.wants(OBJECT_METRICS)
    gathered = _Gathered(
        content=ContentHash(),
        extremes=Extremes(),
        pixels=pixels,
        flagged=FlaggedCollector(present(threshold), present(choices)) if wants_f1 else None,
        components=ComponentDetections(present(threshold), maps.dtype) if wants_boxes else None,
    )
    others = [gathered.content, gathered.extremes, gathered.flagged, gathered.components]
    beside = [collector for collector in others if collector is not None]
    own = [] if pixels is None else [pixels]
    if task.spare_thread:
        # Hashing takes about as long as decoding and counting together.
        with Beside(beside) as thread:
            _go_by(maps, [thread, *own])
    else:
        _go_by(maps, [*beside, *own])
    return gathered


def _go_by(maps: ScoreMaps, collectors: Sequence[Collector]) -> None:
    for start, scores in maps.blocks():
        for collector in collectors:
            collector.add(start, scores)


def _pixels(task: ClipTask, truth: Truth, gathered: _Gathered) -> PixelStatistics | FrameValues | NotAvailable:
    if isinstance(task.sources.pixel, NotAvailable):
        return task.sources.pixel
    if truth.mask_runs is None:
        return NotAvailable("the clip has no pixel masks")
    return NotAvailable("not asked for") if gathered.pixels is None else gathered.pixels.result()


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
        scored_detections(task, prediction, gathered.components),
        track_boxes_read_as(tracks, protocol.track_boxes),
        frames=truth.frames,
        iou_threshold=protocol.iou_threshold,
    )


def scored_detections(task: ClipTask, prediction: Prediction, components: ComponentDetections | None) -> Detections:
    """Boxes that the object metrics read; those from score maps were gathered while the maps went by."""
    if task.sources.objects is Source.DETECTIONS:
        return present(prediction.detections)
    if task.sources.objects is Source.INSTANCES:
        protocol = task.protocol
        return detections_from_instances(
            present(prediction.instances),
            merge=protocol.object.merge,
            merge_iou=protocol.object.merge_iou,
            scores=protocol.instances.scores,
        )
    return present(components).detections()


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
        scores = present(prediction.frame_scores)
    elif source is Source.SCORE_MAPS:
        scores = present(gathered.extremes).maxima()
    elif source is Source.INSTANCES:
        instances = present(prediction.instances)
        scores = highest_by_frame(instances.frames, instances.scores, truth.frames)
    else:
        detections = present(prediction.detections)
        scores = highest_by_frame(detections.frames, detections.scores, truth.frames)
    return FrameStatistics(truth.labels, scores)


def present(value: Kind | None) -> Kind:
    """Give a prediction of the chosen source, which every clip holds."""
    if value is None:
        raise AssertionError("a chosen source is absent from a clip")
    return value

"""What is drawn of a method: which of its predictions, on which scale of scores, frame after frame."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import UsageError, quoted
from vadbench.evaluation.predictions import MemoryPredictions, PredictionSource, StoredPredictions
from vadbench.overlay.picture import score_span
from vadbench.plots.score_scale import ScoreScale, declared_scale
from vadbench.prediction import Prediction, PredictionKind

if TYPE_CHECKING:
    from vadbench.datasets.base import Clip, Dataset
    from vadbench.prediction import Detections, Instances, ScoreMaps
    from vadbench.submission import Submission

    Predictions: TypeAlias = Submission | Mapping[str, Prediction] | str | os.PathLike[str]

Progress = Callable[[int, int, str], None]
"""Is told how many of how many clips or frames are done, and which was the last."""

DRAWN_KINDS = (PredictionKind.SCORE_MAPS, PredictionKind.INSTANCES, PredictionKind.DETECTIONS)


@dataclass(frozen=True)
class FrameContent:
    """What a method says of one frame.

    Parameters
    ----------
    score_map : (H, W) real, or None
    rows : (n,) int64
        Of `ShownClip.instances`.
    boxes : (N, 4) real
        Of detections, half-open, in pixels.
    box_scores : (N,) real
    """

    score_map: NDArray[Any] | None
    rows: NDArray[np.int64]
    boxes: NDArray[Any]
    box_scores: NDArray[Any]


@dataclass(frozen=True)
class ShownMethod:
    """One method in a picture.

    Parameters
    ----------
    name : str
    source : PredictionSource
    kinds : frozenset of PredictionKind
        What is drawn: score maps or instances, and detections.
    span : (float, float)
        Lowest and highest score of all clips, in stored units: of score maps, else of instances, else of detections.
    scale : ScoreScale
        What stored scores of maps stand for.
    threshold : float or None
        Of score maps, in stored units.
    """

    name: str
    source: PredictionSource
    kinds: frozenset[PredictionKind]
    span: tuple[float, float]
    scale: ScoreScale
    threshold: float | None

    def frames(self, clip: Clip, begin: int, end: int) -> tuple[Instances | None, Iterator[FrameContent]]:
        """Instances of a clip, and what is drawn of its frames from `begin` to before `end`, one at a time."""
        prediction = self.source.clip(clip)
        instances = prediction.instances if PredictionKind.INSTANCES in self.kinds else None
        maps = prediction.maps if PredictionKind.SCORE_MAPS in self.kinds else None
        found = prediction.detections if PredictionKind.DETECTIONS in self.kinds else None
        return instances, _contents(maps, instances, found, (begin, end))


def shown_method(
    name: str,
    predictions: Predictions,
    dataset: Dataset,
    *,
    kinds: frozenset[PredictionKind] | None = None,
    span: tuple[float | None, float | None] = (None, None),
    threshold: float | None = None,
    progress: Progress | None = None,
) -> ShownMethod:
    """Choose what is drawn of a method, and find the scale of its scores, which takes a walk through all clips.

    Parameters
    ----------
    name : str
        In titles and messages.
    predictions : Submission or its path, or mapping from clip id to Prediction
    dataset : Dataset
    kinds : set of PredictionKind, optional
        What is drawn; unless given, score maps, or instances where there are no maps, and detections.
    span : (float or None, float or None)
        Ends of the scale in stored units; where both are given no walk is needed.
    threshold : float, optional
        In stored units; the declared one unless given.
    progress : callable, optional
        Called as ``progress(done, total, clip_id)``.

    Raises
    ------
    SubmissionError
        Where predictions do not fit the data set, or cannot be read.
    UsageError
        U291 if there is nothing that can be drawn.
    """
    source = prediction_source(predictions)
    source.check_against(dataset)
    chosen = _chosen_kinds(name, source.kinds, kinds)
    lower, upper = span
    if lower is None or upper is None:
        found = _walked_span(source, dataset, chosen, progress)
        lower, upper = score_span(np.array(found), lower, upper)
    else:
        lower, upper = score_span(np.zeros(0), lower, upper)
    declared, scale = source.threshold, ScoreScale()
    if isinstance(source, StoredPredictions) and PredictionKind.SCORE_MAPS in chosen:
        maps = source.clip(dataset.clips[0]).maps
        scale = declared_scale(source.submission.metadata.score_maps, maps)
    mark = declared if threshold is None else threshold
    return ShownMethod(
        name, source, chosen, (lower, upper), scale, mark if PredictionKind.SCORE_MAPS in chosen else None
    )


def prediction_source(predictions: Predictions) -> PredictionSource:
    """Predictions of any of the forms that are taken, in one form."""
    from vadbench.submission import Submission

    if isinstance(predictions, Mapping):
        return MemoryPredictions(predictions)
    return StoredPredictions(predictions if isinstance(predictions, Submission) else Submission.open(predictions))


def _chosen_kinds(
    name: str, there: tuple[PredictionKind, ...], wanted: frozenset[PredictionKind] | None
) -> frozenset[PredictionKind]:
    drawable = [kind for kind in DRAWN_KINDS if kind in there]
    if wanted is None:
        hidden = {PredictionKind.INSTANCES} if PredictionKind.SCORE_MAPS in drawable else set()
        chosen = frozenset(drawable) - hidden
    else:
        chosen = wanted & frozenset(drawable)
    if not chosen or (wanted is not None and not wanted <= frozenset(drawable)):
        raise UsageError(
            "U291",
            "the submission has nothing that could be drawn over frames"
            if wanted is None
            else "the submission lacks what is to be drawn",
            where=quoted(name),
            expected=", ".join(DRAWN_KINDS if wanted is None else sorted(wanted)),
            got=", ".join(there) or "no predictions",
            hint="frame scores are drawn over time: vadbench plot timeline" if not drawable else "",
        )
    return chosen


def _walked_span(
    source: PredictionSource, dataset: Dataset, kinds: frozenset[PredictionKind], progress: Progress | None
) -> list[float]:
    """Extremes of the scores of all clips, of the first kind that is drawn."""
    first = next(kind for kind in DRAWN_KINDS if kind in kinds)
    extremes: list[float] = []
    for done, clip in enumerate(dataset.clips):
        if progress is not None:
            progress(done, len(dataset.clips), clip.id)
        prediction = source.clip(clip)
        rows = prediction.instances if first is PredictionKind.INSTANCES else prediction.detections
        if first is PredictionKind.SCORE_MAPS and prediction.maps is not None:
            for _, block in prediction.maps.blocks():
                extremes += score_span(block)
        elif rows is not None and len(rows.scores):
            extremes += score_span(rows.scores)
    if progress is not None:
        progress(len(dataset.clips), len(dataset.clips), "")
    return extremes


def _contents(
    maps: ScoreMaps | None, instances: Instances | None, found: Detections | None, span: tuple[int, int]
) -> Iterator[FrameContent]:
    begin, end = span
    score_maps = None if maps is None else _maps_of(maps, begin, end)
    order = None if found is None else np.argsort(found.frames, kind="stable")
    for frame in range(begin, end):
        rows = np.zeros(0, dtype=np.int64)
        if instances is not None:
            first, last = np.searchsorted(instances.frames, [frame, frame + 1])
            rows = np.arange(first, last, dtype=np.int64)
        boxes, scores = np.zeros((0, 4)), np.zeros(0)
        if found is not None and order is not None:
            first, last = np.searchsorted(found.frames, [frame, frame + 1], sorter=order)
            own = order[first:last]
            boxes, scores = found.boxes[own], found.scores[own]
        yield FrameContent(None if score_maps is None else next(score_maps), rows, boxes, scores)


def _maps_of(maps: ScoreMaps, begin: int, end: int) -> Iterator[NDArray[Any]]:
    wanted = np.zeros(maps.shape[0], dtype=np.bool_)
    wanted[begin:end] = True
    for start, block in maps.blocks_of(wanted):
        yield from block[max(begin - start, 0) : max(end - start, 0)]

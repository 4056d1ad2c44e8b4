"""Predictions to be scored, wherever they lie: what the loop asks of them, stored ones, and ones held in memory."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Clip, Dataset
from vadbench.errors import UsageError
from vadbench.prediction import Prediction, PredictionKind, ScoreMaps
from vadbench.submission.agreement import clip_differences, frame_count_differs, frame_size_differs
from vadbench.submission.fingerprint import array_line, metadata_line, submission_fingerprint
from vadbench.submission.problems import problem

if TYPE_CHECKING:
    from vadbench.submission import Submission


class PredictionSource(Protocol):
    """What the loop asks of predictions; picklable, so that workers can read clips on their own."""

    @property
    def kinds(self) -> tuple[PredictionKind, ...]:
        """The kinds that every clip holds."""
        ...

    @property
    def threshold(self) -> float | None:
        """Declared threshold of the score maps, in stored units."""
        ...

    def only(self, clip_id: str) -> PredictionSource:
        """What a worker needs for that clip."""
        ...

    def check_against(self, dataset: Dataset) -> None:
        """Raise `SubmissionError` where ids, frame counts or sizes do not fit the data set; reads no prediction."""

    def clip(self, clip: Clip) -> Prediction:
        """Give the predictions of a clip; values are checked as they are read."""
        ...

    def content_lines(self, clip: Clip, prediction: Prediction, score_maps_sha256: str | None) -> list[bytes]:
        """Lines of a clip's arrays for the fingerprint; the score maps were hashed while they were read."""
        ...

    def fingerprint_of(self, lines: list[bytes]) -> str:
        """Fingerprint from the lines of all clips, 64 hex digits."""
        ...

    def description(self) -> dict[str, Any]:
        """What a report says of the submission beside its fingerprint."""
        ...


class StoredPredictions:
    """A submission on disk or behind a URL."""

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.kinds = submission.predictions
        maps = submission.metadata.score_maps
        self.threshold = None if maps is None else maps.threshold

    def only(self, clip_id: str) -> StoredPredictions:
        """The submission itself: it holds a path and metadata."""
        return self

    def check_against(self, dataset: Dataset) -> None:
        """Check that the submission fits the data set, from metadata alone."""
        self.submission.check_against(dataset)

    def clip(self, clip: Clip) -> Prediction:
        """Predictions of a clip."""
        return self.submission.clip(clip)

    def content_lines(self, clip: Clip, prediction: Prediction, score_maps_sha256: str | None) -> list[bytes]:
        """Lines of the arrays as they are stored."""
        return list(self.submission.content_lines(clip.id, score_maps_sha256=score_maps_sha256))

    def fingerprint_of(self, lines: list[bytes]) -> str:
        """Fingerprint of metadata and content."""
        return self.submission.fingerprint_of(lines)

    def description(self) -> dict[str, Any]:
        """Method, training and threshold, as the submission declares them."""
        declared = self.submission.metadata.model_dump(mode="json", exclude_none=True)
        return {key: declared[key] for key in ("method", "training", "score_maps", "predictions") if key in declared}


class MemoryPredictions:
    """Predictions held in memory.

    Parameters
    ----------
    predictions : mapping from clip id to Prediction
    threshold : float, optional
        Declared threshold of the score maps, in their units.
    """

    def __init__(self, predictions: Mapping[str, Prediction], threshold: float | None = None) -> None:
        for clip_id, prediction in predictions.items():
            if not isinstance(clip_id, str) or not isinstance(prediction, Prediction):
                raise UsageError(
                    "U142",
                    "predictions in memory are a mapping from clip id to Prediction",
                    where=f"clip {clip_id!r}",
                    got=f"{type(clip_id).__name__} to {type(prediction).__name__}",
                    hint='such as {"01": Prediction(score_maps=array)}',
                )
        if threshold is not None and not math.isfinite(threshold):
            raise UsageError("U143", "a declared threshold must be a finite number", got=str(threshold))
        self._predictions = dict(predictions)
        self.threshold = None if threshold is None else float(threshold)

    def only(self, clip_id: str) -> MemoryPredictions:
        """Those of that clip alone."""
        return MemoryPredictions({clip_id: self._predictions[clip_id]}, self.threshold)

    @property
    def kinds(self) -> tuple[PredictionKind, ...]:
        """The kinds that every clip holds."""
        held = [set(prediction.kinds) for prediction in self._predictions.values()]
        return tuple(kind for kind in PredictionKind if held and all(kind in own for own in held))

    def check_against(self, dataset: Dataset) -> None:
        """Check ids, sizes, frame numbers and dtypes."""
        for error in clip_differences((), sorted(self._predictions), [clip.id for clip in dataset.clips]):
            raise error
        first: dict[str, Any] = {}
        for clip in dataset.clips:
            prediction = self._predictions[clip.id]
            _check_sizes(clip, prediction)
            _check_rows(clip, prediction)
            for code, name, own in _alike(prediction):
                if first.setdefault(name, own) != own:
                    raise problem(code, where=(f"clip {clip.id}", name), expected=str(first[name]), got=str(own))

    def clip(self, clip: Clip) -> Prediction:
        """Predictions of a clip, whose values are checked as they are read."""
        given = self._predictions[clip.id]
        maps = given.maps
        return Prediction(
            score_maps=None if maps is None else _FiniteScoreMaps(clip.id, maps),
            instances=given.instances,
            detections=given.detections,
            frame_scores=None if given.frame_scores is None else _finite_frame_scores(clip.id, given.frame_scores),
        )

    def content_lines(self, clip: Clip, prediction: Prediction, score_maps_sha256: str | None) -> list[bytes]:
        """Lines as if the arrays were stored with their own dtypes."""
        lines = []
        if prediction.maps is not None and score_maps_sha256 is not None:
            maps = prediction.maps
            path = f"predictions.zarr/{clip.id}/score_maps"
            lines.append(array_line(path, maps.dtype.name, maps.shape, score_maps_sha256))
        for name, array in _small_arrays(prediction):
            content = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            digest = hashlib.sha256(content.tobytes()).hexdigest()
            lines.append(array_line(f"predictions.zarr/{clip.id}/{name}", array.dtype.name, array.shape, digest))
        return lines

    def fingerprint_of(self, lines: list[bytes]) -> str:
        """Fingerprint of the content and of the declared threshold: that stands for the metadata."""
        threshold = [] if self.threshold is None else [metadata_line(f"threshold = {self.threshold!r}\n".encode())]
        return submission_fingerprint([*lines, *threshold])

    def description(self) -> dict[str, Any]:
        """Say that the predictions came from memory, and the threshold."""
        return {"in_memory": True} | ({} if self.threshold is None else {"threshold": self.threshold})


def _check_sizes(clip: Clip, prediction: Prediction) -> None:
    size = (clip.height, clip.width)
    for name, array in (("score_maps", prediction.maps), ("frame_scores", prediction.frame_scores)):
        where = (f"clip {clip.id}", name)
        if array is not None and array.shape[0] != clip.frames:
            raise frame_count_differs(where, clip.frames, array.shape[0], "the clip")
        if array is not None and array.shape[1:] not in {(), size}:
            raise frame_size_differs(where, size, array.shape[1:])
    instances = prediction.instances
    if instances is not None and (instances.height, instances.width) != size:
        raise frame_size_differs((f"clip {clip.id}", "instances"), size, (instances.height, instances.width))


def _check_rows(clip: Clip, prediction: Prediction) -> None:
    for name, rows in (("instances", prediction.instances), ("detections", prediction.detections)):
        if rows is not None and rows.frames.size and not 0 <= rows.frames.min() <= rows.frames.max() < clip.frames:
            raise problem(
                "S141",
                where=(f"clip {clip.id}", name),
                expected=f"frames from 0 to {clip.frames - 1}",
                got=f"{rows.frames.min()} to {rows.frames.max()}",
                hint="frames are 0-based",
            )
    if prediction.detections is not None:
        boxes = prediction.detections.boxes
        outside = (boxes[:, :2] < 0).any(axis=1) | (boxes[:, 2] > clip.width) | (boxes[:, 3] > clip.height)
        if outside.any():
            row = int(outside.argmax())
            raise problem(
                "S142",
                where=(f"clip {clip.id}", "detections", f"row {row}", f"frame {prediction.detections.frames[row]}"),
                expected=f"0 ≤ x1 < x2 ≤ {clip.width}, 0 ≤ y1 < y2 ≤ {clip.height}",
                got=str(boxes[row].tolist()),
                hint="clip boxes to the frame",
            )


def _alike(prediction: Prediction) -> Iterator[tuple[str, str, object]]:
    """Yield (error code, name, property) of what must be the same in every clip."""
    if prediction.maps is not None:
        yield "S107", "score_maps", prediction.maps.dtype
    if prediction.frame_scores is not None:
        yield "S107", "frame_scores", prediction.frame_scores.dtype
    for name, rows in (("instances", prediction.instances), ("detections", prediction.detections)):
        if rows is not None:
            yield "S107", f"{name}/score", rows.scores.dtype
            yield "S108", f"{name}/object", "absent" if rows.objects is None else "there"


def _small_arrays(prediction: Prediction) -> list[tuple[str, NDArray[Any]]]:
    arrays: list[tuple[str, NDArray[Any] | None]] = [("frame_scores", prediction.frame_scores)]
    if prediction.instances is not None:
        own = prediction.instances
        arrays += [
            ("instances/frame", own.frames),
            ("instances/object", own.objects),
            ("instances/score", own.scores),
            ("instances/counts", own.counts),
            ("instances/offsets", own.offsets),
        ]
    if prediction.detections is not None:
        found = prediction.detections
        arrays += [
            ("detections/frame", found.frames),
            ("detections/box", found.boxes),
            ("detections/score", found.scores),
            ("detections/object", found.objects),
        ]
    return [(name, array) for name, array in arrays if array is not None]


class _FiniteScoreMaps(ScoreMaps):
    """Score maps that are refused at their first NaN or infinity."""

    def __init__(self, clip_id: str, maps: ScoreMaps) -> None:
        self._clip_id, self._maps = clip_id, maps
        self.shape, self.dtype = maps.shape, maps.dtype

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W) scores) through the clip."""
        return self.blocks_of(np.ones(self.shape[0], dtype=bool))

    def blocks_of(self, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[Any]]]:
        for start, block in self._maps.blocks_of(wanted):
            # NaN and infinities show in the extremes, which need no array of their own.
            if block.dtype.kind == "f" and not (np.isfinite(block.min()) and np.isfinite(block.max())):
                frame, y, x = (int(i) for i in np.argwhere(~np.isfinite(block))[0])
                raise problem(
                    "S140",
                    where=(f"clip {self._clip_id}", f"frame {start + frame}", f"pixel x={x}, y={y}"),
                    got=str(block[frame, y, x]),
                    hint="replace NaN and infinities before scoring; they have no rank",
                )
            yield start, block


def _finite_frame_scores(clip_id: str, scores: NDArray[Any]) -> NDArray[Any]:
    if scores.dtype.kind == "f" and not np.isfinite(scores).all():
        frame = int(np.argwhere(~np.isfinite(scores))[0][0])
        raise problem("S140", where=(f"clip {clip_id}", f"frame {frame}"), got=str(scores[frame]))
    return scores

"""What a method says of one clip: score maps, instances, detections, frame scores.

Source: protocols.md, "Which prediction feeds which metric"; submission.md, "predictions.zarr".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.errors import DataError
from vadbench.truth import BLOCK_FRAMES


class PredictionKind(StrEnum):
    """The four kinds of prediction, in the order of the format."""

    SCORE_MAPS = "score_maps"
    INSTANCES = "instances"
    DETECTIONS = "detections"
    FRAME_SCORES = "frame_scores"


@dataclass(frozen=True)
class Detections:
    """Boxes with scores, in reading order.

    Parameters
    ----------
    frames : (N,) int64
        0-based.
    boxes : (N, 4) real
        Half-open ``x1, y1, x2, y2`` in pixels.
    scores : (N,) real
        Higher is more anomalous; the dtype is kept. NaN and infinities raise `DataError` D321.
    objects : (N,) int64, optional
        Identity of the object within the clip.
    """

    frames: NDArray[np.int64]
    boxes: NDArray[Any]
    scores: NDArray[Any]
    objects: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        frames = np.asarray(self.frames, dtype=np.int64)
        boxes = np.asarray(self.boxes).reshape(-1, 4)
        scores = np.asarray(self.scores)
        if not (frames.shape == scores.shape == (len(boxes),)):
            raise DataError(
                "D320",
                "detections need one frame, one box and one score each",
                expected="frames (N,), boxes (N, 4), scores (N,)",
                got=f"frames {frames.shape}, boxes {boxes.shape}, scores {scores.shape}",
            )
        for name, values in (("scores", scores), ("boxes", boxes)):
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                row = int(np.argwhere(~np.isfinite(values))[0][0])
                raise DataError("D321", f"{name} of detections must be finite", where=f"row {row}, frame {frames[row]}")
        if (boxes[:, 2:] <= boxes[:, :2]).any():
            row = int(np.argwhere(boxes[:, 2:] <= boxes[:, :2])[0][0])
            raise DataError(
                "D322",
                "the box of a detection has no area",
                where=f"row {row}, frame {frames[row]}",
                expected="x1 < x2 and y1 < y2, half-open",
                got=str(boxes[row].tolist()),
                hint="boxes with inclusive corners need x2 + 1 and y2 + 1",
            )
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "scores", scores)
        if self.objects is not None:
            object.__setattr__(self, "objects", np.asarray(self.objects, dtype=np.int64))


@dataclass(frozen=True)
class Instances:
    """Masks of objects, one row an object and frame, as column-major COCO run lengths, in reading order.

    Parameters
    ----------
    height, width : int
    frames : (N,) int32
        0-based, not decreasing.
    scores : (N,) float32 or float64
    counts : (M,) uint32
        Run lengths of all masks one after the other; each mask is read column by column and begins with its run
        of zeros, which alone may be 0; the runs of a mask add up to ``height * width``.
    offsets : (N + 1,) int64
        Mask n is ``counts[offsets[n]:offsets[n + 1]]``.
    objects : (N,) int32, optional
        The object's id within the clip, the same over time. None: there are no identities.
    """

    height: int
    width: int
    frames: NDArray[np.int32]
    scores: NDArray[np.floating[Any]]
    counts: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    objects: NDArray[np.int32] | None = None

    @classmethod
    def from_masks(
        cls,
        frames: ArrayLike,
        masks: Iterable[NDArray[Any]],
        scores: ArrayLike,
        *,
        height: int,
        width: int,
        objects: ArrayLike | None = None,
    ) -> Instances:
        """Encode masks.

        Parameters
        ----------
        frames : (N,) int
            0-based, not decreasing.
        masks : iterable of N arrays (H, W)
            Any non-zero value belongs to the mask; taken one at a time.
        scores : (N,) real
            Stored as float64 unless float32.
        height, width : int
            Size of the frame in pixels.
        objects : (N,) int, optional

        Raises
        ------
        DataError
            D330 if a mask is empty, has another size, or the lengths disagree.
        """
        counts, offsets = [], [0]
        for row, mask in enumerate(masks):
            if mask.shape != (height, width) or not mask.any():
                raise DataError(
                    "D330",
                    "the mask of an instance must be as large as the frame and not empty",
                    where=f"row {row}",
                    expected=f"({height}, {width}) with at least one pixel",
                    got=f"{mask.shape} with {int((mask != 0).sum())} pixels",
                )
            flat = (mask != 0).ravel(order="F")
            edges = np.flatnonzero(np.diff(flat)) + 1
            first = [0, 0] if flat[0] else [0]
            bounds = np.concatenate([first, edges, [flat.size]])
            counts.append(np.diff(bounds).astype(np.uint32))
            offsets.append(offsets[-1] + len(counts[-1]))
        given_scores = np.asarray(scores)
        given_frames = np.asarray(frames, dtype=np.int32)
        if not (len(offsets) - 1 == len(given_scores) == len(given_frames)) or (np.diff(given_frames) < 0).any():
            raise DataError(
                "D330",
                "instances need one frame, one mask and one score each, in order of frame",
                got=f"{len(given_frames)} frames, {len(offsets) - 1} masks, {len(given_scores)} scores",
            )
        return cls(
            height,
            width,
            given_frames,
            given_scores if given_scores.dtype == np.float32 else given_scores.astype(np.float64),
            np.concatenate([*counts, np.zeros(0, dtype=np.uint32)]),
            np.array(offsets, dtype=np.int64),
            None if objects is None else np.asarray(objects, dtype=np.int32),
        )

    def __len__(self) -> int:
        """Give the number of rows N."""
        return len(self.frames)

    def _pixel_runs(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts and ends (exclusive) of the runs of ones of a mask, in column-major pixel order."""
        bounds = np.cumsum(self.counts[self.offsets[row] : self.offsets[row + 1]], dtype=np.int64)
        return bounds[:-1:2], bounds[1::2]

    def mask(self, row: int) -> NDArray[np.bool_]:
        """Mask of a row as (H, W) bool."""
        flat = np.zeros(self.height * self.width + 1, dtype=np.int8)
        starts, ends = self._pixel_runs(row)
        np.add.at(flat, starts, 1)
        np.add.at(flat, ends, -1)
        filled = np.cumsum(flat[:-1], dtype=np.int8).view(np.bool_)
        return filled.reshape(self.width, self.height).T

    def boxes(self) -> NDArray[np.int64]:
        """Extremal half-open boxes of the masks, (N, 4) int64, in row order."""
        boxes = np.zeros((len(self), 4), dtype=np.int64)
        for row in range(len(self)):
            starts, ends = self._pixel_runs(row)
            columns, last_columns = starts // self.height, (ends - 1) // self.height
            # A run that goes on into the next column touches the bottom of one and the top of the next.
            wraps = last_columns > columns
            top = np.where(wraps, 0, starts % self.height).min()
            bottom = np.where(wraps, self.height - 1, (ends - 1) % self.height).max()
            boxes[row] = columns.min(), top, last_columns.max() + 1, bottom + 1
        return boxes


class ScoreMaps(ABC):
    """Anomaly scores of every pixel of a clip, read in blocks of frames.

    Attributes
    ----------
    shape : (T, H, W)
    dtype : numpy.dtype
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]

    @abstractmethod
    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W) scores) through the clip, in order, without gap or overlap."""


class ScoreMapArray(ScoreMaps):
    """Score maps held in memory, (T, H, W) of any real dtype."""

    def __init__(self, scores: ArrayLike) -> None:
        array = np.asarray(scores)
        if array.ndim != 3 or array.dtype.kind not in "buif":
            raise DataError(
                "D340", "score maps have the wrong form", expected="(T, H, W), real", got=f"{array.shape} {array.dtype}"
            )
        self._array = array.astype(np.uint8) if array.dtype.kind == "b" else array
        self.shape = (int(array.shape[0]), int(array.shape[1]), int(array.shape[2]))
        self.dtype = self._array.dtype

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, view of the array) in blocks of eight frames."""
        for start in range(0, self.shape[0], BLOCK_FRAMES):
            yield start, self._array[start : start + BLOCK_FRAMES]


@dataclass(frozen=True)
class Prediction:
    """Everything a method says of one clip; what is absent is None.

    Parameters
    ----------
    score_maps : ScoreMaps, or an array (T, H, W) of any real dtype, optional
        Higher is more anomalous. An array is wrapped in `ScoreMapArray`.
    instances : Instances, optional
    detections : Detections, optional
    frame_scores : (T,) real, optional
    """

    score_maps: ScoreMaps | NDArray[Any] | None = None
    instances: Instances | None = None
    detections: Detections | None = None
    frame_scores: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if self.score_maps is not None and not isinstance(self.score_maps, ScoreMaps):
            object.__setattr__(self, "score_maps", ScoreMapArray(self.score_maps))
        if self.frame_scores is not None:
            object.__setattr__(self, "frame_scores", np.asarray(self.frame_scores))

    @property
    def maps(self) -> ScoreMaps | None:
        """The score maps, readable in blocks, however they were given."""
        return self.score_maps if isinstance(self.score_maps, ScoreMaps) else None

    @property
    def kinds(self) -> tuple[PredictionKind, ...]:
        """The kinds that are there, in the order of the format."""
        return tuple(kind for kind in PredictionKind if getattr(self, kind) is not None)

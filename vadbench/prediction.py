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
from vadbench.masks import BLOCK_FRAMES


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
        frames = _whole_numbers(self.frames, "frames")
        boxes = np.asarray(self.boxes).reshape(-1, 4)
        scores = np.asarray(self.scores)
        objects = None if self.objects is None else _whole_numbers(self.objects, "objects")
        lengths = {frames.shape, scores.shape, (len(boxes),)} | (set() if objects is None else {objects.shape})
        if len(lengths) > 1:
            raise DataError(
                "D320",
                "detections need one frame, one box and one score each, and one object or none at all",
                expected="frames (N,), boxes (N, 4), scores (N,), objects (N,)",
                got=f"frames {frames.shape}, boxes {boxes.shape}, scores {scores.shape}"
                + ("" if objects is None else f", objects {objects.shape}"),
            )
        for name, values in (("scores", scores), ("boxes", boxes)):
            _require_real(values, f"{name} of detections")
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
                hint="x2 is x + width and y2 is y + height; boxes with inclusive corners need x2 + 1 and y2 + 1",
            )
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "scores", scores)
        object.__setattr__(self, "objects", objects)


def _whole_numbers(values: ArrayLike, name: str) -> NDArray[np.int64]:
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "iu" and not (given.dtype.kind == "f" and (given % 1 == 0).all()):
        raise DataError("D323", f"{name} must be whole numbers", got=f"dtype {given.dtype}")
    return given.astype(np.int64)


def _require_real(values: NDArray[Any], name: str) -> None:
    if values.size and values.dtype.kind not in "buif":
        raise DataError("D324", f"{name} must be real numbers", got=f"dtype {values.dtype}")


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

    def __post_init__(self) -> None:
        frames, offsets, counts = self.frames, self.offsets, self.counts
        objects = frames if self.objects is None else self.objects
        rows = len(frames)
        whole = (len(self.scores), len(objects), len(offsets)) == (rows, rows, rows + 1)
        if not whole or offsets[0] != 0 or offsets[-1] != len(counts) or (np.diff(offsets) < 1).any():
            raise DataError(
                "D331",
                "the arrays of instances do not fit each other",
                expected="frames, scores, objects (N,); offsets (N + 1,) from 0 to the number of counts, increasing",
                got=f"{rows} frames, {len(self.scores)} scores, {len(objects)} objects, {len(offsets)} offsets",
            )
        if not rows:
            return
        self._refuse((np.diff(frames, prepend=0) < 0), "frames must be 0-based and in order")
        _require_real(self.scores, "scores of instances")
        self._refuse(~np.isfinite(self.scores), "scores must be finite")
        total = np.add.reduceat(counts, offsets[:-1], dtype=np.int64)
        self._refuse(total != self.height * self.width, "the runs of a mask must add up to the frame")
        empty_run = counts == 0
        # Only the first run, of zeros, may be empty; a second run, of ones, must be there.
        empty_run[offsets[:-1]] = np.diff(offsets) < 2
        self._refuse(np.logical_or.reduceat(empty_run, offsets[:-1]), "a mask needs a pixel, and no empty run inside")

    def _refuse(self, wrong: NDArray[np.bool_], rule: str) -> None:
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(
                "D332",
                f"an instance is wrong: {rule}",
                where=f"row {row}, frame {self.frames[row]}",
                got=self._row(row),
            )

    def _row(self, row: int) -> str:
        runs = self.counts[self.offsets[row] : self.offsets[row + 1]]
        return f"score {self.scores[row]}, {len(runs)} runs of {runs.sum(dtype=np.int64)} pixels in all"

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
        first, columns = self.mask_columns(row)
        mask = np.zeros((self.height, self.width), dtype=bool)
        mask[:, first : first + columns.shape[1]] = columns
        return mask

    def mask_columns(self, row: int) -> tuple[int, NDArray[np.bool_]]:
        """First column that the mask of a row touches, and the mask from there to its last, (H, n) bool."""
        runs = self.counts[self.offsets[row] : self.offsets[row + 1]].astype(np.int64)
        if len(runs) % 2:
            runs = runs[:-1]
        first, above = divmod(int(runs[0]), self.height)
        runs[0] = above
        n_columns = -(-int(runs.sum()) // self.height)
        flat = np.zeros(n_columns * self.height, dtype=bool)
        filled = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
        flat[: filled.size] = filled
        return first, flat.reshape(n_columns, self.height).T

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

    def blocks_of(self, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W) scores) of the blocks that hold a wanted frame, in order.

        Parameters
        ----------
        wanted : (T,) bool

        Notes
        -----
        Reads all blocks, unless a kind of maps knows how to leave some out.
        """
        for start, block in self.blocks():
            if wanted[start : start + len(block)].any():
                yield start, block


class ScoreMapArray(ScoreMaps):
    """Score maps held in memory, (T, H, W) of any real dtype of at most 64 bits."""

    def __init__(self, scores: ArrayLike) -> None:
        array = np.asarray(scores)
        if array.ndim != 3 or array.dtype.kind not in "buif" or array.dtype.itemsize > 8:
            raise DataError(
                "D340",
                "score maps have the wrong form",
                expected="(T, H, W), real numbers of at most 64 bits",
                got=f"{array.shape} {array.dtype}",
            )
        dtype = np.dtype(np.uint8) if array.dtype.kind == "b" else array.dtype.newbyteorder("=")
        self._array = array.astype(dtype, copy=False)
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
            scores = np.asarray(self.frame_scores)
            _require_real(scores, "frame scores")
            if scores.ndim != 1:
                raise DataError("D341", "frame scores have the wrong shape", expected="(T,)", got=str(scores.shape))
            object.__setattr__(self, "frame_scores", scores.astype(np.uint8) if scores.dtype.kind == "b" else scores)

    @property
    def maps(self) -> ScoreMaps | None:
        """The score maps, readable in blocks, however they were given."""
        return self.score_maps if isinstance(self.score_maps, ScoreMaps) else None

    @property
    def kinds(self) -> tuple[PredictionKind, ...]:
        """The kinds that are there, in the order of the format."""
        return tuple(kind for kind in PredictionKind if getattr(self, kind) is not None)

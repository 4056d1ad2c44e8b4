"""What is gathered while the score maps of a clip go by once, block by block."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vadbench.evaluation.pixel_scores import FrameValues, values_of_frames
from vadbench.prediction import Instances, ScoreMaps
from vadbench.protocol.protocol import Aupro, FrameSelection, PixelProtocol, Pooling
from vadbench.statistics.detections import InstanceScores
from vadbench.statistics.flagged import FlaggedCounts, joined_flagged_counts
from vadbench.statistics.pixels import MapScaling, PixelAccumulator, PixelStatistics, scale_by_frame_maximum
from vadbench.statistics.scores import least_flagged_score
from vadbench.truth import BLOCK_FRAMES

Masks = NDArray[np.bool_]


class Collector(Protocol):
    """Takes in blocks of frames, in order."""

    def add(self, first_frame: int, scores: NDArray[Any], masks: Masks | None) -> None:
        """Take in the scores (n, H, W) of the frames from `first_frame` on, and their masks if there are any."""


class ContentHash:
    """SHA-256 of the maps' content: C order, little endian."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, first_frame: int, scores: NDArray[Any], masks: Masks | None) -> None:
        """Take in a block."""
        # A memory view would spare the copy, but exists for the usual dtypes only.
        self._digest.update(np.ascontiguousarray(scores, dtype=scores.dtype.newbyteorder("<")).tobytes())

    def hexdigest(self) -> str:
        """64 hex digits."""
        return self._digest.hexdigest()


class FrameMaxima:
    """Highest score of every frame."""

    def __init__(self) -> None:
        self._maxima: list[NDArray[Any]] = []

    def add(self, first_frame: int, scores: NDArray[Any], masks: Masks | None) -> None:
        """Take in a block."""
        self._maxima.append(scores.max(axis=(1, 2)))

    def maxima(self) -> NDArray[Any]:
        """Give the maxima, (T,) in the dtype of the maps."""
        return np.concatenate(self._maxima)


class Extremes:
    """Least and greatest score of the clip."""

    def __init__(self) -> None:
        self._range: tuple[Any, Any] | None = None

    def add(self, first_frame: int, scores: NDArray[Any], masks: Masks | None) -> None:
        """Take in a block."""
        least, greatest = scores.min(), scores.max()
        if self._range is not None:
            least, greatest = min(least, self._range[0]), max(greatest, self._range[1])
        self._range = least, greatest

    def range(self) -> tuple[float, float]:
        """Give both, as Python numbers."""
        if self._range is None:
            raise AssertionError("no block was taken in")
        return self._range[0].item(), self._range[1].item()


def _entering(masks: Masks, protocol: PixelProtocol) -> Masks:
    """Which frames of a block, (n,) bool, enter the pixel metrics."""
    if protocol.frames is FrameSelection.ALL:
        return np.ones(len(masks), dtype=bool)
    return np.asarray(masks.any(axis=(1, 2)))


def _scaled(scores: NDArray[Any], protocol: PixelProtocol) -> NDArray[Any]:
    return scale_by_frame_maximum(scores) if protocol.map_scaling is MapScaling.FRAME_MAXIMUM else scores


class PixelCollector:
    """Pixel statistics of the clip, or each frame's own values, as the protocol's pooling asks."""

    def __init__(self, dtype: np.dtype[Any], protocol: PixelProtocol) -> None:
        self._protocol = protocol
        scaled_dtype = _scaled(np.zeros((1, 1, 1), dtype=dtype), protocol).dtype
        self._connectivity = protocol.connectivity if protocol.aupro is Aupro.REGION_OVERLAP else None
        self._pool = PixelAccumulator(scaled_dtype, self._connectivity)
        self._dtype = scaled_dtype
        self._frames: list[FrameValues] = []

    def add(self, first_frame: int, scores: NDArray[Any], masks: Masks | None) -> None:
        """Take in a block; it needs its masks."""
        if masks is None:
            return
        entering = _entering(masks, self._protocol)
        chosen_masks, chosen = masks[entering], _scaled(scores[entering], self._protocol)
        if self._protocol.pooling is Pooling.FRAME_MEAN:
            self._frames.append(values_of_frames(self._each_frame(chosen_masks, chosen), self._protocol))
        else:
            self._pool.add(chosen_masks, chosen)

    def _each_frame(self, masks: Masks, scores: NDArray[Any]) -> Iterator[tuple[PixelStatistics, bool]]:
        for mask, score_map in zip(masks, scores, strict=True):
            frame = PixelAccumulator(self._dtype, self._connectivity)
            frame.add(mask[None], score_map[None])
            yield frame.statistics(), not score_map.any()

    def result(self) -> PixelStatistics | FrameValues:
        """Give what was gathered."""
        if self._protocol.pooling is not Pooling.FRAME_MEAN:
            return self._pool.statistics()
        keys = self._frames[0].values
        return FrameValues({key: np.concatenate([part.values[key] for part in self._frames]) for key in keys})


class FlaggedCollector:
    """Pixels flagged at the declared threshold, on the scores as given."""

    def __init__(self, threshold: float, dtype: np.dtype[Any], protocol: PixelProtocol) -> None:
        self._least = least_flagged_score(threshold, dtype, inclusive=True)
        self._protocol = protocol
        self._parts: list[FlaggedCounts] = []

    def add(self, first_frame: int, scores: NDArray[Any], masks: Masks | None) -> None:
        """Take in a block; it needs its masks."""
        if masks is None:
            return
        entering = _entering(masks, self._protocol)
        masks, scores = masks[entering], scores[entering]
        flagged = np.zeros(scores.shape, dtype=bool) if self._least is None else scores >= self._least[0]
        axes = (1, 2)
        hits = np.count_nonzero(flagged & masks, axis=axes)
        self._parts.append(
            FlaggedCounts(
                true_positives=hits,
                false_positives=np.count_nonzero(flagged, axis=axes) - hits,
                positives=np.count_nonzero(masks, axis=axes),
                silent=np.asarray(~self._heard(scores).any(axis=axes), dtype=np.bool_),
            )
        )

    def _heard(self, scores: NDArray[Any]) -> NDArray[np.bool_]:
        """Which pixels are not 0 after scaling, which raises what is negative to 0 and moves no sign."""
        return scores > 0 if self._protocol.map_scaling is MapScaling.FRAME_MAXIMUM else scores != 0

    def counts(self) -> FlaggedCounts:
        """Give the counts of the frames that entered."""
        return joined_flagged_counts(self._parts)


class InstanceMaps(ScoreMaps):
    """Score maps of instances: a pixel's score is the highest score of the instances that cover it.

    Parameters
    ----------
    instances : Instances
    frames : int
        Number of frames of the clip.
    scores : InstanceScores
        ``given``: float maps, −∞ under no instance. ``one``: uint8 maps of 0 and 1.
    """

    def __init__(self, instances: Instances, frames: int, scores: InstanceScores) -> None:
        self._instances, self._scores = instances, scores
        self.shape = (frames, instances.height, instances.width)
        self.dtype = np.dtype(np.uint8) if scores is InstanceScores.ONE else instances.scores.dtype

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W)) through the clip."""
        frames, height, width = self.shape
        rows = np.searchsorted(self._instances.frames, np.arange(frames + 1))
        for start in range(0, frames, BLOCK_FRAMES):
            stop = min(start + BLOCK_FRAMES, frames)
            empty = 0 if self._scores is InstanceScores.ONE else -np.inf
            block = np.full((stop - start, height, width), empty, dtype=self.dtype)
            for frame in range(start, stop):
                score_map = block[frame - start]
                for row in range(rows[frame], rows[frame + 1]):
                    score = 1 if self._scores is InstanceScores.ONE else self._instances.scores[row]
                    first, mask = self._instances.mask_columns(row)
                    covered = score_map[:, first : first + mask.shape[1]]
                    np.maximum(covered, score, out=covered, where=mask)
            yield start, block

"""What is gathered while the score maps of a clip go by once, block by block."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from vadbench.evaluation.pixel_collectors import PixelChoices
from vadbench.masks import BLOCK_FRAMES
from vadbench.prediction import Instances, ScoreMaps
from vadbench.statistics.detections import InstanceScores
from vadbench.statistics.flagged import FlaggedCounts, joined_flagged_counts
from vadbench.statistics.keys import score_keys
from vadbench.statistics.pixels import MapScaling
from vadbench.statistics.scores import least_flagged_score


class Collector(Protocol):
    """Takes in blocks of frames, in order."""

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in the scores (n, H, W) of the frames from `first_frame` on."""


class ContentHash:
    """SHA-256 of the maps' content: C order, little endian."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in a block."""
        little = np.ascontiguousarray(scores, dtype=scores.dtype.newbyteorder("<"))
        self._digest.update(little.reshape(-1).view(np.uint8).data)

    def hexdigest(self) -> str:
        """64 hex digits of everything that was taken in."""
        return self._digest.hexdigest()


class Beside:
    """Collectors that take in their blocks in a thread beside the caller's; a context, at whose end all is taken in.

    Parameters
    ----------
    collectors : sequence of Collector
        Used by nobody else before the end. Blocks that they are given must not be written to any more.
    """

    _MOST_WAITING = 2

    def __init__(self, collectors: Sequence[Collector]) -> None:
        self._collectors = collectors
        self._thread = ThreadPoolExecutor(1, "vadbench-beside")
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for the blocks that were given, or after an error for the one that is being taken in."""
        self._thread.shutdown(cancel_futures=kind is not None)
        if kind is None:
            for future in self._waiting:
                future.result()

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Hand over a block; waits where too many wait already."""
        self._waiting.append(self._thread.submit(self._take_in, first_frame, scores))
        if len(self._waiting) > self._MOST_WAITING:
            self._waiting.popleft().result()

    def _take_in(self, first_frame: int, scores: NDArray[Any]) -> None:
        for collector in self._collectors:
            collector.add(first_frame, scores)


class Extremes:
    """Least and greatest score of the clip, and the greatest of each frame."""

    def __init__(self) -> None:
        self._least: list[Any] = []
        self._maxima: list[NDArray[Any]] = []

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in a block."""
        self._maxima.append(scores.reshape(len(scores), -1).max(axis=1))
        self._least.append(scores.min())

    def maxima(self) -> NDArray[Any]:
        """Give the frames' greatest scores, (T,) in the dtype of the maps."""
        return np.concatenate(self._maxima)

    def range(self) -> tuple[float, float]:
        """Give the least and greatest score, as Python numbers."""
        return min(self._least).item(), self.maxima().max().item()


class FlaggedCollector:
    """Pixels flagged at a threshold, such as the declared one, on the scores as given.

    Parameters
    ----------
    threshold : float
    choices : PixelChoices
        Whose dtype is that of the scores that come.
    inclusive : bool
        Whether a score equal to the threshold is flagged.
    """

    def __init__(self, threshold: float, choices: PixelChoices, *, inclusive: bool = True) -> None:
        self._least = least_flagged_score(threshold, choices.dtype, inclusive=inclusive)
        self._choices = choices
        self._parts: list[FlaggedCounts] = []

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in a block."""
        for begin, end in self._choices.stretches(first_frame, len(scores)):
            self._parts.append(self._counted(first_frame + begin, scores[begin:end]))

    def _counted(self, first_frame: int, scores: NDArray[Any]) -> FlaggedCounts:
        from vadbench.kernels.masks import count_reaching

        flat, runs = scores.reshape(len(scores), -1), self._choices.runs
        # No score of the dtype reaches some thresholds; the least of them then stands for it, and flags nothing.
        least = np.zeros(1, dtype=flat.dtype) if self._least is None else self._least
        offsets = runs.offsets[first_frame : first_frame + len(scores) + 1]
        keys = flat if flat.dtype.kind in "uf" and flat.itemsize > 2 else score_keys(flat)
        least_key = least[0] if keys is flat else score_keys(least)[0]
        hits, positives = count_reaching(keys, least_key, offsets, runs.starts, runs.lengths)
        flagged = np.count_nonzero(flat >= least[0], axis=1).astype(np.int64)
        if self._least is None:
            hits, flagged = np.zeros_like(hits), np.zeros_like(flagged)
        return FlaggedCounts(
            true_positives=hits, false_positives=flagged - hits, positives=positives, silent=~self._heard(flat)
        )

    def _heard(self, flat: NDArray[Any]) -> NDArray[np.bool_]:
        """Which frames have a pixel that is not 0 after scaling, which raises to 0 what is negative."""
        above = flat.max(axis=1) > 0
        if self._choices.protocol.map_scaling is MapScaling.FRAME_MAXIMUM or flat.dtype.kind == "u":
            return np.asarray(above)
        return np.asarray(above | (flat.min(axis=1) < 0))

    def counts(self) -> FlaggedCounts:
        """Give the counts of the frames that entered."""
        return joined_flagged_counts(self._parts)


def dtype_of_instance_maps(instances: Instances, scores: InstanceScores) -> np.dtype[Any]:
    """Dtype of the score maps made of instances."""
    return np.dtype(np.uint8) if scores is InstanceScores.ONE else instances.scores.dtype


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
        self.dtype = dtype_of_instance_maps(instances, scores)

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W) scores) through the clip."""
        return self.blocks_of(np.ones(self.shape[0], dtype=bool))

    def blocks_of(self, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W)) of the blocks that hold a wanted frame."""
        frames, height, width = self.shape
        rows = np.searchsorted(self._instances.frames, np.arange(frames + 1))
        for start in range(0, frames, BLOCK_FRAMES):
            stop = min(start + BLOCK_FRAMES, frames)
            if not wanted[start:stop].any():
                continue
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

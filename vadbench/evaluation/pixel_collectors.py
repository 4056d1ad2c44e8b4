"""How the pixels of a clip are gathered, as protocol and dtype ask for it: in one pool, or frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vadbench.evaluation.pixel_scores import FrameValues, values_of_frames
from vadbench.masks import MaskRuns
from vadbench.protocol.protocol import Aupro, FrameSelection, PixelProtocol, Pooling
from vadbench.protocol.titles import PIXEL_METRICS
from vadbench.statistics.intervals import CompactCounts, IntervalCounter
from vadbench.statistics.keys import is_narrow
from vadbench.statistics.pixels import (
    CodeHistogram,
    MapScaling,
    PixelStatistics,
    PositiveCollector,
    PositivePixels,
    counted_thresholds,
    negatives_of,
    pixel_statistics,
    scale_by_frame_maximum,
)
from vadbench.statistics.scores import least_flagged_score


class PixelCollector(Protocol):
    """Gathers what pixel metrics need, in the manner that protocol and dtype ask for."""

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in the scores (n, H, W) of the frames from `first_frame` on."""

    def result(self) -> PixelStatistics | FrameValues:
        """Give what was gathered."""
        ...


@dataclass(frozen=True)
class PixelChoices:
    """What decides how the pixels of a clip are gathered.

    Parameters
    ----------
    dtype : dtype of the maps
    runs : MaskRuns
    protocol : PixelProtocol
    """

    dtype: np.dtype[Any]
    runs: MaskRuns
    protocol: PixelProtocol

    @property
    def connectivity(self) -> int | None:
        """Of components; None where they are not needed."""
        return self.protocol.connectivity if self.protocol.aupro is Aupro.REGION_OVERLAP else None

    @property
    def ranked_dtype(self) -> np.dtype[Any]:
        """Dtype of the scores that are ranked, after scaling."""
        return ranked_dtype(self.dtype, self.protocol)

    @property
    def two_passes(self) -> bool:
        """Whether the anomalous pixels must be known before the others are counted."""
        return self.protocol.pooling is not Pooling.FRAME_MEAN and not is_narrow(self.ranked_dtype)

    @property
    def thresholds(self) -> list[NDArray[Any]]:
        """Scores, (1,) each, beside those of anomalous pixels, at which pixels must be counted."""
        if self.protocol.f1.threshold is None:
            return []
        least = least_flagged_score(self.protocol.f1.threshold, self.ranked_dtype, inclusive=False)
        return [] if least is None else [least]

    def scaled(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Scores as the pixel metrics see them."""
        return scaled(scores, self.protocol)

    def stretches(self, first_frame: int, n_frames: int) -> list[tuple[int, int]]:
        """Begin and end, within a block, of the frames that enter the pixel metrics, in stretches without a gap."""
        if self.protocol.frames is FrameSelection.ALL:
            return [(0, n_frames)]
        entering = self.runs.anomalous_frames()[first_frame : first_frame + n_frames]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], entering, [False]])))
        return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def scaled(scores: NDArray[Any], protocol: PixelProtocol) -> NDArray[Any]:
    """Scores (n, H, W) as the pixel metrics see them."""
    return scale_by_frame_maximum(scores) if protocol.map_scaling is MapScaling.FRAME_MAXIMUM else scores


def ranked_dtype(dtype: np.dtype[Any], protocol: PixelProtocol) -> np.dtype[Any]:
    """Dtype of the scores that are ranked, after scaling."""
    return scaled(np.zeros((1, 1, 1), dtype=dtype), protocol).dtype


class PooledCodes:
    """All frames of the clip in one pool, scores of at most 16 bits."""

    def __init__(self, choices: PixelChoices) -> None:
        self._choices = choices
        self._histogram = CodeHistogram(choices.dtype, choices.runs, choices.connectivity)

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in a block."""
        for begin, end in self._choices.stretches(first_frame, len(scores)):
            self._histogram.add(first_frame + begin, scores[begin:end])

    def result(self) -> PixelStatistics:
        """Give the statistics of the pool."""
        return self._histogram.statistics()


class Positives:
    """The anomalous pixels of the clip, as the pixel metrics see them."""

    def __init__(self, choices: PixelChoices) -> None:
        self._choices = choices
        self._collector = PositiveCollector(choices.ranked_dtype, choices.runs, choices.connectivity)

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in a block; frames without an anomalous pixel may be left out."""
        for begin, end in self._choices.stretches(first_frame, len(scores)):
            self._collector.add(first_frame + begin, self._choices.scaled(scores[begin:end]))

    def positives(self) -> PositivePixels:
        """Give their distinct scores."""
        return self._collector.positives()


class PooledIntervals:
    """All frames of the clip in one pool, scores of any dtype, counted at and between thresholds.

    Parameters
    ----------
    choices : PixelChoices
    positives : PositivePixels
        Of the clip.
    thresholds : (k,) real
        The scores of `positives`, those of other clips, and `PixelChoices.thresholds`.
    """

    def __init__(self, choices: PixelChoices, positives: PositivePixels, thresholds: NDArray[Any]) -> None:
        self._choices, self._positives, self._thresholds = choices, positives, thresholds
        self._counter = IntervalCounter(thresholds)
        self.negatives: tuple[CompactCounts, CompactCounts] | None = None

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in a block."""
        for begin, end in self._choices.stretches(first_frame, len(scores)):
            self._counter.add(self._choices.scaled(scores[begin:end]))

    def result(self) -> PixelStatistics:
        """Give the statistics of the clip alone; `negatives` then has its normal pixels at and between thresholds."""
        own = counted_thresholds([self._positives], self._choices.thresholds)
        at, between = self._counter.counts()
        ranked = negatives_of(self._positives, self._thresholds, at, between, own)
        self.negatives = CompactCounts.of(at), CompactCounts.of(between)
        found = self._positives
        return PixelStatistics(found.scores, found.coverage, ranked, found.n_components)


class FrameByFrame:
    """Each frame's own values, for the mean over frames."""

    def __init__(self, choices: PixelChoices) -> None:
        self._choices = choices
        self._frames: list[FrameValues] = []

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in a block."""
        for begin, end in self._choices.stretches(first_frame, len(scores)):
            frames = self._statistics(first_frame + begin, scores[begin:end])
            self._frames.append(values_of_frames(frames, self._choices.protocol))

    def _statistics(self, first_frame: int, scores: NDArray[Any]) -> Iterator[tuple[PixelStatistics, bool]]:
        choices = self._choices
        as_codes = choices.dtype.kind == "u" and is_narrow(choices.dtype)
        maps = scores if as_codes else choices.scaled(scores)
        for offset, score_map in enumerate(maps):
            statistics = pixel_statistics(
                choices.runs, score_map[None], choices.connectivity, choices.thresholds, first_frame + offset
            )
            if as_codes and choices.protocol.map_scaling is MapScaling.FRAME_MAXIMUM:
                statistics = statistics.scaled(score_map.max())
            yield statistics, not score_map.any()

    def result(self) -> FrameValues:
        """Give the values of all frames that entered."""
        keys = PIXEL_METRICS
        return FrameValues(
            {key: np.concatenate([np.zeros(0), *(own.values[key] for own in self._frames)]) for key in keys}
        )

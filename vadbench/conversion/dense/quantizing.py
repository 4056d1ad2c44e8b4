"""Float score maps as uint16 over one range for the whole submission: a number means the same in every clip."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import ConversionError, UsageError
from vadbench.prediction import ScoreMaps
from vadbench.submission import Submission
from vadbench.submission.tree import METADATA

LEVELS = 65_535
"""The largest stored number."""


@dataclass(frozen=True)
class ScoreRange:
    """The method's own values of the stored numbers 0 and 65 535, linear between.

    Parameters
    ----------
    lower, upper : float
        Finite, ``lower < upper``.
    """

    lower: float
    upper: float

    def quantized(self, scores: NDArray[Any]) -> NDArray[np.uint16]:
        """Nearest stored numbers of scores, any shape; equal scores stay equal, order stays order.

        Scores beyond the range become 0 or 65 535.
        """
        share = (scores.astype(np.float64) - self.lower) / (self.upper - self.lower)
        return np.rint(np.clip(share, 0, 1) * LEVELS).astype(np.uint16)

    def n_beyond(self, scores: NDArray[Any]) -> int:
        """How many scores, of any shape, are below or above the range."""
        return int(np.count_nonzero((scores < self.lower) | (scores > self.upper)))

    def threshold(self, threshold: float) -> int:
        """Stored number such that at least all scores that reached the threshold reach it.

        0 where every score does, 65 536 where none does. Scores below the threshold that are stored as the same number
        reach it as well.
        """
        if threshold > self.upper:
            return LEVELS + 1
        return int(self.quantized(np.array(max(threshold, self.lower))))


def range_of(submission: Submission, dataset_id: str) -> ScoreRange:
    """Range of a quantised submission, for the training part that its threshold is chosen on.

    Raises
    ------
    UsageError
        U218 if it is for another data set, or declares no range.
    """
    scale = submission.metadata.score_maps
    where = (submission.shown, METADATA)
    if submission.metadata.dataset != dataset_id:
        raise UsageError(
            "U218",
            "the range is that of a submission for another data set",
            where=where,
            expected=dataset_id,
            got=submission.metadata.dataset,
        )
    if scale is None or scale.lower is None or scale.upper is None:
        raise UsageError(
            "U218",
            "the submission declares no range",
            where=where,
            expected="lower and upper in [score_maps], as `vadbench convert --quantize` writes them",
            hint="maps that are stored as the method made them need no --quantize for the training part either",
        )
    return check_range(float(scale.lower), float(scale.upper), where)


def check_range(lower: float, upper: float, where: tuple[str, ...] = ()) -> ScoreRange:
    """A range that numbers can be spread over; raises `ConversionError` C115 for an empty or an endless one."""
    if lower < upper and math.isfinite(upper - lower):
        return ScoreRange(lower, upper)
    raise ConversionError(
        "C115",
        "the scores cannot be spread over the numbers from 0 to 65535",
        where=where,
        expected="a finite range, its lower end below the upper one",
        got=f"{lower!r} to {upper!r}",
        hint="all scores are the same; look at the method's output" if lower == upper else "",
    )


class QuantizedMaps(ScoreMaps):
    """Score maps that are quantised as they are read.

    Parameters
    ----------
    maps : ScoreMaps
        Of float32 or float64.
    scale : ScoreRange
    """

    def __init__(self, maps: ScoreMaps, scale: ScoreRange) -> None:
        self._maps, self._scale = maps, scale
        self.shape = maps.shape
        self.dtype = np.dtype(np.uint16)

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W) uint16) through the clip."""
        for start, block in self._maps.blocks():
            yield start, self._scale.quantized(block)

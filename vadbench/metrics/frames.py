"""Frame AUROC, micro and macro.

Source: protocols.md, "Frame metrics".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.choices import Choice
from vadbench.errors import UndefinedMetricError
from vadbench.statistics.frames import FrameStatistics


class OneClassClips(Choice):
    """What macro does with clips of one class (field ``frame.one_class_clips``)."""

    SKIP = "skip"
    PAD = "pad"


class ClipScaling(Choice):
    """What micro does to the scores of a clip first (field ``frame.clip_scaling``)."""

    NONE = "none"
    MIN_MAX = "min-max"


@dataclass(frozen=True)
class MacroAuroc:
    """Mean of clips' frame AUROC.

    Parameters
    ----------
    value : float
    clips : int
        Clips that entered the mean.
    skipped : int
        Clips of one class that were left out.
    """

    value: float
    clips: int
    skipped: int


def auroc_of_frames(labels: NDArray[np.bool_], scores: NDArray[Any]) -> float:
    """AUROC of frames, both (T,); −∞ ranks lowest. The division is the only rounding."""
    n_positive = int(np.count_nonzero(labels))
    n_negative = labels.size - n_positive
    if n_positive == 0:
        raise UndefinedMetricError("there is no anomalous frame")
    if n_negative == 0:
        raise UndefinedMetricError("there is no normal frame")
    _, rank = np.unique(scores, return_inverse=True)
    positives = np.bincount(rank[labels], minlength=rank.max() + 1)
    negatives = np.bincount(rank[~labels], minlength=rank.max() + 1)
    below = np.cumsum(negatives) - negatives
    return int(np.dot(positives, 2 * below + negatives)) / (2 * n_positive * n_negative)


def micro(statistics: Sequence[FrameStatistics], clip_scaling: ClipScaling) -> float:
    """AUROC of all frames of all clips in one pool."""
    labels = np.concatenate([own.labels for own in statistics])
    if clip_scaling is ClipScaling.MIN_MAX:
        scores = np.concatenate([scaled_to_unit(own.scores) for own in statistics])
    else:
        scores = np.concatenate([own.scores for own in statistics])
    return auroc_of_frames(labels, scores)


def macro(statistics: Sequence[FrameStatistics], one_class_clips: OneClassClips) -> MacroAuroc:
    """Mean over clips of the AUROC of each clip."""
    if one_class_clips is OneClassClips.PAD:
        values = [_padded_auroc(own) for own in statistics]
    else:
        both = [own for own in statistics if own.labels.any() and not own.labels.all()]
        values = [auroc_of_frames(own.labels, own.scores) for own in both]
    if not values:
        raise UndefinedMetricError("no clip has both normal and anomalous frames")
    return MacroAuroc(sum(values) / len(values), len(values), len(statistics) - len(values))


def _padded_auroc(own: FrameStatistics) -> float:
    """AUROC of a clip with one normal frame of score 0 and one anomalous frame of the largest float64 added.

    The scores are replaced by their ranks, so that the two can be put among integers of any size without rounding.
    """
    distinct, rank = np.unique(own.scores, return_inverse=True)
    largest = np.finfo(np.float64).max
    has_zero = bool((distinct == 0).any())
    zero = 2 * int(np.searchsorted(distinct, np.zeros(1, dtype=distinct.dtype))[0]) + has_zero
    reaches_largest = distinct.size > 0 and distinct.dtype.kind == "f" and float(distinct[-1]) >= largest
    top = 2 * distinct.size - 1 if reaches_largest else 2 * distinct.size + 1
    labels = np.concatenate([[False], own.labels, [True]])
    return auroc_of_frames(labels, np.concatenate([[zero], 2 * rank + 1, [top]]))


def scaled_to_unit(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Map the finite scores of a clip, (T,), to [0, 1] by their extremes; a constant clip to 0; −∞ stays."""
    wide = scores.astype(np.float64)
    finite = np.isfinite(wide)
    if not finite.any():
        return wide
    # Differences of 64-bit integers are taken as integers: as floats, neighbours beyond 2^53 would be equal.
    exact = scores.dtype.kind in "iuO"
    given: NDArray[Any] = scores.astype(object) if exact else wide
    low, high = given[finite].min(), given[finite].max()
    if low == high:
        return np.where(finite, 0.0, wide)
    if not exact and math.isinf(float(high) - float(low)):
        # The span of two huge scores overflows; halves do not, and the quotient is the same.
        given, low, high = given / 2, low / 2, high / 2
    scaled = wide.copy()
    scaled[finite] = (given[finite] - low) / (high - low)
    return scaled

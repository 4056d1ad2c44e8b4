"""Statistics of the pixels of a clip: scores of anomalous and normal pixels, and the components' shares.

Source: protocols.md, "Pixel metrics" and "Statistics".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.choices import Choice
from vadbench.statistics.scores import ScoreCounts, sorted_scores
from vadbench.truth import label_components


class MapScaling(Choice):
    """What is done to a score map before pixel metrics see it (field ``pixel.map_scaling``)."""

    NONE = "none"
    FRAME_MAXIMUM = "frame-maximum"


@dataclass(frozen=True)
class PixelStatistics:
    """All that pixel metrics need of a set of pixels, such as a clip's.

    Parameters
    ----------
    positives : ScoreCounts
        Distinct scores of anomalous pixels with their counts.
    coverage : (k,) float64
        For each distinct score of `positives`: the sum over components of the share of the component's pixels that
        have this score. All zero where components were not asked for.
    negatives : ScoreCounts
        Scores of normal pixels. For integers of up to 16 bits at most 65 536 entries; otherwise up to one score a
        normal pixel, that is 4 bytes a pixel for float32 and 8 for float64.
    n_components : int
        Connected sets of anomalous pixels, frame by frame.
    """

    positives: ScoreCounts
    coverage: NDArray[np.float64]
    negatives: ScoreCounts
    n_components: int

    @property
    def n_positive(self) -> int:
        """Number of anomalous pixels."""
        return self.positives.total

    @property
    def n_negative(self) -> int:
        """Number of normal pixels."""
        return self.negatives.total


class PixelAccumulator:
    """Collects the statistics of pixels from blocks of frames.

    Parameters
    ----------
    dtype : dtype of the scores
        Bool counts as uint8.
    connectivity : 8, 4 or None
        Of components; None where they are not needed.
    """

    def __init__(self, dtype: np.dtype[Any], connectivity: int | None) -> None:
        self._dtype = np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")
        self._connectivity = connectivity
        self._n_components = 0
        self._positives: list[tuple[NDArray[Any], NDArray[np.int64], NDArray[np.float64]]] = []
        self._negatives: list[NDArray[Any]] = []
        binned = self._dtype.kind in "iu" and self._dtype.itemsize <= 2
        self._lowest = int(np.iinfo(self._dtype).min) if binned else 0
        self._histogram = np.zeros(1 << (8 * self._dtype.itemsize), dtype=np.int64) if binned else None

    def add(self, truth: NDArray[np.bool_], scores: NDArray[Any]) -> None:
        """Take in the masks and scores of some frames, both (n, H, W); scores must not be NaN."""
        scores = scores.astype(self._dtype, copy=False)
        # Shares of components are added up frame by frame, so that the sum does not depend on the length of blocks.
        for mask, score_map in zip(truth, scores, strict=True):
            if mask.any():
                component, sizes = self._components(mask)
                self._positives.append(_distinct(score_map[mask], component, sizes))
                self._n_components += len(sizes)
        if self._histogram is None:
            self._negatives.append(scores[~truth])
        else:
            codes = scores.ravel()
            if self._lowest:
                codes = codes.astype(np.int32) - self._lowest
            self._histogram += np.bincount(codes, minlength=self._histogram.size)

    def statistics(self) -> PixelStatistics:
        """Statistics of everything that was added; the accumulator is used up."""
        positives, coverage = _merged(self._positives, self._dtype)
        if self._histogram is None:
            none = np.zeros(0, dtype=self._dtype)
            negatives = sorted_scores(np.concatenate([*self._negatives, none]))
            self._negatives.clear()
        else:
            counts = self._histogram
            counts[positives.values.astype(np.int64) - self._lowest] -= positives.occurrences
            codes = np.flatnonzero(counts)
            negatives = ScoreCounts((codes + self._lowest).astype(self._dtype), counts[codes])
        return PixelStatistics(positives, coverage, negatives, self._n_components)

    def _components(self, mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Component of each anomalous pixel of a frame in raster order, from 0, and the components' sizes."""
        if self._connectivity is None:
            return np.zeros(np.count_nonzero(mask), dtype=np.int64), np.zeros(0, dtype=np.int64)
        labels, count = label_components(mask, self._connectivity)
        component = labels[mask].astype(np.int64) - 1
        return component, np.bincount(component, minlength=count)


def _distinct(
    scores: NDArray[Any], component: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.float64]]:
    """Distinct scores of a frame's anomalous pixels, at least one, their counts and their summed shares of components.

    The pixels of one component that share a score are counted before the division, so that a component flagged as a
    whole adds exactly 1.
    """
    order = np.lexsort((component, scores))
    scores, component = scores[order], component[order]
    new_score = np.append(True, scores[1:] != scores[:-1])
    pair_starts = np.flatnonzero(new_score | np.append(True, component[1:] != component[:-1]))
    pair_counts = np.diff(np.append(pair_starts, scores.size))
    score_starts = np.searchsorted(pair_starts, np.flatnonzero(new_score))
    counts = np.add.reduceat(pair_counts, score_starts).astype(np.int64)
    if not sizes.size:
        return scores[new_score], counts, np.zeros(len(counts), dtype=np.float64)
    shares = pair_counts / sizes[component[pair_starts]]
    return scores[new_score], counts, np.add.reduceat(shares, score_starts)


def _merged(
    parts: Sequence[tuple[NDArray[Any], NDArray[np.int64], NDArray[np.float64]]], dtype: np.dtype[Any]
) -> tuple[ScoreCounts, NDArray[np.float64]]:
    """Add up distinct scores of several sets, always in the order of the sets."""
    values, place = np.unique(
        np.concatenate([*(part[0] for part in parts), np.zeros(0, dtype=dtype)]), return_inverse=True
    )
    counts = np.zeros(values.size, dtype=np.int64)
    coverage = np.zeros(values.size, dtype=np.float64)
    np.add.at(counts, place, np.concatenate([*(part[1] for part in parts), np.zeros(0, dtype=np.int64)]))
    np.add.at(coverage, place, np.concatenate([*(part[2] for part in parts), np.zeros(0, dtype=np.float64)]))
    return ScoreCounts(values, counts), coverage


def merged_positives(statistics: Sequence[PixelStatistics]) -> tuple[ScoreCounts, NDArray[np.float64]]:
    """Distinct scores of anomalous pixels of several clips, with counts and coverage, folded in the order given."""
    parts = [(own.positives.values, own.positives.occurrences, own.coverage) for own in statistics]
    return _merged(parts, statistics[0].positives.values.dtype)


def scale_by_frame_maximum(scores: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Replace negative scores by 0 and divide each frame by its own maximum, where that is above 0.

    Parameters
    ----------
    scores : (T, H, W), any real dtype
        Finite, or −∞ for pixels under no instance, which become 0.

    Returns
    -------
    (T, H, W)
        float32 for bool, 8- and 16-bit and float32 scores, else float64. Neighbouring scores can become equal by
        the division; that is part of the definition.

    Notes
    -----
    Source: protocols.md, "Pixel metrics", field ``pixel.map_scaling``.

    Examples
    --------
    >>> scale_by_frame_maximum(np.array([[[-1.0, 2.0, 4.0]]])).tolist()
    [[[0.0, 0.5, 1.0]]]
    """
    given = np.asarray(scores)
    dtype = np.float32 if given.dtype.itemsize <= 2 or given.dtype == np.float32 else np.float64
    raised = np.maximum(np.zeros((), dtype=dtype), given.astype(dtype, copy=False))
    largest = raised.max(axis=(1, 2), keepdims=True, initial=0)
    return np.asarray(np.divide(raised, largest, out=raised, where=largest > 0))

"""Statistics of the pixels of a clip: scores of anomalous and normal pixels, and the components' shares.

All pixels are counted, then the anomalous ones through the runs of their masks, and subtracted. Scores of at most 16
bits are counted by value in one pass; others in two, the anomalous pixels first (`vadbench.statistics.intervals`).

Source: protocols.md, "Pixel metrics" and "Statistics".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.choices import Choice
from vadbench.masks import MaskRuns
from vadbench.statistics.intervals import IntervalCounter, ranked_counts
from vadbench.statistics.keys import is_narrow, require_rankable, score_keys, scores_of
from vadbench.statistics.scores import RankedCounts, ScoreCounts


class MapScaling(Choice):
    """What is done to a score map before pixel metrics see it (field ``pixel.map_scaling``)."""

    NONE = "none"
    FRAME_MAXIMUM = "frame-maximum"


@dataclass(frozen=True)
class PositivePixels:
    """The anomalous pixels of a set of frames, such as a clip's.

    Parameters
    ----------
    scores : ScoreCounts
        Distinct scores with their counts.
    coverage : (k,) float64
        For each distinct score: the sum over components of the share of the component's pixels that have this score.
        All zero where components were not asked for.
    n_components : int
        Connected sets of anomalous pixels, frame by frame.
    """

    scores: ScoreCounts
    coverage: NDArray[np.float64]
    n_components: int


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
    negatives : ScoreCounts or RankedCounts
        Scores of normal pixels: of at most 16 bits by value, others as counts at the scores of `positives`.
    n_components : int
        Connected sets of anomalous pixels, frame by frame.
    """

    positives: ScoreCounts
    coverage: NDArray[np.float64]
    negatives: ScoreCounts | RankedCounts
    n_components: int

    @property
    def n_positive(self) -> int:
        """Number of anomalous pixels."""
        return self.positives.total

    @property
    def n_negative(self) -> int:
        """Number of normal pixels."""
        return self.negatives.total

    def scaled(self, maximum: Any) -> PixelStatistics:
        """Statistics of one frame's unsigned codes of at most 16 bits, as if its map had been scaled by its maximum.

        Two codes never meet in one float32: divided by a number below 2¹⁶ they stay further apart than its digits.
        """
        largest = np.float32(maximum) if maximum > 0 else np.float32(1)

        def scaled(counts: ScoreCounts) -> ScoreCounts:
            return ScoreCounts(counts.values.astype(np.float32) / largest, counts.counts)

        if not isinstance(self.negatives, ScoreCounts):
            raise TypeError("only scores that are counted by value can be scaled afterwards")
        return PixelStatistics(scaled(self.positives), self.coverage, scaled(self.negatives), self.n_components)


_FOLD_AFTER = 2**31
_SAMPLED_WORDS = 4_096
_MOSTLY_FLAT, _HARDLY_FLAT = 0.6, 0.1
"""Shares of words of four equal codes above and below which the loops for such maps are faster than the general one."""


class CodeHistogram:
    """Counts scores of at most 16 bits by value.

    Parameters
    ----------
    dtype : dtype of the scores, at most 16 bits
    runs : MaskRuns
        Of the clip.
    connectivity : 8, 4 or None
        Of components; None where they are not needed.
    """

    def __init__(self, dtype: np.dtype[Any], runs: MaskRuns, connectivity: int | None) -> None:
        self._dtype, self._runs = dtype, runs
        self._components = None if connectivity is None else runs.components(connectivity)
        bins = 1 << (8 * dtype.itemsize)
        self._all = np.zeros(bins, dtype=np.int64)
        self._halves = np.zeros((2, bins), dtype=np.uint32)
        self._since_folded = 0
        self._positive = np.zeros(bins, dtype=np.int64)
        self._high, self._low = np.zeros((2, bins), dtype=np.float64)
        self._n_components = 0

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in the scores (n, H, W) of the frames from `first_frame` on."""
        from vadbench.kernels.codes import count_codes_under_runs
        from vadbench.kernels.shares import share_codes_under_runs

        codes = np.ascontiguousarray(score_keys(scores)).reshape(len(scores), -1)
        for part in codes if codes.size > _FOLD_AFTER else [codes]:
            self._count(part.reshape(-1))
        frames = slice(first_frame, first_frame + len(codes) + 1)
        if self._components is None:
            own = self._runs
            count_codes_under_runs(codes, own.offsets[frames], own.starts, own.lengths, self._positive)
            return
        parts = self._components
        share_codes_under_runs(
            codes,
            parts.offsets[frames],
            parts.starts,
            parts.lengths,
            parts.component,
            parts.sizes,
            self._positive,
            self._high,
            self._low,
        )
        bounds = parts.component_offsets[frames]
        self._n_components += int(bounds[-1] - bounds[0])

    def _count(self, codes: NDArray[np.unsignedinteger[Any]]) -> None:
        from vadbench.kernels import codes as kernels

        if self._since_folded + codes.size > _FOLD_AFTER:
            self._fold()
        self._since_folded += codes.size
        if codes.itemsize == 2 and codes.size >= 4 * _SAMPLED_WORDS:
            words = codes[: codes.size // 4 * 4].view(np.uint64)
            share = _flat_share(words)
            if share > _MOSTLY_FLAT:
                kernels.count_flat_words(words, self._halves[0])
                codes = codes[4 * words.size :]
            elif share < _HARDLY_FLAT:
                kernels.count_words(words, self._halves[0])
                codes = codes[4 * words.size :]
        kernels.count_codes(codes, *self._halves)

    def _fold(self) -> None:
        """Move the 32-bit counts to 64 bits before one of them can wrap."""
        self._all += self._halves.sum(axis=0, dtype=np.int64)
        self._halves[:] = 0
        self._since_folded = 0

    def statistics(self) -> PixelStatistics:
        """Statistics of everything that was added."""
        self._fold()
        positive, negative = np.flatnonzero(self._positive), np.flatnonzero(self._all - self._positive)
        keys = np.dtype(f"u{self._dtype.itemsize}")
        return PixelStatistics(
            ScoreCounts(scores_of(positive.astype(keys), self._dtype), self._positive[positive]),
            (self._high + self._low)[positive],
            ScoreCounts(scores_of(negative.astype(keys), self._dtype), (self._all - self._positive)[negative]),
            self._n_components,
        )


def _flat_share(words: NDArray[np.uint64]) -> float:
    """Share of words of four equal codes, judged by a sample."""
    sample = words[:: words.size // _SAMPLED_WORDS]
    equal = sample == (sample & np.uint64(0xFFFF)) * np.uint64(0x0001000100010001)
    return float(np.mean(equal))


class PositiveCollector:
    """Collects the scores of anomalous pixels, whatever their dtype.

    Parameters
    ----------
    dtype : dtype of the scores
    runs : MaskRuns
        Of the clip.
    connectivity : 8, 4 or None
        Of components; None where they are not needed.

    Notes
    -----
    Memory: about 70 bytes for each anomalous pixel while they are put in order (110 of 64-bit scores), and these are
    about 1 % of all; then 4 or 8 bytes for each distinct score, and 16 beside it.
    """

    def __init__(self, dtype: np.dtype[Any], runs: MaskRuns, connectivity: int | None) -> None:
        self._dtype, self._runs = dtype, runs
        self._components = None if connectivity is None else runs.components(connectivity)
        self._keys: list[NDArray[Any]] = []
        self._component: list[NDArray[np.int64]] = []
        self._n_components = 0

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in the scores (n, H, W) of the frames from `first_frame` on."""
        from vadbench.kernels.masks import gather_runs

        own = self._components or self._runs
        offsets = own.offsets[first_frame : first_frame + len(scores) + 1]
        runs = slice(int(offsets[0]), int(offsets[-1]))
        gathered = np.empty(int(own.lengths[runs].sum(dtype=np.int64)), dtype=scores.dtype)
        gather_runs(scores.reshape(len(scores), -1), offsets, own.starts, own.lengths, gathered)
        self._keys.append(score_keys(gathered))
        if self._components is not None:
            self._component.append(np.repeat(self._components.component[runs], own.lengths[runs]).astype(np.int32))
            bounds = self._components.component_offsets[first_frame : first_frame + len(scores) + 1]
            self._n_components += int(bounds[-1] - bounds[0])

    def positives(self) -> PositivePixels:
        """Distinct scores of everything that was added."""
        from vadbench.kernels.keys import order_of_keys
        from vadbench.kernels.shares import distinct_in_order

        key_dtype = np.dtype(f"u{self._dtype.itemsize}")
        keys = np.concatenate([*self._keys, np.zeros(0, dtype=key_dtype)])
        component = np.concatenate([*self._component, np.zeros(0, dtype=np.int32)])
        sizes = np.zeros(0, dtype=np.int64) if self._components is None else self._components.sizes
        distinct = np.empty_like(keys)
        order = order_of_keys(keys, 8 * keys.itemsize)
        counts, high, low = distinct_in_order(keys, order, component, sizes, distinct)
        coverage = high + low if sizes.size else np.zeros(counts.size, dtype=np.float64)
        # Copies, so that the arrays of full length are let go.
        scores = scores_of(distinct[: counts.size].copy(), self._dtype)
        return PositivePixels(ScoreCounts(scores, counts.copy()), coverage, self._n_components)


def negatives_of(
    positives: PositivePixels,
    thresholds: NDArray[Any],
    at: NDArray[np.unsignedinteger[Any]],
    between: NDArray[np.unsignedinteger[Any]],
    wanted: NDArray[Any] | None = None,
) -> RankedCounts:
    """Counts of normal pixels from those of all pixels, `at` and `between` thresholds that include the positives'.

    Subtracts the anomalous pixels from `at` in place; keeps the `wanted` thresholds, or all.
    """
    own = positives.scores
    same = own.values is thresholds
    places = np.arange(thresholds.size) if same else np.searchsorted(thresholds, own.values).astype(np.int64)
    at[places] -= own.occurrences.astype(at.dtype)
    if wanted is None:
        return ranked_counts(thresholds, at, between)
    if wanted is own.values:
        ranked = ranked_counts(thresholds, at, between, places)
        # The same array, so that those who ask for its counts need not look for their places.
        return RankedCounts(wanted, ranked.reaching, ranked.exceeding, ranked.total)
    return ranked_counts(thresholds, at, between, np.searchsorted(thresholds, wanted).astype(np.int64))


def pixel_statistics(
    runs: MaskRuns,
    scores: NDArray[Any],
    connectivity: int | None,
    thresholds: Sequence[Any] = (),
    first_frame: int = 0,
) -> PixelStatistics:
    """Statistics of score maps held in memory.

    Parameters
    ----------
    runs : MaskRuns
        Masks of the clip.
    scores : (n, H, W) real
        Of the frames from `first_frame` on; finite or −∞, of at most 64 bits.
    connectivity : 8, 4 or None
        Of components; None where they are not needed.
    thresholds : sequence of arrays (1,) in the dtype of the scores
        At which scores are to be counted beside those of anomalous pixels.

    Raises
    ------
    DataError
        D359 for a dtype that has no keys.
    """
    given = scores.view(np.uint8) if scores.dtype.kind == "b" else scores
    given = given if given.dtype.isnative else given.astype(given.dtype.newbyteorder("="))
    require_rankable(given.dtype)
    if is_narrow(given.dtype):
        histogram = CodeHistogram(given.dtype, runs, connectivity)
        histogram.add(first_frame, given)
        return histogram.statistics()
    collector = PositiveCollector(given.dtype, runs, connectivity)
    collector.add(first_frame, given)
    positives = collector.positives()
    points = counted_thresholds([positives], thresholds)
    counter = IntervalCounter(points)
    counter.add(given)
    negatives = negatives_of(positives, points, *counter.counts())
    return PixelStatistics(positives.scores, positives.coverage, negatives, positives.n_components)


def counted_thresholds(positives: Sequence[PositivePixels], thresholds: Sequence[Any] = ()) -> NDArray[Any]:
    """Thresholds at which normal pixels are counted: every distinct score of an anomalous pixel, and some more."""
    if len(positives) == 1 and not thresholds:
        return positives[0].scores.values
    return np.unique(np.concatenate([*(own.scores.values for own in positives), *thresholds]))


def merged_positives(statistics: Sequence[PixelStatistics]) -> tuple[ScoreCounts, NDArray[np.float64]]:
    """Distinct scores of anomalous pixels of several clips, with counts and coverage, folded in the order given."""
    if len(statistics) == 1:
        return statistics[0].positives, statistics[0].coverage
    values = np.unique(np.concatenate([own.positives.values for own in statistics]))
    counts = np.zeros(values.size, dtype=np.int64)
    coverage = np.zeros(values.size, dtype=np.float64)
    for own in statistics:
        places = np.searchsorted(values, own.positives.values)
        counts[places] += own.positives.occurrences
        coverage[places] += own.coverage
    return ScoreCounts(values, counts), coverage


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

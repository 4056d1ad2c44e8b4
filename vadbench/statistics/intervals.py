"""How many scores lie at and between sorted thresholds, exactly, without keeping or sorting the scores.

Between two neighbouring scores of anomalous pixels nothing but the number of normal pixels matters, and anomalous
pixels are few. So wide scores need one pass for the anomalous pixels, whose distinct scores are the thresholds, and one
in which all pixels are counted.

Source: protocols.md, "Statistics".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.statistics.keys import score_keys, write_keys
from vadbench.statistics.scores import RankedCounts

LEAST_AT_ONCE, MOST_AT_ONCE = 2**26, 2**27
"""Scores that are collected before they are counted: reading off the counts costs a step a threshold each time."""

_LARGEST_COUNT = 2**32 - 1


class IntervalCounter:
    """Counts 32- and 64-bit scores at and between thresholds.

    Parameters
    ----------
    thresholds : (k,) real
        Ascending and distinct, in the dtype of the scores.

    Notes
    -----
    Memory: for 2²⁶ scores (up to 2²⁷, where thresholds are half as many) 6 bytes each, 16 of 64-bit scores; and for
    each threshold 8 bytes beside its key, and 8 more for a moment at the beginning.
    """

    def __init__(self, thresholds: NDArray[Any]) -> None:
        keys = score_keys(thresholds)
        self._thresholds = keys
        self._shift = keys.dtype.type(8 * keys.dtype.itemsize - 16)
        upper = (keys >> self._shift).astype(np.int64)
        self._threshold_offsets = np.searchsorted(upper, np.arange(65_537)).astype(np.int64)
        self._wanted = np.diff(self._threshold_offsets) > 0
        self._at = np.zeros(keys.size, dtype=np.uint32)
        self._between = np.zeros(keys.size + 1, dtype=np.uint32)
        self._folded: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
        self._since_folded = 0
        # Pages of an array that is never filled are never touched, and cost nothing.
        self._waiting = np.empty(min(max(LEAST_AT_ONCE, 2 * keys.size), MOST_AT_ONCE), dtype=keys.dtype)
        self._laid: NDArray[Any] | None = None
        self._n_waiting = 0

    def add(self, scores: NDArray[Any]) -> None:
        """Count scores of any shape; no NaN."""
        flat = np.ascontiguousarray(scores).reshape(-1)
        done = 0
        while done < flat.size:
            taken = flat[done : done + self._waiting.size - self._n_waiting]
            write_keys(taken, self._waiting[self._n_waiting : self._n_waiting + taken.size])
            self._n_waiting += taken.size
            done += taken.size
            if self._n_waiting == self._waiting.size:
                self._count_waiting()

    def counts(self) -> tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.unsignedinteger[Any]]]:
        """Number of scores at each threshold (k,), and in each interval (k + 1,) below, between and above them."""
        self._count_waiting()
        if self._folded is None:
            return self._at, self._between
        self._fold()
        return self._folded[0].astype(np.uint64), self._folded[1].astype(np.uint64)

    def _count_waiting(self) -> None:
        from vadbench.kernels import keys as kernels

        keys, self._n_waiting = self._waiting[: self._n_waiting], 0
        if not keys.size:
            return
        if self._since_folded + keys.size > _LARGEST_COUNT:
            self._fold()
        self._since_folded += keys.size
        first, second = np.zeros(65_536, dtype=np.uint32), np.zeros(65_536, dtype=np.uint32)
        kernels.count_buckets(keys, self._shift, first, second)
        buckets = first.astype(np.int64) + second
        wanted = np.where(self._wanted, buckets, 0)
        place = (np.cumsum(wanted) - wanted).astype(np.uint32)
        halves = keys.dtype.itemsize == 4
        if self._laid is None:
            self._laid = np.empty(self._waiting.size, dtype=np.uint16 if halves else np.uint64)
        kernels.lay_by_bucket(keys, self._shift, self._wanted, place, self._laid)
        counted = self._at, self._between
        if halves:
            low, room = self._thresholds.astype(np.uint16), np.zeros(65_536, dtype=np.uint32)
            kernels.count_low_halves(self._laid, buckets, low, self._threshold_offsets, room, *counted)
        else:
            cells = np.zeros(65_537, dtype=np.int64)
            kernels.count_wide_keys(self._laid, buckets, self._thresholds, self._threshold_offsets, cells, *counted)

    def _fold(self) -> None:
        """Move the 32-bit counts to 64 bits before one of them can wrap."""
        before = self._folded or (np.zeros(self._at.size, np.int64), np.zeros(self._between.size, np.int64))
        self._folded = before[0] + self._at, before[1] + self._between
        self._at[:] = 0
        self._between[:] = 0
        self._since_folded = 0


def ranked_counts(
    thresholds: NDArray[Any],
    at: NDArray[np.integer[Any]],
    between: NDArray[np.integer[Any]],
    places: NDArray[np.int64] | None = None,
) -> RankedCounts:
    """Counts of scores that reach and exceed thresholds, from the counts at and between them.

    Parameters
    ----------
    thresholds : (k,) real
    at, between : (k,) and (k + 1,) int
        As `IntervalCounter.counts` gives them.
    places : (n,) int64, optional
        Ascending indices of the thresholds to be kept; all if absent.
    """
    from vadbench.kernels.keys import step_sums

    kept = np.arange(thresholds.size) if places is None else places
    steps, below = step_sums(at, between, kept)
    total = int(below + steps.sum())
    reaching = total - below - np.cumsum(steps) + steps
    values = thresholds if places is None else thresholds[places]
    return RankedCounts(values, reaching, reaching - at[kept].astype(np.int64), total)


@dataclass(frozen=True)
class CompactCounts:
    """Counts of which nearly all are small, on their way from a worker: a byte each.

    Parameters
    ----------
    small : (n,) uint8
        The counts; 0 where one is above 255.
    places, large : (m,) int64
        Where those are, and their counts.
    """

    small: NDArray[np.uint8]
    places: NDArray[np.int64]
    large: NDArray[np.int64]

    @classmethod
    def of(cls, counts: NDArray[np.unsignedinteger[Any]]) -> CompactCounts:
        """Pack counts (n,)."""
        places = np.flatnonzero(counts > 255)
        small = counts.astype(np.uint8)
        small[places] = 0
        return cls(small, places, counts[places].astype(np.int64))

    def add_to(self, total: NDArray[np.int64]) -> None:
        """Add the counts to others (n,), in place."""
        total += self.small
        total[self.places] += self.large

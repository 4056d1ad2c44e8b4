"""Kernels on scores of at most 16 bits: histograms of all pixels and of the anomalous ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.kernels.compilation import compiled

Histogram = NDArray[np.uint32]


@compiled
def count_codes(codes: Any, first: Histogram, second: Histogram) -> None:
    """Count unsigned codes into two histograms, whose sum is meant; the caller folds them before 2³² codes.

    Two read heads, half an array apart: equal neighbours do not wait for each other's increment.
    """
    half = codes.size // 2
    one = np.uint32(1)
    for position in range(half):
        first[codes[position]] += one
        second[codes[half + position]] += one
    if codes.size & 1:
        first[codes[codes.size - 1]] += one


@compiled
def count_words(words: NDArray[np.uint64], counts: Histogram) -> None:
    """Count four 16-bit codes a word: one histogram, half the memory of two, for maps whose neighbours differ."""
    low, one = np.uint64(0xFFFF), np.uint32(1)
    second, third, fourth = np.uint64(16), np.uint64(32), np.uint64(48)
    half = words.size // 2
    for position in range(half):
        a, b = words[position], words[half + position]
        counts[np.uint16(a & low)] += one
        counts[np.uint16(b & low)] += one
        counts[np.uint16((a >> second) & low)] += one
        counts[np.uint16((b >> second) & low)] += one
        counts[np.uint16((a >> third) & low)] += one
        counts[np.uint16((b >> third) & low)] += one
        counts[np.uint16(a >> fourth)] += one
        counts[np.uint16(b >> fourth)] += one
    if words.size & 1:
        _count_word(words[words.size - 1], one, counts)


@compiled
def _count_word(word: Any, times: Any, counts: Histogram) -> None:
    for shift in range(0, 64, 16):
        counts[np.uint16((word >> np.uint64(shift)) & np.uint64(0xFFFF))] += times


@compiled
def count_flat_words(words: NDArray[np.uint64], counts: Histogram) -> None:
    """Count four 16-bit codes a word, equal words at once: for maps with large flat areas."""
    if words.size == 0:
        return
    last, streak = words[0], np.uint32(0)
    for word in words:
        if word != last:
            _count_word(last, streak, counts)
            last, streak = word, np.uint32(0)
        streak += np.uint32(1)
    _count_word(last, streak, counts)


@compiled
def count_codes_under_runs(
    codes: Any,
    offsets: NDArray[np.int64],
    starts: NDArray[np.uint32],
    lengths: NDArray[np.uint32],
    counts: NDArray[np.int64],
) -> None:
    """Histogram of the codes (n, H · W) under the runs of n frames."""
    for frame in range(codes.shape[0]):
        for run in range(offsets[frame], offsets[frame + 1]):
            begin = np.int64(starts[run])
            for position in range(begin, begin + np.int64(lengths[run])):
                counts[codes[frame, position]] += 1

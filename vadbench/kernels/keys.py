"""Kernels on scores of 32 and 64 bits: order-preserving keys, and how many lie at and between sorted thresholds.

No sort of all pixels. The upper 16 bits of a key are its bucket: one pass counts the buckets, a second lays the lower
bits side by side, bucket by bucket. Of 32-bit keys the lower 16 bits are then counted in a histogram of all their
values, from which the counts at and between the thresholds are read off; of 64-bit keys the next 16 bits lead to the
few thresholds that share them. Buckets without a threshold only need their number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.kernels.compilation import compiled

FEW = 2_048
"""Keys of a bucket up to which a search for each is cheaper than a pass over all 65 536 values of the lower bits."""


@compiled
def keys_of_floats(bits: Any, sign: Any, zero_shift: Any, keys: Any) -> None:
    """Bit patterns of floats to keys in the order of the numbers; −0.0 becomes 0.0.

    `sign` has the sign bit alone, `zero_shift` is the number of the other bits; all arrays have one unsigned dtype.
    """
    for position in range(bits.size):
        pattern = bits[position]
        if pattern >> zero_shift:
            keys[position] = pattern if pattern == sign else ~pattern
        else:
            keys[position] = pattern | sign


@compiled
def count_buckets(keys: Any, shift: Any, first: NDArray[np.uint32], second: NDArray[np.uint32]) -> None:
    """Count the upper 16 bits of keys into two histograms, whose sum is meant."""
    half = keys.size // 2
    one = np.uint32(1)
    for position in range(half):
        first[np.uint16(keys[position] >> shift)] += one
        second[np.uint16(keys[half + position] >> shift)] += one
    if keys.size & 1:
        first[np.uint16(keys[keys.size - 1] >> shift)] += one


@compiled
def lay_by_bucket(keys: Any, shift: Any, wanted: NDArray[np.bool_], place: NDArray[np.uint32], out: Any) -> None:
    """Lay the lower bits of the keys of wanted buckets side by side; `place` is where each bucket goes on.

    `out` keeps as many of the lower bits as its dtype holds.
    """
    for position in range(keys.size):
        key = keys[position]
        bucket = np.uint16(key >> shift)
        if wanted[bucket]:
            at = place[bucket]
            out[at] = key
            place[bucket] = at + np.uint32(1)


@compiled
def _first_not_below(thresholds: Any, begin: Any, end: Any, key: Any) -> Any:
    while begin < end:
        middle = (begin + end) >> 1
        if thresholds[middle] < key:
            begin = middle + 1
        else:
            end = middle
    return begin


@compiled
def _search_each(keys: Any, thresholds: Any, begin: Any, end: Any, at: Any, between: Any) -> None:
    one = np.uint32(1)
    for key in keys:
        index = _first_not_below(thresholds, begin, end, key)
        if index < end and thresholds[index] == key:
            at[index] += one
        else:
            between[index] += one


@compiled
def count_low_halves(
    low: NDArray[np.uint16],
    bucket_counts: NDArray[np.int64],
    thresholds: NDArray[np.uint16],
    threshold_offsets: NDArray[np.int64],
    histogram: NDArray[np.uint32],
    at: NDArray[np.uint32],
    between: NDArray[np.uint32],
) -> None:
    """Add the 32-bit keys of all buckets to the counts at (k,) and between (k + 1,) the thresholds.

    `low` holds the lower halves of the keys of those buckets that have thresholds, bucket by bucket, `thresholds` the
    lower halves of the thresholds, with offsets (65 537,) by bucket. ``between[j]`` counts keys below threshold j and
    above the one before. `histogram` is room of 65 536 zeros, left as such.
    """
    begin_keys = np.int64(0)
    for bucket in range(65_536):
        begin, end = threshold_offsets[bucket], threshold_offsets[bucket + 1]
        n_keys = bucket_counts[bucket]
        if begin == end:
            between[begin] += np.uint32(n_keys)
            continue
        if n_keys == 0:
            continue
        keys = low[begin_keys : begin_keys + n_keys]
        begin_keys += n_keys
        if n_keys <= FEW:
            _search_each(keys, thresholds, begin, end, at, between)
            continue
        for key in keys:
            histogram[key] += np.uint32(1)
        value = np.int64(0)
        for index in range(begin, end):
            threshold = np.int64(thresholds[index])
            gathered = np.uint32(0)
            while value < threshold:
                gathered += histogram[value]
                value += 1
            between[index] += gathered
            at[index] += histogram[threshold]
            value = threshold + 1
        gathered = np.uint32(0)
        while value < 65_536:
            gathered += histogram[value]
            value += 1
        between[end] += gathered
        histogram[:] = 0


@compiled
def count_wide_keys(
    keys: NDArray[np.uint64],
    bucket_counts: NDArray[np.int64],
    thresholds: NDArray[np.uint64],
    threshold_offsets: NDArray[np.int64],
    cells: NDArray[np.int64],
    at: NDArray[np.uint32],
    between: NDArray[np.uint32],
) -> None:
    """The same for 64-bit keys, given whole; `cells` is room of 65 537 numbers."""
    begin_keys = np.int64(0)
    one = np.uint32(1)
    for bucket in range(65_536):
        begin, end = threshold_offsets[bucket], threshold_offsets[bucket + 1]
        n_keys = bucket_counts[bucket]
        if begin == end:
            between[begin] += np.uint32(n_keys)
            continue
        if n_keys == 0:
            continue
        own = keys[begin_keys : begin_keys + n_keys]
        begin_keys += n_keys
        if n_keys <= FEW:
            _search_each(own, thresholds, begin, end, at, between)
            continue
        cells[:] = 0
        for index in range(begin, end):
            cells[np.int64(np.uint16(thresholds[index] >> np.uint64(32))) + 1] += 1
        cells[0] = begin
        for lower in range(65_536):
            cells[lower + 1] += cells[lower]
        for key in own:
            cell = np.int64(np.uint16(key >> np.uint64(32)))
            index = _first_not_below(thresholds, cells[cell], cells[cell + 1], key)
            if index < cells[cell + 1] and thresholds[index] == key:
                at[index] += one
            else:
                between[index] += one


@compiled
def order_of_keys(keys: Any, bits: int) -> NDArray[np.uint32]:
    """Stable order of unsigned keys with that many bits: a radix sort by eleven bits at a time."""
    order, other = np.arange(keys.size).astype(np.uint32), np.empty(keys.size, dtype=np.uint32)
    for shift in range(0, bits, 11):
        counts = np.zeros(2_049, dtype=np.int64)
        for key in keys:
            counts[np.int64((np.uint64(key) >> np.uint64(shift)) & np.uint64(2_047)) + 1] += 1
        if counts.max() == keys.size:
            continue
        for lower in range(2_048):
            counts[lower + 1] += counts[lower]
        for index in order:
            digit = np.int64((np.uint64(keys[index]) >> np.uint64(shift)) & np.uint64(2_047))
            other[counts[digit]] = index
            counts[digit] += 1
        order, other = other, order
    return order


@compiled
def step_sums(at: Any, between: Any, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], np.int64]:
    """Sums of counts at and above thresholds from one of `places` up to the next, and of all below the first.

    `at` (k,) and `between` (k + 1,) are counts at and between k thresholds, `places` some of them, ascending.
    """
    steps = np.zeros(places.size, dtype=np.int64)
    below = np.int64(between[0])
    first = places[0] if places.size else at.size
    for index in range(first):
        below += np.int64(at[index]) + np.int64(between[index + 1])
    for number in range(places.size):
        end = places[number + 1] if number + 1 < places.size else at.size
        total = np.int64(0)
        for index in range(places[number], end):
            total += np.int64(at[index]) + np.int64(between[index + 1])
        steps[number] = total
    return steps, below

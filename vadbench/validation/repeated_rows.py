"""Rows that say the same as an earlier row of their frame, found with arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_RUNS_AT_ONCE = 1_000_000


def repeated_detections(arrays: Mapping[str, NDArray[Any]]) -> tuple[int, int]:
    """Number of detections with the frame, box and score of another, and the frame of the first; 0, 0 for none.

    Parameters
    ----------
    arrays : mapping
        ``frame`` (N,), ``box`` (N, 4), ``score`` (N,), as the format names them.

    Notes
    -----
    Sorting: O(N log N).
    """
    box = arrays["box"]
    return _repeated(arrays["frame"], [*box.T, arrays["score"]])


def repeated_instances(arrays: Mapping[str, NDArray[Any]]) -> tuple[int, int]:
    """The same for instances: frame, score and mask; two masks are told apart by a sum of their runs with weights."""
    counts, offsets = arrays["counts"], arrays["offsets"]
    n_rows = len(offsets) - 1
    sums = np.zeros(n_rows, dtype=np.uint64)
    begin = 0
    while begin < n_rows:
        end = int(np.searchsorted(offsets, offsets[begin] + _RUNS_AT_ONCE, side="right")) - 1
        end = min(max(end, begin + 1), n_rows)
        sums[begin:end] = _weighted_sums(counts[offsets[begin] : offsets[end]], offsets[begin : end + 1])
        begin = end
    return _repeated(arrays["frame"], [arrays["score"], np.diff(offsets), sums])


def _weighted_sums(counts: NDArray[Any], offsets: NDArray[Any]) -> NDArray[np.uint64]:
    starts = (offsets[:-1] - offsets[0]).astype(np.uint64)
    # A weight a position within the mask, the same in every mask: odd numbers spread over 64 bits, sums wrap around.
    position = np.arange(len(counts), dtype=np.uint64) - np.repeat(starts, np.diff(offsets))
    weights = (position * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03)) | np.uint64(1)
    weights ^= weights >> np.uint64(29)
    sums: NDArray[np.uint64] = np.add.reduceat(counts.astype(np.uint64) * weights, starts.astype(np.int64))
    return sums


def _repeated(frames: NDArray[Any], columns: list[NDArray[Any]]) -> tuple[int, int]:
    if len(frames) < 2:
        return 0, 0
    order = np.lexsort([*columns, frames])
    same = frames[order][1:] == frames[order][:-1]
    for column in columns:
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    n_repeated = int(np.count_nonzero(same))
    return n_repeated, int(frames[order][1:][same.argmax()]) if n_repeated else 0

"""Kernels on masks: runs of anomalous pixels, their connected components, what consecutive frames share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.kernels.compilation import compiled

Offsets = NDArray[np.int64]
Positions = NDArray[np.uint32]


@compiled
def runs_of_masks(masks: NDArray[np.uint8], room: int) -> tuple[Offsets, Positions, Positions]:
    """Runs of non-zero bytes in each frame of masks (T, n): offsets (T + 1,), starts and lengths.

    `room` is the number of runs to begin with; it grows as it must.
    """
    frames, size = masks.shape
    offsets = np.zeros(frames + 1, dtype=np.int64)
    starts, lengths = np.empty(room, dtype=np.uint32), np.empty(room, dtype=np.uint32)
    found = np.int64(0)
    for frame in range(frames):
        row = masks[frame]
        words = row[: size // 8 * 8].view(np.uint64)
        position = np.int64(0)
        while position < size:
            # Most of a mask is empty: eight pixels are skipped at once.
            if position & 7 == 0:
                word = np.int64(position >> 3)
                while word < words.size and words[word] == 0:
                    word += 1
                position = word << 3
                if position >= size:
                    break
            if row[position] == 0:
                position += 1
                continue
            start = position
            while position < size and row[position] != 0:
                position += 1
            if found == starts.size:
                more_starts, more_lengths = np.empty(2 * found, dtype=np.uint32), np.empty(2 * found, dtype=np.uint32)
                more_starts[:found], more_lengths[:found] = starts, lengths
                starts, lengths = more_starts, more_lengths
            starts[found], lengths[found] = start, position - start
            found += 1
        offsets[frame + 1] = found
    return offsets, starts[:found].copy(), lengths[:found].copy()


@compiled
def fill_runs(masks: NDArray[np.uint8], offsets: Offsets, starts: Positions, lengths: Positions) -> None:
    """Set the pixels under the runs of some frames to 1 in masks (n, H · W); `offsets` (n + 1,) are of these frames."""
    for frame in range(masks.shape[0]):
        for run in range(offsets[frame], offsets[frame + 1]):
            first = np.int64(starts[run])
            masks[frame, first : first + np.int64(lengths[run])] = 1


@compiled
def _root(parent: NDArray[np.int64], run: Any) -> Any:
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@compiled
def row_runs(
    offsets: Offsets, starts: Positions, lengths: Positions, width: int
) -> tuple[Offsets, Positions, Positions]:
    """Split runs that go on from one row into the next at the ends of rows."""
    total = np.int64(0)
    for run in range(starts.size):
        first = np.int64(starts[run])
        total += (first + np.int64(lengths[run]) - 1) // width - first // width + 1
    split_offsets = np.zeros(offsets.size, dtype=np.int64)
    split_starts, split_lengths = np.empty(total, dtype=np.uint32), np.empty(total, dtype=np.uint32)
    made = 0
    for frame in range(offsets.size - 1):
        for run in range(offsets[frame], offsets[frame + 1]):
            first = np.int64(starts[run])
            end = first + np.int64(lengths[run])
            while first < end:
                stop = min(end, (first // width + 1) * width)
                split_starts[made], split_lengths[made] = first, stop - first
                made += 1
                first = stop
        split_offsets[frame + 1] = made
    return split_offsets, split_starts, split_lengths


@compiled
def components_of_runs(
    offsets: Offsets, starts: Positions, lengths: Positions, width: int, reach: int
) -> tuple[NDArray[np.int64], Offsets]:
    """Connected component of each row run, and the components' offsets (T + 1,) by frame.

    Components are counted from 0 through all frames, within a frame in raster order of their first pixel. `reach` is 1
    where corners connect (8-connected), else 0.
    """
    parent = np.arange(starts.size)
    component = np.empty(starts.size, dtype=np.int64)
    component_offsets = np.zeros(offsets.size, dtype=np.int64)
    count = 0
    for frame in range(offsets.size - 1):
        begin, end = offsets[frame], offsets[frame + 1]
        above = begin
        for run in range(begin, end):
            first = np.int64(starts[run])
            row = first // width
            left = first - row * width
            right = left + np.int64(lengths[run])
            # A run above that ends left of this one touches no later run of this row either.
            while above < run:
                other = np.int64(starts[above])
                other_row = other // width
                if other_row >= row or (
                    other_row == row - 1 and other - other_row * width + np.int64(lengths[above]) + reach > left
                ):
                    break
                above += 1
            candidate = above
            while candidate < run:
                other = np.int64(starts[candidate])
                if other // width != row - 1 or other - (row - 1) * width >= right + reach:
                    break
                one, two = _root(parent, candidate), _root(parent, run)
                if one < two:
                    parent[two] = one
                else:
                    parent[one] = two
                candidate += 1
        for run in range(begin, end):
            # The root is the first run of its component.
            root = _root(parent, run)
            if root == run:
                component[run] = count
                count += 1
            else:
                component[run] = component[root]
        component_offsets[frame + 1] = count
    return component, component_offsets


@compiled
def shared_runs(
    offsets: Offsets, starts: Positions, lengths: Positions, component: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pixels that runs of consecutive frames share: (earlier component, later component, number of pixels).

    A pair of components comes once for each pair of runs that overlap. The runs are in raster order.
    """
    # Two lists of n and m disjoint intervals overlap in fewer than n + m places.
    earlier = np.empty(2 * starts.size, dtype=np.int64)
    later, pixels = np.empty_like(earlier), np.empty_like(earlier)
    found = 0
    for frame in range(1, offsets.size - 1):
        one, two = offsets[frame - 1], offsets[frame]
        while one < offsets[frame] and two < offsets[frame + 1]:
            one_end = np.int64(starts[one]) + np.int64(lengths[one])
            two_end = np.int64(starts[two]) + np.int64(lengths[two])
            shared = min(one_end, two_end) - np.int64(max(starts[one], starts[two]))
            if shared > 0:
                earlier[found], later[found], pixels[found] = component[one], component[two], shared
                found += 1
            if one_end <= two_end:
                one += 1
            else:
                two += 1
    return earlier[:found].copy(), later[:found].copy(), pixels[:found].copy()


@compiled
def gather_runs(values: Any, offsets: Offsets, starts: Positions, lengths: Positions, out: Any) -> int:
    """Copy the values (n, H · W) under the runs of n frames to `out`, run after run; returns how many there are."""
    filled = 0
    for frame in range(values.shape[0]):
        for run in range(offsets[frame], offsets[frame + 1]):
            first = np.int64(starts[run])
            for position in range(first, first + np.int64(lengths[run])):
                out[filled] = values[frame, position]
                filled += 1
    return filled


@compiled
def count_reaching(
    values: Any, least: Any, offsets: Offsets, starts: Positions, lengths: Positions
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many values (n, H · W) under the runs of each of n frames are ≥ `least`, and how many there are."""
    reaching, all_values = np.zeros(values.shape[0], dtype=np.int64), np.zeros(values.shape[0], dtype=np.int64)
    for frame in range(values.shape[0]):
        for run in range(offsets[frame], offsets[frame + 1]):
            first = np.int64(starts[run])
            for position in range(first, first + np.int64(lengths[run])):
                reaching[frame] += values[frame, position] >= least
            all_values[frame] += np.int64(lengths[run])
    return reaching, all_values

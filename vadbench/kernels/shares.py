"""Kernels on anomalous pixels: how often each score occurs, and the components' shares with it.

All that these kernels call stands in this file: numba keeps machine code by the file of a kernel, and would not see a
change in another one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.kernels.compilation import compiled


@compiled
def share_of(count: Any, size: Any) -> Any:
    """Quotient count / size in two parts, which together have more digits than a float64 holds.

    The first is cut to 24 bits, so that its product with the size is exact and so is the rest.
    """
    quotient = np.float64(np.float32(count / size))
    return quotient, (count - quotient * size) / size


@compiled
def add_share(high: NDArray[np.float64], low: NDArray[np.float64], place: Any, quotient: Any, rest: Any) -> None:
    """Add a share to high[place] + low[place], keeping what a float64 sum would round off.

    The rounded sum is then hardly ever another one where the terms come in another order, and the pixels of a component
    add up to exactly 1. Equal bits do not rest on it, but on the order in which clips are folded.
    """
    before = high[place]
    after = before + quotient
    taken = after - before
    low[place] += ((before - (after - taken)) + (quotient - taken)) + rest
    high[place] = after


@compiled
def share_codes_under_runs(
    codes: Any,
    offsets: NDArray[np.int64],
    starts: NDArray[np.uint32],
    lengths: NDArray[np.uint32],
    component: NDArray[np.int64],
    sizes: NDArray[np.int64],
    counts: NDArray[np.int64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
) -> None:
    """The same, and for each code the sum over components of the share of their pixels with it.

    The runs of a component stand side by side; `sizes` are the components' numbers of pixels.
    """
    for frame in range(codes.shape[0]):
        streak, streak_code, streak_component, size = np.int64(0), np.int64(-1), np.int64(-1), np.int64(1)
        of_one = share_of(np.int64(0), size)
        for run in range(offsets[frame], offsets[frame + 1]):
            if component[run] != streak_component:
                if streak:
                    add_share(high, low, streak_code, *share_of(streak, size))
                streak, streak_code, streak_component = np.int64(0), np.int64(-1), component[run]
                size = sizes[streak_component]
                of_one = share_of(np.int64(1), size)
            begin = np.int64(starts[run])
            for position in range(begin, begin + np.int64(lengths[run])):
                code = np.int64(codes[frame, position])
                counts[code] += 1
                if code == streak_code:
                    streak += 1
                    continue
                # Pixels of one component with one code, such as of a mask, are divided once for all.
                if streak == 1:
                    add_share(high, low, streak_code, of_one[0], of_one[1])
                elif streak:
                    add_share(high, low, streak_code, *share_of(streak, size))
                streak, streak_code = np.int64(1), code
        if streak:
            add_share(high, low, streak_code, *share_of(streak, size))


@compiled
def distinct_in_order(
    keys: Any, order: NDArray[np.uint32], component: NDArray[np.int32], sizes: NDArray[np.int64], out: Any
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Distinct keys, written to `out`, their counts, and the sums of the components' shares (high and low part).

    `order` sorts the keys and leaves pixels of one component side by side where the keys are equal. Without sizes (an
    empty array) the sums are 0.
    """
    counts = np.zeros(keys.size, dtype=np.int64)
    with_shares = sizes.size > 0
    high = np.zeros(keys.size if with_shares else 0, dtype=np.float64)
    low = np.zeros(keys.size if with_shares else 0, dtype=np.float64)
    found = -1
    streak, streak_component = 0, -1
    for index in order:
        new = found < 0 or keys[index] != out[found]
        if with_shares and (new or component[index] != streak_component):
            if streak:
                add_share(high, low, found, *share_of(streak, sizes[streak_component]))
            streak, streak_component = 0, component[index]
        if new:
            found += 1
            out[found] = keys[index]
        counts[found] += 1
        streak += 1
    if with_shares and streak:
        add_share(high, low, found, *share_of(streak, sizes[streak_component]))
    return counts[: found + 1], high[: found + 1], low[: found + 1]

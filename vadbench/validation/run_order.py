"""Whether the run lengths of masks go row by row, where the format has them column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_RUNS = 2_000_000
"""Runs of a clip that are looked at, which bounds memory."""

NEAR = 5
"""Pixels by which the edge of an object may move from one line to the next."""


@dataclass(frozen=True)
class RunOrder:
    """How far the runs of ones in the masks of a clip lie apart, counted as the format counts pixels.

    Attributes
    ----------
    n_runs : int
        Runs of ones that have another behind them in their mask.
    n_height, n_width : int
        Those of them where another begins one height, or one width, further on, by `NEAR` pixels more or less.
    """

    n_runs: int
    n_height: int
    n_width: int


def run_order(counts: NDArray[Any], offsets: NDArray[Any], height: int, width: int) -> RunOrder | None:
    """Distances of the runs of masks.

    Parameters
    ----------
    counts, offsets : (M,), (N + 1,)
        As the format has them, and right: each mask begins with a run of zeros.
    height, width : int
        Of the frame.

    Returns
    -------
    RunOrder or None
        None where the width is near a multiple of the height: the two orders look alike then.

    Notes
    -----
    In columns, a run of ones has its neighbour one height further on, whatever the object; one width further on only by
    chance. Read row by row it is the other way about. Sorted search: O(M log M).
    """
    apart = width % height
    if min(apart, height - apart) <= 2 * NEAR:
        return None
    n = int(np.searchsorted(offsets, MOST_RUNS, side="right")) - 1
    if n < 1:
        return RunOrder(0, 0, 0)
    own = counts[: offsets[n]].astype(np.int64)
    lengths = np.diff(offsets[: n + 1]).astype(np.int64)
    begins = np.cumsum(own) - own
    is_mask = (np.arange(len(own)) - np.repeat(offsets[:n], lengths)) % 2 == 1
    # Masks follow each other with room between them, so that no run finds its neighbour in the next mask.
    room = max(height, width) + 2 * NEAR
    starts = (begins + np.repeat(np.arange(n), lengths) * room)[is_mask]
    mask = np.repeat(np.arange(n), lengths // 2)
    goes_on = np.zeros(len(starts), dtype=bool)
    goes_on[:-1] = mask[1:] == mask[:-1]

    def n_at(distance: int) -> int:
        first = np.searchsorted(starts, starts + (distance - NEAR))
        found = starts[np.minimum(first, len(starts) - 1)] - starts
        return int(np.count_nonzero((first < len(starts)) & (found <= distance + NEAR)))

    return RunOrder(int(np.count_nonzero(goes_on)), n_at(height), n_at(width))

"""Run lengths as COCO writes them: a list of counts, or its compressed text.

Source: ``maskApi.c`` of the COCO API (``rleToString``, ``rleFrString``): from the fourth count on, each is stored as
the difference to the count two before; numbers are cut into groups of five bits, lowest first; a character is 48 plus
the group, plus 32 where more groups follow; the highest bit of the last group is the sign.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FIRST_CHARACTER = 48
_MOST_GROUPS = 7
"""Five-bit groups of a difference of two numbers below 2³²; more would overflow."""


def counts_of_text(text: str) -> NDArray[np.int64]:
    """Run lengths (M,) int64 of compressed text.

    Raises
    ------
    ValueError
        With one line, for a character outside the alphabet, text that ends within a number, a number beyond 34 bits
        or a negative count.

    Examples
    --------
    >>> counts_of_text("3110001020O0N31M11O").tolist()
    [3, 1, 1, 1, 1, 1, 2, 1, 4, 1, 3, 1, 1, 4, 2, 1, 3, 2, 2]
    """
    try:
        data = text.encode("ascii")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the character {text[error.start]!a} at position {error.start} is none of the code"
        ) from error
    codes = np.frombuffer(data, dtype=np.uint8).astype(np.int64) - _FIRST_CHARACTER
    wrong = np.flatnonzero((codes < 0) | (codes > 63))
    if len(wrong):
        position = int(wrong[0])
        raise ValueError(f"the character {text[position]!a} at position {position} is none of the code")
    if not len(codes):
        return np.zeros(0, dtype=np.int64)
    is_last = codes & 0x20 == 0
    if not is_last[-1]:
        raise ValueError("the text ends within a number: it is cut off")
    ends = np.flatnonzero(is_last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    n_groups = ends - starts + 1
    if n_groups.max() > _MOST_GROUPS:
        raise ValueError(f"a number has more than {5 * _MOST_GROUPS - 1} bits")
    place = np.arange(len(codes)) - np.repeat(starts, n_groups)
    values = np.add.reduceat((codes & 0x1F) << (5 * place), starts)
    values -= np.where(codes[ends] & 0x10, np.int64(1) << (5 * n_groups), 0)
    # Each count from the fourth on is relative to the one two before: two running sums, one begun a place later.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    if values.min() < 0:
        raise ValueError(f"count {int(values.argmin())} is {int(values.min())}, below 0")
    return values


def text_of_counts(counts: NDArray[np.integer]) -> str:
    """Compressed text of run lengths (M,), each below 2³², character for character that of the COCO API.

    Examples
    --------
    >>> text_of_counts(np.array([0, 12]))
    '0<'
    """
    values = np.asarray(counts, dtype=np.int64).copy()
    values[3:] -= np.asarray(counts, dtype=np.int64)[1:-2]
    group = np.arange(_MOST_GROUPS)
    # n groups hold -2**(5 n - 1) to 2**(5 n - 1) - 1.
    magnitude = np.where(values < 0, ~values, values)
    n_groups = 1 + (magnitude[:, None] >= (np.int64(1) << (5 * group + 4))).sum(axis=1)
    digits = (values[:, None] >> (5 * group)) & 0x1F
    codes = digits + np.where(group < n_groups[:, None] - 1, 0x20, 0) + _FIRST_CHARACTER
    text: bytes = codes[group < n_groups[:, None]].astype(np.uint8).tobytes()
    return text.decode("ascii")


def canonical_counts(counts: NDArray[np.int64], n_pixels: int) -> NDArray[np.uint32]:
    """Run lengths (M,) uint32 of the same mask without empty runs, except perhaps the first.

    Parameters
    ----------
    counts : (M,) int64
        Begin with the run of zeros; runs of length 0 may stand anywhere.
    n_pixels : int
        Height times width.

    Returns
    -------
    (M,) uint32
        Empty where the mask has no pixel.

    Raises
    ------
    ValueError
        If a count is negative or they do not add up to `n_pixels`.
    """
    total = int(counts.sum())
    if len(counts) and counts.min() < 0:
        raise ValueError(f"count {int(counts.argmin())} is {int(counts.min())}, below 0")
    if total != n_pixels:
        raise ValueError(f"the counts add up to {total}, not to {n_pixels} (height x width)")
    if (counts[1:] == 0).any():
        counts = _without_empty_runs(counts)
    if len(counts) < 2:
        return np.zeros(0, dtype=np.uint32)
    return counts.astype(np.uint32)


def _without_empty_runs(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join the runs beside an empty one: both are of the same kind."""
    is_one = np.arange(len(counts)) % 2 == 1
    there = counts > 0
    lengths, kinds = counts[there], is_one[there]
    if not len(lengths):
        return lengths
    starts = np.flatnonzero(np.concatenate([[True], kinds[1:] != kinds[:-1]]))
    joined = np.add.reduceat(lengths, starts)
    return np.concatenate([[0], joined]) if kinds[0] else joined

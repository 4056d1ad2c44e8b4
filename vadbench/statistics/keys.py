"""Unsigned keys in the order of scores: what the kernels count, whatever the dtype of the scores.

A key has as many bits as its score. Keys of floats are their bit patterns, all bits flipped for negative numbers and
the sign bit for others; −0.0 has the key of 0.0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import DataError


def require_rankable(dtype: np.dtype[Any]) -> None:
    """Raise `DataError` D359 unless scores of the dtype have keys: real numbers of at most 64 bits."""
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise DataError(
            "D359",
            "scores must be real numbers of at most 64 bits",
            expected="bool, integers, float16, float32 or float64",
            got=f"dtype {dtype}",
            hint="convert with scores.astype(np.float64)",
        )


def is_narrow(dtype: np.dtype[Any]) -> bool:
    """Whether scores have at most 16 bits, so that a histogram with a bin a key holds them all."""
    return dtype.itemsize <= 2


def score_keys(scores: NDArray[Any]) -> NDArray[np.unsignedinteger[Any]]:
    """Keys of scores, in their shape; a view where the scores are their own keys.

    Parameters
    ----------
    scores : any shape, real of at most 64 bits, native byte order
        No NaN; infinities have keys beyond those of all numbers.
    """
    unsigned = np.dtype(f"u{scores.dtype.itemsize}")
    if scores.dtype.kind in "bu":
        return scores.view(unsigned)
    flat = np.ascontiguousarray(scores).reshape(-1)
    keys = np.empty(flat.size, dtype=unsigned)
    write_keys(flat, keys)
    return keys.reshape(scores.shape)


def write_keys(scores: NDArray[Any], keys: NDArray[np.unsignedinteger[Any]]) -> None:
    """Write the keys of scores (n,), contiguous, to an array (n,) of unsigned integers of their size."""
    patterns = scores.view(keys.dtype)
    bits = 8 * keys.itemsize
    sign = keys.dtype.type(1 << (bits - 1))
    if scores.dtype.kind in "bu":
        keys[:] = patterns
    elif scores.dtype.kind == "i":
        np.bitwise_xor(patterns, sign, out=keys)
    else:
        from vadbench.kernels.keys import keys_of_floats

        keys_of_floats(patterns, sign, keys.dtype.type(bits - 1), keys)


def scores_of(keys: NDArray[np.unsignedinteger[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Scores of that dtype that have these keys."""
    if dtype.kind in "bu":
        return keys.view(dtype)
    sign = keys.dtype.type(1 << (8 * dtype.itemsize - 1))
    if dtype.kind == "i":
        return (keys ^ sign).view(dtype)
    return np.where(keys & sign, keys ^ sign, ~keys).view(dtype)

"""The exact threshold that a share of scores reaches at most, for every dtype of score maps, in bounded memory.

Source: docs/sending.md, "A threshold from training clips".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import UsageError, quoted
from vadbench.statistics.keys import score_keys, scores_of

Blocks = Callable[[], Iterable[NDArray[Any]]]
"""Gives all scores, block by block, each time it is called."""

_DIGIT_BITS = 16
_SLICE = 2**18
"""Keys that are counted at once: what is made of them on the way stays in the cache."""

_DECIMAL = re.compile(r"\+?(?=\.?[0-9])([0-9]*)\.?([0-9]*)([eE][+-]?[0-9]{1,3})?")
_MOST_DIGITS = 40


@dataclass(frozen=True)
class ReachedThreshold:
    """A threshold, and how many scores reach it.

    Parameters
    ----------
    value : int or float
        In the units of the scores: an int for integers.
    n_scores, n_reaching : int
        All scores, and those ≥ `value`.
    """

    value: int | float
    n_scores: int
    n_reaching: int

    @property
    def share(self) -> float:
        """Share of the scores that reach the threshold."""
        return self.n_reaching / self.n_scores


def parsed_quantile(text: str | float) -> Fraction:
    """Quantile as the exact number that is written: 0.9 is 9/10; of a float, the shortest decimal that reads as it.

    Raises
    ------
    UsageError
        U205 unless it is a decimal of at most 40 digits, above 0 and at most 1.
    """
    written = text if isinstance(text, str) else repr(float(text))
    match = _DECIMAL.fullmatch(written)
    quantile = Fraction(0)
    if match and len(match[1] + match[2]) <= _MOST_DIGITS:
        quantile = Fraction(Decimal(written))
    if not 0 < quantile <= 1:
        raise UsageError(
            "U205",
            "a quantile is above 0 and at most 1",
            expected=f"a decimal of at most {_MOST_DIGITS} digits",
            got=quoted(text),
            hint="0.999 flags one training score in a thousand",
        )
    return quantile


def threshold_at_quantile(blocks: Blocks, dtype: np.dtype[Any], quantile: Fraction) -> ReachedThreshold:
    """Least score that at most the share ``1 - quantile`` of all scores reach.

    Parameters
    ----------
    blocks : callable
        Gives arrays of any shape and of `dtype`, the same scores each time; finite.
    dtype : uint8, uint16, float32 or float64
    quantile : Fraction
        Above 0, at most 1.

    Returns
    -------
    ReachedThreshold
        Its value is one of the scores; where even the greatest one is reached by more than that share, the next number
        of `dtype` above it, which no score reaches. The number of scores that may reach it,
        ``(1 - quantile) * n``, is not rounded up.

    Raises
    ------
    UsageError
        U206 if there is no such number: the greatest score is the greatest number of `dtype`.

    Notes
    -----
    Scores become unsigned keys in their order, and the keys are counted 16 bits at a time from the highest on: one
    pass for integers, two for float32, four for float64. Memory is one histogram and, of floats, the keys of a block.
    """
    bits = 8 * dtype.itemsize
    digit_bits = min(bits, _DIGIT_BITS)
    # The greatest score that too many reach is found digit by digit; the threshold is the least score above it.
    prefix, n_above, n_scores = 0, 0, 0
    least_above: int | None = None
    for shift in range(bits - digit_bits, -1, -digit_bits):
        counts = np.zeros(1 << digit_bits, dtype=np.int64)
        for keys in _keys(blocks):
            n_scores += keys.size if shift + digit_bits == bits else 0
            own, least_of_slice = _next_digits(keys, prefix, shift, digit_bits, bits)
            counts += np.bincount(own, minlength=counts.size)
            if least_of_slice is not None and (least_above is None or least_of_slice < least_above):
                least_above = least_of_slice
        if not n_scores:
            raise ValueError("no scores")
        reaching = n_above + np.cumsum(counts[::-1])[::-1]
        allowed = (1 - quantile) * n_scores // 1
        digit = int(np.flatnonzero(reaching > allowed)[-1])
        n_above = int(reaching[digit]) - int(counts[digit])
        prefix = prefix << digit_bits | digit
        higher = np.flatnonzero(counts[digit + 1 :])
        if shift == 0 and higher.size:
            # In the last digits, what lies above in the same bucket is nearer than anything beyond it.
            least_above = prefix + 1 + int(higher[0])
    if least_above is None:
        return ReachedThreshold(_next_number(prefix, dtype), n_scores, 0)
    return ReachedThreshold(_number(least_above, dtype), n_scores, n_above)


def _keys(blocks: Blocks) -> Iterator[NDArray[np.unsignedinteger[Any]]]:
    """Yield keys of all scores, a slice at a time."""
    for block in blocks():
        keys = score_keys(np.ascontiguousarray(block)).reshape(-1)
        for start in range(0, keys.size, _SLICE):
            yield keys[start : start + _SLICE]


def _next_digits(
    keys: NDArray[np.unsignedinteger[Any]], prefix: int, shift: int, digit_bits: int, bits: int
) -> tuple[NDArray[Any], int | None]:
    """Digits at `shift` of the keys that begin with the prefix, and the least key that is above all of those."""
    number = keys.dtype.type
    width = shift + digit_bits
    if width == bits:
        return keys >> number(shift) if shift else keys, None
    least, n_keys = prefix << width, 1 << width
    # Unsigned: keys below the prefix come out above all that are above it.
    beyond = keys - number(least)
    is_own = beyond < number(n_keys)
    own = beyond[is_own]
    beyond[is_own] = np.iinfo(keys.dtype).max
    nearest = int(beyond.min())
    # The greatest key of all, with which own ones are overwritten, is that of no number.
    is_above = n_keys <= nearest < (1 << bits) - 1 - least
    return own >> number(shift), least + nearest if is_above else None


def _number(key: int, dtype: np.dtype[Any]) -> int | float:
    keys = np.array([key], dtype=f"u{dtype.itemsize}")
    number: int | float = scores_of(keys, dtype)[0].item()
    return number


def _next_number(key: int, dtype: np.dtype[Any]) -> int | float:
    """Number of the dtype above the one of that key."""
    greatest = _number(key, dtype)
    largest = np.iinfo(dtype).max if dtype.kind in "iu" else np.finfo(dtype).max
    if greatest >= largest:
        raise UsageError(
            "U206",
            "too many scores are the greatest number of their type; no threshold is above them",
            expected="a score that fewer reach",
            got=f"{greatest} is the greatest score, and the greatest {dtype.name}",
            hint="choose a lower quantile, or store the scores so that the greatest ones do not become one",
        )
    if dtype.kind in "iu":
        return int(greatest) + 1
    above: float = np.nextafter(dtype.type(greatest), dtype.type(np.inf)).item()
    return above

"""Sign-flip permutation test of a mean of paired differences, and Holm's correction for many tests.

Source: docs/statistics.md, "The test"; Phipson and Smyth 2010 for the estimate of a Monte Carlo p; Holm 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.comparison.resampling import check_numbers
from vadbench.errors import UsageError

MOST_EXACT = 16
"""Differences of which all 2^n signs are tried."""

_SUMS = 2**21
"""Sums that are held at once."""

_ROUNDING = 1e-12
"""Share of Σ|d| by which two sums of the same numbers in another order may differ: they count as equal."""


@dataclass(frozen=True)
class SignFlip:
    """What a sign-flip test found.

    Parameters
    ----------
    p : float
        Two-sided.
    exact : bool
        Whether all signs were tried; if not, p = (hits + 1) / (flips + 1).
    n : int
        Differences, those of 0 included.
    flips : int
        Signs that were tried: 2 to the number of differences other than 0, or the random ones.
    least_p : float
        The least p that these differences could have had, whatever their size: 2 / flips where exact, else
        1 / (flips + 1).
    """

    p: float
    exact: bool
    n: int
    flips: int
    least_p: float


def least_exact_p(n: int) -> float:
    """The least two-sided p of n differences: both of the two most extreme of 2^n signs count, 2 / 2^n; at most 1."""
    return min(1.0, 2.0 ** (1 - n))


def sign_flip(differences: ArrayLike, *, seed: int = 0, flips: int = 20_000) -> SignFlip:
    """Test whether the mean of paired differences is 0 by giving them random signs.

    Under the null each difference is as likely to have the other sign; p says how often a mean is then as far from 0.

    Parameters
    ----------
    differences : (n,) real
        Of one method's per-clip value less another's; finite, at least one.
    seed : int
        Of the random signs, where n is too large for all.
    flips : int
        Random signs.

    Returns
    -------
    SignFlip
        Exact for up to 16 differences other than 0 (those of 0 change no sum). Sums that differ by rounding alone are
        ties and count. Time and memory 2^n · n / 2, or flips · n.

    Raises
    ------
    UsageError
        U260 for a number out of range, U264 without differences or with one that is not finite.

    Examples
    --------
    >>> sign_flip([0.1, 0.2, 0.3]).p
    0.25
    """
    return sign_flips([differences], seed=seed, flips=flips)[0]


def sign_flips(several: Sequence[ArrayLike], *, seed: int = 0, flips: int = 20_000) -> list[SignFlip]:
    """Run `sign_flip` on each of several: those of one length get their signs together, which is many times faster."""
    check_numbers(seed=seed, flips=flips)
    given = [np.asarray(differences, dtype=np.float64).ravel() for differences in several]
    for own in given:
        if not own.size or not np.isfinite(own).all():
            raise UsageError(
                "U264", "a sign-flip test needs differences, all of them finite", got=f"{own.size} differences"
            )
    moving = [own[own != 0] for own in given]
    found: list[SignFlip] = [SignFlip(1.0, True, own.size, 1, 1.0) for own in given]
    for n in sorted({own.size for own in moving} - {0}):
        places = [place for place, own in enumerate(moving) if own.size == n]
        exact = n <= MOST_EXACT
        # The signs and their opposites give sums of one size, so that the first sign can stay.
        signs = _all_signs(n) if exact else _random_signs(n, seed, flips)
        hits = _hits(signs, np.stack([moving[place] for place in places], axis=1))
        for place, own in zip(places, hits.tolist(), strict=True):
            size = given[place].size
            if exact:
                found[place] = SignFlip(own / len(signs), True, size, 2 * len(signs), least_exact_p(n))
            else:
                found[place] = SignFlip((own + 1) / (flips + 1), False, size, flips, 1 / (flips + 1))
    return found


def _hits(signs: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.int64]:
    """Signs whose sum is at least as far from 0 as that of all as they are, for each column of (n, m) numbers."""
    least = np.abs(columns.sum(axis=0)) - _ROUNDING * np.abs(columns).sum(axis=0)
    step = max(1, _SUMS // len(signs))
    blocks = [slice(start, start + step) for start in range(0, columns.shape[1], step)]
    return np.concatenate(
        [np.count_nonzero(np.abs(signs @ columns[:, block]) >= least[block], axis=0) for block in blocks]
    )


@lru_cache(maxsize=4)
def _all_signs(n: int) -> NDArray[np.float64]:
    """All signs of n numbers up to the opposite, (2^(n − 1), n), the first of them 1."""
    patterns = np.arange(2 ** (n - 1))[:, None] >> np.arange(n - 1) & 1
    signs = np.ones((len(patterns), n))
    signs[:, 1:] -= 2.0 * patterns
    signs.flags.writeable = False
    return signs


@lru_cache(maxsize=2)
def _random_signs(n: int, seed: int, flips: int) -> NDArray[np.float64]:
    """Random signs, (flips, n), from raw bits of the generator as in `resampling`."""
    words = -(-n // 64)
    bits = np.random.PCG64(np.random.SeedSequence([seed, n, 2])).random_raw(flips * words)
    drawn = np.unpackbits(bits.astype("<u8").view(np.uint8).reshape(flips, 8 * words), axis=1, count=n)
    signs = 1.0 - 2.0 * drawn.astype(np.float64)
    signs.flags.writeable = False
    return signs


def holm(p_values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust p-values of a family of m tests by Holm's step-down method, (m,).

    The i-th smallest is multiplied by m − i + 1, may not fall below the one before it, and is at most 1. Rejecting what
    is at most α then makes any false rejection in the family at most as probable as α, however the tests depend on
    each other.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(given[order] * np.arange(given.size, 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted

"""What warnings need to know of scores: extremes, and whether they are whole numbers or two values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW_VALUES = 16
"""Distinct scores up to which they may be counts or votes."""

_SAMPLE = 1024


@dataclass(frozen=True)
class ScoreFacts:
    """Scores of one clip, all of them finite.

    Attributes
    ----------
    dtype : str
        As stored.
    least, greatest : int or float
    n_scores, n_greatest : int
        All scores; those equal to `greatest`.
    is_whole : bool
        Whether every score is a whole number.
    n_values : int
        Distinct scores; 3 stands for more than two.
    has_many_values : bool
        Whether more than `FEW_VALUES` distinct scores were seen among a sample.
    by_frame, least_by_frame : (T,) array
        Greatest and least score of each frame.
    """

    dtype: str
    least: float
    greatest: float
    n_scores: int
    n_greatest: int
    is_whole: bool
    n_values: int
    has_many_values: bool
    by_frame: NDArray[Any]
    least_by_frame: NDArray[Any]

    @property
    def is_constant(self) -> bool:
        """Whether all scores are equal."""
        return self.least == self.greatest


class MapFacts:
    """Takes in blocks of score maps, in order."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.n_not_finite = 0
        self._dtype = dtype
        self._maxima: list[NDArray[Any]] = []
        self._minima: list[NDArray[Any]] = []
        self._least: Any = None
        self._greatest: Any = None
        self._n_scores = self._n_greatest = 0
        self._is_whole = True
        self._values: set[Any] | None = set()
        self._sampled: set[Any] = set()

    def add(self, block: NDArray[Any]) -> bool:
        """Take in (n, H, W) scores; False where one is not finite, and all of them are left out."""
        flat = block.reshape(len(block), -1)
        maxima, minima = flat.max(axis=1), flat.min(axis=1)
        greatest, least = maxima.max(), minima.min()
        # The extremes hide neither a NaN nor an infinity.
        if self._dtype.kind == "f" and not (np.isfinite(least) and np.isfinite(greatest)):
            self.n_not_finite += int(np.count_nonzero(~np.isfinite(flat)))
            return False
        self._maxima.append(maxima)
        self._minima.append(minima)
        self._n_scores += flat.size
        self._least = least if self._least is None else min(self._least, least)
        if self._greatest is None or greatest > self._greatest:
            self._greatest, self._n_greatest = greatest, 0
        if greatest == self._greatest:
            self._n_greatest += int(np.count_nonzero(flat[maxima == greatest] == greatest))
        if self._is_whole and self._dtype.kind == "f":
            self._is_whole = bool((flat == np.rint(flat)).all())
        if self._values is not None:
            self._values |= {least.item(), greatest.item()}
            two_valued = len(self._values) <= 2 and bool(((flat == least) | (flat == greatest)).all())
            self._values = self._values if two_valued else None
        if len(self._sampled) <= FEW_VALUES:
            # All scores would have to be sorted to count them; for a warning it is enough to see that they are many.
            self._sampled.update(
                np.unique(flat.reshape(-1)[:: max(flat.size // _SAMPLE, 1)])[: FEW_VALUES + 1].tolist()
            )
        return True

    def facts(self) -> ScoreFacts | None:
        """What was taken in; None where nothing was."""
        if not self._maxima:
            return None
        return ScoreFacts(
            dtype=self._dtype.name,
            least=self._least.item(),
            greatest=self._greatest.item(),
            n_scores=self._n_scores,
            n_greatest=self._n_greatest,
            is_whole=self._is_whole,
            n_values=3 if self._values is None else len(self._values),
            has_many_values=len(self._sampled) > FEW_VALUES,
            by_frame=np.concatenate(self._maxima),
            least_by_frame=np.concatenate(self._minima),
        )


def facts_of_scores(scores: NDArray[Any]) -> ScoreFacts | None:
    """Facts of the scores of frames, (T,), all finite; None where there are none."""
    if not len(scores):
        return None
    facts = MapFacts(scores.dtype)
    facts.add(scores[:, None, None])
    return facts.facts()

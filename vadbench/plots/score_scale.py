"""What the stored numbers of score maps stand for: the method's own scores, where a submission says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vadbench.prediction import ScoreMaps
    from vadbench.submission.schema import MapScale


@dataclass(frozen=True)
class ScoreScale:
    """The straight line from stored numbers to own scores.

    Parameters
    ----------
    lower, upper : float
        Own scores of the stored numbers 0 and `largest`.
    largest : int or None
        Largest number of the stored type; None if own scores are not known, and stored numbers are shown.

    Examples
    --------
    >>> scale = ScoreScale(0.0, 1.0, 255)
    >>> scale.own(51), scale.shown(51), scale.label((0, 51))
    (0.2, '0.2 (stored 51)', 'score of the method (stored: 0 … 51)')
    >>> ScoreScale().own(51), ScoreScale().shown(51), ScoreScale().label((0, 51))
    (51, '51', 'score, as stored')
    """

    lower: float = 0.0
    upper: float = 0.0
    largest: int | None = None

    def own(self, stored: float) -> float:
        """Own score of a stored number."""
        return stored if self.largest is None else self.lower + (self.upper - self.lower) * stored / self.largest

    def shown(self, stored: float) -> str:
        """A stored number in words, after its own score."""
        return f"{stored:g}" if self.largest is None else f"{self.own(stored):.4g} (stored {stored:.10g})"

    def label(self, span: tuple[float, float]) -> str:
        """Label of an axis of own scores that reaches from one stored number to another."""
        if self.largest is None:
            return "score, as stored"
        return f"score of the method (stored: {span[0]:.10g} … {span[1]:.10g})"


def declared_scale(declared: MapScale | None, maps: ScoreMaps | None) -> ScoreScale:
    """Scale of the `lower` and `upper` of a submission.

    Numbers of floating point are left as they are: they have no largest one that `upper` could be the score of.
    """
    if declared is None or declared.lower is None or declared.upper is None or declared.lower == declared.upper:
        return ScoreScale()
    if maps is None or maps.dtype.kind not in "iu":
        return ScoreScale()
    return ScoreScale(declared.lower, declared.upper, int(np.iinfo(maps.dtype).max))

"""Printed numbers as intervals: what a number may have been before it was rounded.

Source: docs/audit.md, "Rounding".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

SLACK = 1e-9
"""Beyond this, as a fraction, a bound counts as missed: far above errors of float64, far below printed digits."""


@dataclass(frozen=True)
class Span:
    """A closed interval of fractions in [0, 1]."""

    low: float
    high: float

    def widened(self, by: float) -> Span:
        """The same, wider on both sides, within [0, 1]."""
        return Span(max(0.0, self.low - by), min(1.0, self.high + by))

    def distance(self, other: Span) -> float:
        """Least distance between a number of one and a number of the other; 0 where they meet."""
        return max(self.low - other.high, other.low - self.high, 0.0)


Spans = Mapping[str, Span]
"""Interval of each metric that a row prints, by key."""


def printed_span(text: str) -> Span:
    """Numbers in per cent that are rounded to `text`: half a unit of its last digit to either side.

    >>> printed_span("51.20"), printed_span("74")
    (Span(low=0.51195, high=0.51205), Span(low=0.735, high=0.745))
    """
    decimals = len(text.partition(".")[2])
    value, half = Fraction(text), Fraction(1, 2 * 10**decimals)
    return Span(float(max(value - half, Fraction(0)) / 100), float(min(value + half, Fraction(100)) / 100))


def printed_spans(cells: Mapping[str, str]) -> dict[str, Span]:
    """Intervals of a row's cells."""
    return {key: printed_span(text) for key, text in cells.items()}

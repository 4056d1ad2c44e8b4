"""Parameters of the filtering in time, and the choices where the paper's text is open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from baselines.tao.choices import Choice
from vadbench import UsageError
from vadbench.errors import quoted


class Reading(Choice):
    """Whose algorithm: that of the paper's text, or that of the released program."""

    PAPER = "paper"
    RELEASED = "released"


class Inherit(Choice):
    """How many frames must match for a box to inherit a label, by the paper's reading.

    `AVAILABLE`: m, or as many as the window shows of the object, so that what has just appeared is followed.
    `LITERAL`: m, as printed, so that an object gets a new label in each of its first m frames.
    """

    AVAILABLE = "available"
    LITERAL = "literal"


@dataclass(frozen=True)
class FilterSettings:
    """Parameters of `filter_boxes`; the defaults are the paper's.

    Parameters
    ----------
    reading : Reading
    inherit : Inherit
        For the paper's reading; the released program has no such choice.
    window : int
        k, frames looked back and ahead; at least 1.
    matches : int
        m, frames of the window that must match; 0 filters nothing (see `filter_boxes`), more than k is refused.
        The released program asks so many of births only; one match is enough to inherit.
    overlap : float
        h in [0, 1). IoU must be above it; by the released program, at or above it, so 0 makes no sense there.
    save_interval : int
        l, frames from one prompt of an object to the next; at least 1.
    distance : float
        Pixels between the centres of two boxes up to which the released program calls them near.
    merge : bool
        Whether overlapping boxes of a frame are merged before (`merge_boxes`).

    Raises
    ------
    UsageError
        B205 for an unknown reading, B213 for a value out of its range.

    Source: TAO, section 4.2; tao.md, "Parameters".
    """

    reading: Reading = Reading.PAPER
    inherit: Inherit = Inherit.AVAILABLE
    window: int = 5
    matches: int = 3
    overlap: float = 0.2
    save_interval: int = 5
    distance: float = 20.0
    merge: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "reading", Reading(self.reading))
        object.__setattr__(self, "inherit", Inherit(self.inherit))
        _check("window", self.window, "a whole number of 1 or more", _whole(self.window, 1))
        most = f"a whole number from 0 to the window, {self.window}"
        _check("matches", self.matches, most, _whole(self.matches, 0) and self.matches <= self.window)
        _check("overlap", self.overlap, "a number from 0 to below 1", _real(self.overlap) and 0 <= self.overlap < 1)
        if self.reading is Reading.RELEASED:
            _check("overlap", self.overlap, "a number above 0 for the released reading", self.overlap > 0)
        _check("save_interval", self.save_interval, "a whole number of 1 or more", _whole(self.save_interval, 1))
        _check("distance", self.distance, "0 pixels or more", _real(self.distance) and self.distance >= 0)
        _check("merge", self.merge, "true or false", isinstance(self.merge, bool))
        if self.reading is Reading.RELEASED and self.inherit is Inherit.LITERAL:
            raise UsageError(
                "B213",
                "the literal way to inherit labels is one of the paper's reading",
                expected="reading = paper, or inherit = available",
                got="reading = released with inherit = literal",
            )


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _real(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check(name: str, value: object, expected: str, fine: bool) -> None:
    if not fine:
        raise UsageError("B213", f"the {name} of the filtering is out of range", expected=expected, got=quoted(value))


RELEASED = FilterSettings(reading=Reading.RELEASED, overlap=0.3)
"""The released program's parameters (tao.md, "Parameters")."""

"""What the parts of an account of failures share: absence with its reason, places to look at, numbers in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")

SEPARATION = 30
"""Frames: of cases of one clip that are nearer to each other, only the worst is listed; the others show the same."""


@dataclass(frozen=True)
class NotAvailable:
    """A part that cannot be had, and why.

    Parameters
    ----------
    reason : str
        Goes on after "not available, because".
    """

    reason: str

    @property
    def in_words(self) -> str:
        """The reason as a sentence."""
        return f"Not available, because {self.reason}."


@dataclass(frozen=True)
class Place:
    """A frame to look at.

    Parameters
    ----------
    clip : str
    frame : int
        0-based.
    shows : str
        What is to be seen there, in a few words.
    """

    clip: str
    frame: int
    shows: str


def apart(cases: Iterable[tuple[str, int, _T]]) -> Iterator[_T]:
    """Keep of cases, the worst first, those that are at least `SEPARATION` frames from all worse ones of their clip.

    Parameters
    ----------
    cases : iterable of (clip, frame, case)
    """
    taken: dict[str, list[int]] = {}
    for clip, frame, case in cases:
        others = taken.setdefault(clip, [])
        if all(abs(frame - other) >= SEPARATION for other in others):
            others.append(frame)
            yield case


def whole(number: int) -> str:
    """Write a whole number with spaces between groups of three digits."""
    return f"{number:,}".replace(",", " ")


def counted(number: int, noun: str) -> str:
    """A number with its noun, whose plural is with an s.

    >>> counted(1, "track"), counted(2010, "frame")
    ('1 track', '2 010 frames')
    """
    return f"{whole(number)} {noun if number == 1 else noun + 's'}"


def listed(texts: Sequence[str], most: int = 6) -> str:
    """Texts as a list in a sentence, the first ones where there are many.

    >>> listed(["01"]), listed(["01", "02", "03"]), listed(["01", "02", "03"], most=2)
    ('01', '01, 02 and 03', '01, 02 and 1 other')
    """
    shown = list(texts[:most])
    if len(texts) > most:
        rest = len(texts) - most
        shown.append(f"{rest} other{'s' if rest > 1 else ''}")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def fewest_for_half(counts: Sequence[int]) -> list[int]:
    """Indices of the fewest items that hold at least half of the sum, the largest first; none where the sum is 0."""
    total, held, chosen = sum(counts), 0, []
    for index in sorted(range(len(counts)), key=lambda index: (-counts[index], index)):
        if 2 * held >= total:
            break
        held += counts[index]
        chosen.append(index)
    return chosen

"""What a check finds: an error in the reader's words, and how many equal ones there are.

Checks give all their faults, found with arrays; the reader raises the first, `vadbench.validation` shows every one.
A fault stands for all rows with the same mistake: a hostile file may hold millions of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vadbench.errors import SubmissionError
from vadbench.submission.frame_counts import FrameCount


@dataclass(frozen=True)
class Fault:
    """One mistake.

    Parameters
    ----------
    error : SubmissionError
        About the first place.
    count : int
        Number of places (rows, pixels, chunks, files).
    frames : FrameCount, optional
        Of S104: those of all clips together tell the cause.
    """

    error: SubmissionError
    count: int = 1
    frames: FrameCount | None = None


def raise_first(faults: Iterable[Fault]) -> None:
    """Raise the first error, if there is one; the rest is not looked for where the faults are made one by one."""
    for fault in faults:
        raise fault.error

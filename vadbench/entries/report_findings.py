"""What a report is told where its numbers contradict each other or are impossible."""

from __future__ import annotations

from vadbench.errors import SubmissionError
from vadbench.submission.problems import problem

TOLERANCE = 1e-9
"""Far above the rounding of sums of float64, far below the digits that are printed."""

_HINT = "score the submission again and send the report as it is written"


def contradiction(where: tuple[str, ...], expected: str, got: str) -> SubmissionError:
    """A report that contradicts itself (S184)."""
    return problem("S184", where=where, expected=expected, got=got, hint=_HINT)


def out_of_range(where: tuple[str, ...], expected: str, got: object) -> SubmissionError:
    """A value that no report has (S188)."""
    return problem("S188", where=where, expected=expected, got=str(got), hint=_HINT)

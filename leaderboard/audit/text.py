"""The audit as text, for terminals of 60 columns and more."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from leaderboard.audit.bounds import NAMES
from leaderboard.audit.findings import Audit, Finding, Verdict
from vadbench.inert_text import inert_text

_NARROWEST = 40
_LONGEST_ROW = 200
_SIGNS = {Verdict.CONSISTENT: "+", Verdict.IMPOSSIBLE: "-", Verdict.NOT_CHECKED: "?"}
_KEY = (
    "+ consistent: nothing here speaks against it",
    "- impossible: no detector has these numbers under it",
    "? not checked",
)
_ROUNDING = "Numbers are per cent; half a unit of the last printed digit is granted. Proofs: docs/audit.md."


def audit_text(audit: Audit, width: int = 80) -> str:
    """Every row with its numbers, the readings that can have produced it, and why the others cannot.

    Parameters
    ----------
    audit : Audit
    width : int
        Columns; at least 40 are used.

    Returns
    -------
    str
        Without a line feed at its end.
    """
    return "\n".join(_lines(audit, max(width, _NARROWEST)))


def _lines(audit: Audit, width: int) -> Iterator[str]:
    yield from _KEY
    yield from _wrapped(_ROUNDING, width)
    table = ""
    for findings in audit.by_row():
        first = findings[0]
        if first.table != table:
            table = first.table
            title = inert_text(table)
            yield ""
            yield title
            yield "=" * len(title)
        yield ""
        yield from _wrapped(f"{first.row_number}. {inert_text(first.row, _LONGEST_ROW)}", width, further=3)
        cells = {key: text for finding in findings for key, text in finding.cells}
        numbers = "  ".join(f"{NAMES[key]} {cells[key]}" for key in NAMES if key in cells)
        yield from _wrapped(numbers, width, first=3, further=3)
        for finding in findings:
            yield from _of_finding(finding, width)
    yield from _theorems(audit, width)


def _of_finding(finding: Finding, width: int) -> Iterator[str]:
    head = f"{_SIGNS[finding.verdict]} {finding.reading.title}"
    yield from _wrapped(head, width, first=1, further=3)
    words = [finding.reason, finding.remark]
    # One inequality settles it; the others are in the JSON form.
    for violation in finding.violations[:1]:
        words.append(f"{violation.sentence} (theorem {violation.theorem})")
        if finding.robust is False:
            words.append("not certain for masks of another size, with a prevalence 10 % off")
    for text in filter(None, words):
        yield from _wrapped(f"{text[0].upper()}{text[1:]}.", width, first=5, further=5)


def _theorems(audit: Audit, width: int) -> Iterator[str]:
    """The inequalities that some row breaks, once each."""
    shown = [finding.violations[0] for finding in audit.findings if finding.violations]
    broken = sorted({(violation.theorem, violation.inequality) for violation in shown})
    if broken:
        yield ""
        yield "Inequalities that are broken"
    for number, inequality in broken:
        yield from _wrapped(f"{number:>2}  {inequality}", width, further=4)


def _wrapped(text: str, width: int, *, first: int = 0, further: int = 0) -> list[str]:
    return textwrap.wrap(
        text, width=width, initial_indent=" " * first, subsequent_indent=" " * further, break_on_hyphens=False
    )

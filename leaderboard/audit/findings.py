"""What the audit says: a verdict for each row and reading, and the inequality behind it.

Source: docs/audit.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from leaderboard.audit.readings import Reading


class Verdict(StrEnum):
    """Whether a protocol can have produced a row."""

    CONSISTENT = "consistent"
    """Nothing here speaks against it."""

    IMPOSSIBLE = "impossible"
    """No detector reaches the row's numbers under the protocol, whatever it does."""

    NOT_CHECKED = "not checked"
    """The row or the data set lacks what the check needs."""


@dataclass(frozen=True)
class Violation:
    """An inequality that holds for every detector, and that a row breaks.

    Parameters
    ----------
    theorem : int
        Number in docs/audit.md.
    metrics : tuple of str
        Keys of the metrics in it; the one that is out of reach first.
    inequality : str
        As a formula.
    sentence : str
        With the row's numbers, in per cent.
    margin : float
        By how many points the printed number is out of reach, rounding granted; where several numbers are impossible
        together, by how many one of them would have to be off at least.
    """

    theorem: int
    metrics: tuple[str, ...]
    inequality: str
    sentence: str
    margin: float

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "theorem": self.theorem,
            "metrics": list(self.metrics),
            "inequality": self.inequality,
            "sentence": self.sentence,
            "margin": round(self.margin, 4),
        }


@dataclass(frozen=True)
class Finding:
    """One row under one reading.

    Parameters
    ----------
    table, row : str
        Id of the table; name of the row in it.
    row_number : int
        From 1, in the paper's order.
    cells : tuple of (str, str)
        Metrics of the row that the reading speaks of, as printed.
    reading : Reading
    verdict : Verdict
    violations : tuple of Violation
        Of an impossible row, the most telling first.
    reason : str
        Why a row is not checked.
    remark : str
        What else follows, where it is consistent: a mask that gives the numbers, or what must be true.
    robust : bool or None
        Of an impossible row: whether it stays impossible for masks of a prevalence up to 10 % off, such as masks of
        another size, by its first violation; None where no prevalence is in it.
    """

    table: str
    row: str
    row_number: int
    cells: tuple[tuple[str, str], ...]
    reading: Reading
    verdict: Verdict
    violations: tuple[Violation, ...] = ()
    reason: str = ""
    remark: str = ""
    robust: bool | None = None

    @property
    def margin(self) -> float | None:
        """Greatest margin of the violations, in points; None where there is none."""
        return max((violation.margin for violation in self.violations), default=None)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "table": self.table,
            "row": self.row,
            "row_number": self.row_number,
            "printed": dict(self.cells),
            "reading": self.reading.id,
            "verdict": str(self.verdict),
            "violations": [violation.to_json() for violation in self.violations],
            "reason": self.reason,
            "remark": self.remark,
            "robust": self.robust,
        }


@dataclass(frozen=True)
class ShortFinding:
    """What the audit says of one row, where there is little room.

    Parameters
    ----------
    possible : tuple of str
        Short names of the readings that can have produced the row.
    checked : int
        Readings that the row was held against.
    """

    possible: tuple[str, ...]
    checked: int

    @property
    def words(self) -> str:
        """Such as ``4 of 10 readings``; ``not checked`` where there was nothing to hold the row against."""
        if not self.checked:
            return str(Verdict.NOT_CHECKED)
        return f"{len(self.possible)} of {self.checked} reading{'' if self.checked == 1 else 's'}"


@dataclass(frozen=True)
class Audit:
    """All findings, by table, row and reading.

    Parameters
    ----------
    readings : tuple of Reading
        Those that some row was held against.
    findings : tuple of Finding
    """

    readings: tuple[Reading, ...]
    findings: tuple[Finding, ...]

    def of_row(self, table: str, row_number: int) -> tuple[Finding, ...]:
        """Findings of one row, in order of the readings; rows count from 1."""
        return tuple(one for one in self.findings if one.table == table and one.row_number == row_number)

    def short_of_row(self, table: str, row_number: int) -> ShortFinding:
        """One row's findings in short; rows count from 1."""
        found = self.of_row(table, row_number)
        possible = tuple(one.reading.short for one in found if one.verdict is Verdict.CONSISTENT)
        return ShortFinding(possible, sum(one.verdict is not Verdict.NOT_CHECKED for one in found))

    def by_row(self) -> Iterator[tuple[Finding, ...]]:
        """Findings of each row."""
        rows: dict[tuple[str, int], list[Finding]] = {}
        for finding in self.findings:
            rows.setdefault((finding.table, finding.row_number), []).append(finding)
        yield from map(tuple, rows.values())

    def to_json(self) -> dict[str, Any]:
        """As a JSON object, form ``vadbench.audit/1``."""
        return {
            "format": "vadbench.audit/1",
            "readings": [reading.to_json() for reading in self.readings],
            "findings": [finding.to_json() for finding in self.findings],
        }

"""The audit of reported rows as the protocols page shows it: what can have made each row, and why the rest cannot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.board import PublishedTable
from leaderboard.site.strangers import slug

if TYPE_CHECKING:
    from leaderboard.audit import Audit, Finding


@dataclass(frozen=True)
class AuditRow:
    """One reported row.

    Parameters
    ----------
    name : str
    anchor : str
        Of the row on the page of the protocols.
    possible : tuple of (reading, remark)
    impossible : tuple of (reading, reason)
    open : tuple of (reading, reason)
        Not checked.
    """

    name: str
    anchor: str
    possible: tuple[tuple[str, str], ...]
    impossible: tuple[tuple[str, str], ...]
    open: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AuditTable:
    """The rows of one table of a paper."""

    title: str
    caption: str
    rows: tuple[AuditRow, ...]


def audit_tables(audit: Audit, tables: Iterable[PublishedTable]) -> list[AuditTable]:
    """What is printed of an audit, by table of the board.

    Parameters
    ----------
    audit : Audit
    tables : iterable of PublishedTable
        Those of the board; findings of others are left out.
    """
    found = []
    for table in tables:
        rows = tuple(
            _row(findings, row_anchor(table, number))
            for number in range(1, len(table.rows) + 1)
            if (findings := audit.of_row(table.id, number))
        )
        if rows:
            found.append(AuditTable(table.place or table.paper, table.caption, rows))
    return found


def row_anchor(table: PublishedTable, number: int) -> str:
    """Anchor of a row, counted from 1, on the page of the protocols."""
    return f"audit-{slug(table.id)}-{number}"


@dataclass(frozen=True)
class ShortAudit:
    """One row in a cell of the start page: ``4 of 10 readings``, which ones, and where the page of protocols has it."""

    words: str
    names: str
    anchor: str


def short_audits(audit: Audit | None, table: PublishedTable) -> tuple[ShortAudit, ...]:
    """One for each row of a table; none without an audit that holds them."""
    if audit is None or not any(audit.of_row(table.id, number) for number in range(1, len(table.rows) + 1)):
        return ()
    found = [(audit.short_of_row(table.id, number), number) for number in range(1, len(table.rows) + 1)]
    return tuple(ShortAudit(own.words, "; ".join(own.possible), row_anchor(table, number)) for own, number in found)


def _row(findings: Iterable[Finding], anchor: str) -> AuditRow:
    from leaderboard.audit import Verdict

    parts: dict[Verdict, list[tuple[str, str]]] = {verdict: [] for verdict in Verdict}
    name = ""
    for finding in findings:
        name = finding.row
        reason = finding.reason
        if finding.violations:
            first = finding.violations[0]
            reason = f"{first.sentence} (theorem {first.theorem})"
            if finding.robust is False:
                reason += "; not certain for masks of another size, with a prevalence 10 % off"
        elif finding.remark:
            reason = finding.remark
        parts[finding.verdict].append((finding.reading.title, reason))
    return AuditRow(
        name,
        anchor,
        tuple(parts[Verdict.CONSISTENT]),
        tuple(parts[Verdict.IMPOSSIBLE]),
        tuple(parts[Verdict.NOT_CHECKED]),
    )

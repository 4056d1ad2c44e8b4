"""All rows of published tables, each held against every reading that speaks of its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from leaderboard.audit.checks import check_row, used_cells
from leaderboard.audit.findings import Audit, Finding, Verdict
from leaderboard.audit.readings import READINGS
from leaderboard.audit.truth_facts import TruthFacts, read_facts
from leaderboard.board import PublishedRow, PublishedTable
from leaderboard.published_rows import row_label


def audit(tables: Iterable[PublishedTable]) -> Audit:
    """Hold every row of the tables against every reading.

    Parameters
    ----------
    tables : iterable of PublishedTable

    Returns
    -------
    Audit
        By table, row and reading. Readings of pixels are left out for rows that print no pixel metric, readings of
        objects for rows without RBDC and TBDC.
    """
    facts: dict[str, TruthFacts] = {}
    findings: list[Finding] = []
    for table in tables:
        if table.dataset not in facts:
            facts[table.dataset] = read_facts(table.dataset)
        for number, row in enumerate(table.rows, start=1):
            findings += _findings(table, row, number, facts[table.dataset])
    used = {finding.reading for finding in findings}
    return Audit(tuple(reading for reading in READINGS if reading in used), tuple(findings))


def _findings(table: PublishedTable, row: PublishedRow, number: int, facts: TruthFacts) -> list[Finding]:
    findings = []
    for reading in READINGS:
        cells = used_cells(reading, row.cells)
        if not cells:
            continue
        check = check_row(reading, row.cells, facts)
        findings.append(
            Finding(
                table=table.id,
                row=row_label(row),
                row_number=number,
                cells=tuple(cells.items()),
                reading=reading,
                verdict=check.verdict,
                violations=check.violations,
                reason=check.reason,
                remark=check.remark,
                robust=check.robust,
            )
        )
    return findings


def with_consistency(tables: Sequence[PublishedTable], audit: Audit) -> tuple[PublishedTable, ...]:
    """The tables with the titles of the readings that can have produced each row, in the order of the readings."""
    filled = []
    for table in tables:
        rows = [
            replace(row, consistent=_titles(audit.of_row(table.id, number)))
            for number, row in enumerate(table.rows, start=1)
        ]
        filled.append(replace(table, rows=tuple(rows)))
    return tuple(filled)


def _titles(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(one.reading.title for one in findings if one.verdict is Verdict.CONSISTENT)

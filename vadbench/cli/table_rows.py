"""Rows of ``vadbench table``: which reports the arguments mean, what their rows are called, and what they cite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vadbench.cli.report_paths import REPORT, report_paths
from vadbench.evaluation.report import Report
from vadbench.submission.schema import read_metadata
from vadbench.submission.toml_text import LARGEST_TOML
from vadbench.submission.tree import METADATA
from vadbench.tables import BibtexEntry, NamedReport, bibtex_of, inert_text


@dataclass(frozen=True)
class TableRow:
    """A report to be shown.

    Parameters
    ----------
    path : Path
    report : Report
    name : str
        Of the row.
    method : mapping
        Table ``[method]`` of the metadata.
    entry : BibtexEntry
        What the row cites.
    """

    path: Path
    report: Report
    name: str
    method: Mapping[str, Any]
    entry: BibtexEntry

    @property
    def named(self) -> NamedReport:
        """As tables take it."""
        return NamedReport(self.name, self.report, self.entry.key)


def table_rows(arguments: Sequence[str]) -> list[TableRow]:
    """Read the reports that the arguments mean, each once, name their rows, and say what these cite.

    Raises
    ------
    UsageError
        U275 where there is no report; what `Report.read` raises.
    SubmissionError
        Of a ``submission.toml`` beside the report of an entry.
    """
    rows: list[TableRow] = []
    entries: dict[str, BibtexEntry] = {}
    given = dict.fromkeys((name, path) for argument in arguments for name, path in report_paths(argument))
    for name, path in given:
        report = Report.read(path)
        method = _method(path, report)
        # One method on several data sets is one work.
        work = repr([method.get(key) for key in ("bibtex", "name", "version", "authors", "year", "paper", "code")])
        if work not in entries:
            entries[work] = bibtex_of(method, taken=[entry.key for entry in entries.values()])
        rows.append(TableRow(path, report, name or str(method.get("name") or path.stem), method, entries[work]))
    return _told_apart(rows)


def _method(path: Path, report: Report) -> Mapping[str, Any]:
    """The method as the entry's ``submission.toml`` has it, else as the report has."""
    metadata = path.parent / METADATA
    if path.name == REPORT and metadata.is_file():
        with metadata.open("rb") as file:
            data = file.read(LARGEST_TOML + 1)
        return read_metadata(data, str(metadata)).method.model_dump(mode="json", exclude_none=True)
    method: Mapping[str, Any] = report.submission.get("method", {})
    return method


def _told_apart(rows: list[TableRow]) -> list[TableRow]:
    """Rows with the same name under one signature get their versions, or the names of their files, behind it."""
    for more in (_version, _file):
        shown = Counter(_shown(row) for row in rows)
        rows = [
            replace(row, name=f"{inert_text(row.name)} ({more(row)})") if shown[_shown(row)] > 1 and more(row) else row
            for row in rows
        ]
    return rows


def _version(row: TableRow) -> str:
    return str(row.method.get("version") or "")


def _file(row: TableRow) -> str:
    return row.path.name.split(".")[0]


def _shown(row: TableRow) -> tuple[str, str]:
    return row.report.signature.rsplit("|v=", 1)[0], inert_text(row.name)

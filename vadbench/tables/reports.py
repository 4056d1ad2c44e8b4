"""Tables of reports: blocks of one signature each, rows of methods or of clips.

Source: protocols.md, "Signature" and "Names and printing".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vadbench.errors import UsageError, did_you_mean, quoted
from vadbench.protocol.titles import DECLARED, METRICS, metric_titles
from vadbench.tables.content import Block, Cell, Column, Direction, Row, TableContent
from vadbench.tables.score_table import NOT_AVAILABLE

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report, Score
    from vadbench.protocol.signature import Signature

TABLE_METRICS = (*METRICS[: METRICS.index("pixel_f1") + 1], DECLARED, *METRICS[METRICS.index("pixel_f1") + 1 :])
"""Keys of the metrics that a table may have, in the order of tables."""

MOST_DIGITS = 6
_MACRO = "frame_auroc_macro"


@dataclass(frozen=True)
class NamedReport:
    """A report as a row of a table.

    Parameters
    ----------
    name : str
        What the row is called, any text.
    report : Report
    cite : str or None
        BibTeX key of the method, see `bibtex_of`.
    """

    name: str
    report: Report
    cite: str | None = None


Reports = Mapping[str, "Report"] | Iterable[NamedReport]
"""Reports by name, or rows where one name comes more than once, as of a method on several data sets."""


def score_content(
    reports: Reports,
    *,
    metrics: str | Sequence[str] = "all",
    digits: int = 2,
    sort: str | None = None,
    caption: str = "",
    label: str = "",
) -> TableContent:
    """Table of reports, one row each, in blocks of one signature.

    Parameters
    ----------
    reports : mapping from name to Report, or iterable of NamedReport
    metrics : str or sequence of str
        ``all``, one key, or several in the order of the columns.
    digits : int
        Decimals of the values in per cent, 0 to 6.
    sort : str, optional
        Key of a metric: rows of a block with its highest value first. Else they stay in the order given.
    caption, label : str

    Returns
    -------
    TableContent
        A metric that has another title under another protocol (Pixel-AUPRO, PR-AUC) has a column for each.

    Raises
    ------
    UsageError
        U273 for an unknown metric, U278 for decimals out of range.
    """
    keys = _keys(metrics)
    if sort is not None and sort not in TABLE_METRICS:
        raise _no_metric(sort)
    _check_digits(digits)
    groups = _by_signature(_rows(reports))
    columns = _columns(groups, keys)
    titles = _block_titles([signature for signature, _ in groups])
    blocks = []
    for (signature, members), title in zip(groups, titles, strict=True):
        named = metric_titles(signature.protocol)
        ordered = sorted(members, key=lambda row: _sort_value(row, sort)) if sort else members
        rows = tuple(_row(row.name, row.cite, row.report.scores, columns, named, digits) for row in ordered)
        notes = tuple(_absences(members, [key for key in named if key in keys], named))
        blocks.append(Block(rows, title, _signature_text(members), notes))
    return TableContent((Column("method", "Method"), *columns), tuple(blocks), (), caption, label)


def clip_content(
    reports: Reports,
    *,
    metrics: str | Sequence[str] = "all",
    digits: int = 2,
    caption: str = "",
    label: str = "",
) -> TableContent:
    """Table of clips, one row each and all of them at the end, in blocks of one report.

    Nothing is ranked: that one clip is harder than another says nothing of a method. The macro mean is left out, which
    of one clip is the same as micro. Parameters and errors are those of `score_content`.
    """
    keys = tuple(key for key in _keys(metrics) if key != _MACRO)
    _check_digits(digits)
    members = _rows(reports)
    columns = _columns([(row.report.parsed_signature, [row]) for row in members], keys)
    blocks = []
    for row in members:
        named = metric_titles(row.report.parsed_signature.protocol)
        rows = [_row(clip.id, None, clip.scores, columns, named, digits) for clip in row.report.clips]
        rows.append(_row("all clips", None, row.report.scores, columns, named, digits))
        title = row.name if len(members) > 1 else ""
        blocks.append(Block(tuple(rows), title, row.report.signature, ranked=False))
    return TableContent((Column("clip", "Clip"), *columns), tuple(blocks), (), caption, label)


def metric_column(key: str, title: str) -> Column:
    """Column of a metric, whose title in two lines of heads follows from it: AUROC under Pixel, micro under Frame."""
    group, head = "", title
    if key.startswith("pixel_"):
        group, head = "Pixel", title.removeprefix("Pixel-")
    elif key.startswith("frame_auroc_"):
        group, head = "Frame-AUROC", key.removeprefix("frame_auroc_")
    elif key in {"rbdc", "tbdc"}:
        group = "Object"
    return Column(key, title, Direction.HIGHER, numbers=True, group=group, head=head)


def value_cell(value: float | None, digits: int = 2) -> Cell:
    """Cell of a fraction, in per cent; a dash where there is none."""
    return Cell(NOT_AVAILABLE) if value is None else Cell(f"{100 * value:.{digits}f}", value)


def _rows(reports: Reports) -> list[NamedReport]:
    if isinstance(reports, Mapping):
        return [NamedReport(name, report) for name, report in reports.items()]
    return list(reports)


def _keys(metrics: str | Sequence[str]) -> tuple[str, ...]:
    if metrics == "all":
        return TABLE_METRICS
    keys = (metrics,) if isinstance(metrics, str) else tuple(dict.fromkeys(metrics))
    for key in keys:
        if key not in TABLE_METRICS:
            raise _no_metric(key)
    return keys


def _no_metric(key: str) -> UsageError:
    return UsageError("U273", f"tables have no metric {quoted(key)}", hint=did_you_mean(key, TABLE_METRICS))


def _check_digits(digits: int) -> None:
    if not 0 <= digits <= MOST_DIGITS:
        raise UsageError(
            "U278", "a table cannot have so many decimals", expected=f"0 to {MOST_DIGITS}", got=str(digits)
        )


def _by_signature(rows: Sequence[NamedReport]) -> list[tuple[Signature, list[NamedReport]]]:
    """Rows that may be ranked together, in the order in which each signature comes first."""
    groups: list[tuple[Signature, list[NamedReport]]] = []
    for row in rows:
        signature = row.report.parsed_signature
        for other, members in groups:
            if signature.comparable(other):
                members.append(row)
                break
        else:
            groups.append((signature, [row]))
    return groups


def _columns(groups: Sequence[tuple[Signature, list[NamedReport]]], keys: Sequence[str]) -> list[Column]:
    titled: dict[tuple[str, str], None] = {}
    for key in keys:
        for signature, members in groups:
            if any(key in row.report.scores for row in members):
                titled.setdefault((key, metric_titles(signature.protocol)[key]))
    return [metric_column(key, title) for key, title in titled]


def _row(
    name: str,
    cite: str | None,
    scores: Mapping[str, Score],
    columns: Sequence[Column],
    titles: Mapping[str, str],
    digits: int,
) -> Row:
    cells = [
        value_cell(scores[column.key].value, digits)
        if column.key in scores and titles[column.key] == column.title
        else Cell("")
        for column in columns
    ]
    return (Cell(name, cite=cite), *cells)


def _sort_value(row: NamedReport, sort: str) -> tuple[bool, float]:
    value = row.report.value(sort)
    return value is None, -(value or 0.0)


def _absences(rows: Sequence[NamedReport], keys: Sequence[str], titles: Mapping[str, str]) -> list[str]:
    """Why values are not there, each reason once."""
    by_reason: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        for key in keys:
            score = row.report.scores.get(key)
            if score is not None and score.value is None and score.reason:
                by_reason.setdefault(score.reason, {}).setdefault(titles[key], []).append(row.name)
    notes = []
    for reason, by_title in by_reason.items():
        names = list(dict.fromkeys(name for members in by_title.values() for name in members))
        of = "" if len(names) == len(rows) else f" of {', '.join(names)}"
        notes.append(f"{NOT_AVAILABLE} {', '.join(by_title)}{of}: not available, because {reason}")
    return notes


def _signature_text(rows: Sequence[NamedReport]) -> str:
    """The signature that all share; without the program's version where they do not share that."""
    lines = list(dict.fromkeys(row.report.signature for row in rows))
    return lines[0] if len(lines) == 1 else lines[0].rsplit("|v=", 1)[0]


def _block_titles(signatures: Sequence[Signature]) -> list[str]:
    """Data set of each block, with as much of the rest as tells them apart; empty for one block."""
    if len(signatures) == 1:
        return [""]
    if len({own.protocol for own in signatures}) == 1:
        titles = [dataset_title(own.dataset) for own in signatures]
        if len(set(titles)) == len(titles):
            return titles
    forms = [
        [f"{dataset_title(own.dataset)}, {own.protocol}" for own in signatures],
        [f"{dataset_title(own.dataset)}, {own.protocol}, tracks {own.tracks}" for own in signatures],
    ]
    for titles in forms:
        if len(set(titles)) == len(titles):
            return titles
    return [
        f"{title}, data {own.data_fingerprint}, definitions {own.definitions}"
        for title, own in zip(forms[-1], signatures, strict=True)
    ]


def dataset_title(dataset: str) -> str:
    """Title of a known data set; of another one its id."""
    from vadbench.datasets.facts import load_facts
    from vadbench.datasets.registry import known_datasets

    return load_facts(dataset).title if dataset in known_datasets() else dataset

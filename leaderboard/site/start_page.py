"""The start page: one ranking per data set and signature, and outside all rankings the rows that papers print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leaderboard.board import Board, Estimate, PublishedTable, RankedRow, Ranking, Row
from leaderboard.site.addresses import method_page, ranking_name, table_file
from leaderboard.site.audit_view import ShortAudit, short_audits
from leaderboard.site.drawing import interval_picture
from leaderboard.site.environment import percent, render
from leaderboard.site.history_text import Words, line_words
from leaderboard.site.metric_words import column_words, metric_words
from leaderboard.site.strangers import clean, shortened, slug
from leaderboard.site.table_texts import TableTexts
from leaderboard.table_files import archive_content

if TYPE_CHECKING:
    from leaderboard.audit import Audit
    from vadbench import Report
    from vadbench.comparison import Interval


@dataclass(frozen=True)
class ValueCell:
    """One score in a ranking: text, the number that it is sorted by, its interval in words, whether it is the best."""

    text: str
    order: str
    interval: str
    reason: str
    best: bool


@dataclass(frozen=True)
class RowView:
    """One row of a ranking, ready to be printed."""

    name: str
    full_name: str
    version: str
    address: str
    status: str
    supervision: str
    rank: str
    order: int
    cells: tuple[ValueCell, ...]
    picture: str


@dataclass(frozen=True)
class RankingView:
    """A ranking, ready to be printed."""

    name: str
    ranking: Ranking
    dataset_title: str
    columns: tuple[tuple[str, str, str], ...]
    """Key, title and meaning of each metric."""
    rows: tuple[RowView, ...]
    supervisions: tuple[str, ...]
    statuses: tuple[str, ...]
    span: tuple[float, float] | None
    """Ends of the axis that intervals are drawn on; None where there is none."""
    words: dict[str, str]
    """What the columns beside the scores mean."""
    texts: TableTexts


@dataclass(frozen=True)
class ArchiveView:
    """The rows of older definitions, ready to be printed."""

    titles: tuple[str, ...]
    """Of the metrics that any of them has, as their protocols call them."""
    rows: tuple[tuple[str, str, str, Row, tuple[str, ...]], ...]
    """Name, address and data set of each row, the row, and its old scores in the order of the titles."""
    texts: TableTexts


@dataclass(frozen=True)
class PublishedView:
    """A paper's table, ready to be printed."""

    name: str
    table: PublishedTable
    dataset_title: str
    short: str
    caption: str
    protocol: tuple[Words, ...]
    variants: tuple[str, ...]
    settings: bool
    audits: tuple[ShortAudit, ...]
    """What the audit says of each row; empty where there is none."""
    texts: TableTexts


def dataset_title(dataset: str) -> str:
    """Title of a data set; its id where nothing is known of it."""
    from vadbench.datasets import known_datasets, load_facts

    return load_facts(dataset).title if dataset in known_datasets() else shortened(dataset)


def interval_text(found: Interval | None) -> str:
    """An interval in per cent, such as ``71.20–83.10``; nothing where there is none."""
    return "" if found is None else f"{percent(found.low)}–{percent(found.high)}"


def rank_text(ranks: tuple[int, int] | None) -> str:
    """A range of ranks: ``2–5``, or ``2`` where it is one."""
    if ranks is None:
        return "–"
    return str(ranks[0]) if ranks[0] == ranks[1] else f"{ranks[0]}–{ranks[1]}"


def method_name(row: Row) -> str:
    """Name of a row's method fit for one cell; that of its folder where it shows nothing."""
    return shortened(row.name) or slug(row.method)


def ranking_view(ranking: Ranking, texts: TableTexts) -> RankingView:
    """Everything that is printed of a ranking."""
    best = {key: _best(ranking, key) for key in ranking.titles}
    # What decides the order stands first: on a phone the others are out of sight.
    order = sorted(ranking.titles, key=lambda key: key != ranking.sorted_by)
    report = ranking.rows[0].row.report
    span = _span(ranking)
    rows = tuple(_row_view(ranking, ranked, index, order, best, span) for index, ranked in enumerate(ranking.rows))
    estimates = [estimate for ranked in ranking.rows for estimate in ranked.estimates.values()]
    return RankingView(
        ranking_name(ranking),
        ranking,
        dataset_title(ranking.dataset),
        tuple((key, ranking.titles[key], metric_words(key, ranking.titles[key], report)) for key in order),
        rows,
        tuple(sorted({row.supervision for row in rows})),
        tuple(sorted({row.status for row in rows})),
        span,
        column_words(
            ranking.titles.get(ranking.sorted_by, ""), scenes=any(own.scenes is not None for own in estimates)
        ),
        texts,
    )


def _best(ranking: Ranking, key: str) -> str | None:
    """The best printed value of a column: whoever prints the same shares the place."""
    values = [value for ranked in ranking.rows if (value := ranked.row.report.value(key)) is not None]
    return percent(max(values)) if len(values) > 1 else None


def _span(ranking: Ranking) -> tuple[float, float] | None:
    """Ends of the axis of the intervals' pictures, on whole tens of per cent."""
    intervals = [
        found
        for ranked in ranking.rows
        if (found := ranked.estimates.get(ranking.sorted_by, Estimate()).wider) is not None
    ]
    if not intervals:
        return None
    low, high = min(found.low for found in intervals), max(found.high for found in intervals)
    return math.floor(low * 10 + 1e-9) / 10, math.ceil(high * 10 - 1e-9) / 10


def _row_view(
    ranking: Ranking,
    ranked: RankedRow,
    index: int,
    order: list[str],
    best: dict[str, str | None],
    span: tuple[float, float] | None,
) -> RowView:
    row = ranked.row
    main = ranked.estimates.get(ranking.sorted_by, Estimate())
    value = row.report.value(ranking.sorted_by)
    drawn = ""
    if span is not None and main.wider is not None and value is not None:
        drawn = interval_picture(main.wider.low, main.wider.high, value, span)
    return RowView(
        method_name(row),
        row.name,
        shortened(row.version, 24),
        method_page(row),
        str(row.status),
        shortened(row.supervision, 40),
        rank_text(main.ranks),
        index,
        tuple(_cell(row.report, ranked, key, best[key]) for key in order),
        drawn,
    )


def _cell(report: Report, ranked: RankedRow, key: str, best: str | None) -> ValueCell:
    value = report.value(key)
    text = percent(value)
    if value is None:
        score = report.scores.get(key)
        reason = "not part of the report" if score is None else score.reason or "not available"
        # Empty: the script puts it last, whichever way a column is sorted.
        return ValueCell(text, "", "", shortened(reason, 200), False)
    found = ranked.estimates.get(key, Estimate()).wider
    return ValueCell(text, f"{value:.9f}", interval_text(found), "", text == best)


def archive_view(rows: Sequence[Row], texts: TableTexts) -> ArchiveView:
    """Rows of older definitions with their old scores."""
    content = archive_content(rows)
    by_key = {row.key: row for row in rows}
    first = 1 + [column.key for column in content.columns].index("status")
    listed = [(by_key[cells[1].text], cells[first:]) for cells in content.rows]
    return ArchiveView(
        tuple(column.title for column in content.columns[first:]),
        tuple(
            (method_name(row), method_page(row), dataset_title(row.dataset), row, tuple(cell.text for cell in scores))
            for row, scores in listed
        ),
        texts,
    )


def published_view(table: PublishedTable, texts: TableTexts, audit: Audit | None = None) -> PublishedView:
    """Everything that is printed of a paper's table."""
    variants = tuple(dict.fromkeys(key for row in table.rows for key in row.variant))
    return PublishedView(
        slug(table.id),
        table,
        dataset_title(table.dataset),
        shortened(f"{table.place}, reported" if table.place else table.paper),
        clean(table.caption).rstrip(". ") + ".",
        line_words(" ".join(clean(table.protocol, lines=True).split())),
        variants,
        any(row.setting for row in table.rows),
        short_audits(audit, table),
        texts,
    )


def start_page(
    board: Board, rankings: list[RankingView], published: list[PublishedView], archive: ArchiveView | None
) -> str:
    """The start page's text."""
    content: dict[str, Any] = {
        "rankings": rankings,
        "published": published,
        "archive": archive,
        "withdrawn": board.withdrawn,
        "dataset_title": dataset_title,
        "table_file": table_file,
    }
    return render("start.html.j2", "index.html", content)

"""The board as tables: one of each ranking and of each table of a paper, as Markdown, CSV and LaTeX.

Source: docs/leaderboard.md, "Files"; docs/tables.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from leaderboard.board import Board, Estimate, RankedRow, Ranking, Row
from leaderboard.published_rows import published_content, published_figures
from leaderboard.rankings import SignatureParts
from vadbench import Protocol
from vadbench.errors import VadbenchError
from vadbench.tables import (
    DECLARED,
    NOT_AVAILABLE,
    BibtexEntry,
    Block,
    Cell,
    Column,
    TableContent,
    bibtex_of,
    dataset_title,
    metric_column,
    metric_titles,
    percent,
    to_csv,
    to_latex,
    to_markdown,
)

_ONE_COLUMN = 4
"""Columns of a table of a paper that fit into one of its two columns."""


def table_files(board: Board) -> dict[str, bytes]:
    """Every table by the name of its file; the same bytes for the same board."""
    files: dict[str, str] = {}
    for ranking in board.rankings:
        files[f"{ranking.id}.md"] = to_markdown(ranking_content(ranking))
        files[f"{ranking.id}.csv"] = to_csv(ranking_figures(ranking))
        files[f"{ranking.id}.tex"] = to_latex(ranking_for_papers(ranking), both_columns=True)
    for table in board.published:
        content = published_content(table)
        files[f"{table.id}.md"] = to_markdown(content)
        files[f"{table.id}.csv"] = to_csv(published_figures(table))
        wide = len(content.columns) > _ONE_COLUMN
        files[f"{table.id}.tex"] = to_latex(content, both_columns=wide)
    if board.archive:
        content = archive_content(board.archive)
        files["archive.md"] = to_markdown(content)
        files["archive.csv"] = to_csv(content)
    return {name: text.encode() for name, text in sorted(files.items())}


def ranking_content(ranking: Ranking) -> TableContent:
    """A ranking for readers: scores, and the interval and the ranks of the metric that it is sorted by."""
    title = ranking.titles.get(ranking.sorted_by, "")
    columns = (
        Column("method", "Method"),
        Column("supervision", "Supervision"),
        Column("status", "Status"),
        *_metric_columns(ranking.titles),
        Column("interval", f"95 % interval of {title}", numbers=True),
        Column("ranks", f"Ranks by {title}", numbers=True),
    )
    # Rows of which nothing is known widen the ranges of others: said where the range stands.
    anywhere = ranking.anywhere(ranking.sorted_by)
    rows = []
    for ranked in ranking.rows:
        estimate = ranked.estimates.get(ranking.sorted_by, Estimate())
        known = estimate.wider
        interval = f"{percent(known.low)} to {percent(known.high)}" if known is not None else NOT_AVAILABLE
        ranks = estimate.ranks
        words = (
            NOT_AVAILABLE if ranks is None else f"{ranks[0]} to {ranks[1]}" if ranks[0] != ranks[1] else str(ranks[0])
        )
        if ranks is not None and anywhere:
            words = f"{words} ({anywhere} without a range)"
        rows.append((*_description(ranked), *_scores(ranking.titles, ranked), Cell(interval), Cell(words)))
    return TableContent(columns, (Block(tuple(rows), signature=ranking.signature),), _notes(ranking), _caption(ranking))


def ranking_figures(ranking: Ranking) -> TableContent:
    """A ranking for spreadsheets and programs: every interval and rank in a column of its own."""
    columns = [
        *(Column(key, title) for key, title in (("method", "Method"), ("version", "Version"), ("entry", "Entry"))),
        Column("supervision", "Supervision"),
        Column("status", "Status"),
        *_metric_columns(ranking.titles),
    ]
    for key, title in ranking.titles.items():
        columns += [
            Column(f"{key}:{name}", f"{title}: {name}", numbers=True)
            for name in ("low", "high", "low by scenes", "high by scenes", "best rank", "worst rank")
        ]
    rows = []
    for ranked in ranking.rows:
        row = ranked.row
        cells = [Cell(row.name), Cell(row.version), Cell(row.key), Cell(row.supervision), Cell(str(row.status))]
        cells += _scores(ranking.titles, ranked)
        for key in ranking.titles:
            estimate = ranked.estimates.get(key, Estimate())
            for interval in (estimate.clips, estimate.scenes):
                bounds = (interval.low, interval.high) if interval is not None else (None, None)
                cells += [Cell(percent(bound)) for bound in bounds]
            cells += [Cell(str(rank)) for rank in estimate.ranks or (NOT_AVAILABLE, NOT_AVAILABLE)]
        rows.append(tuple(cells))
    return TableContent(tuple(columns), (Block(tuple(rows), signature=ranking.signature),))


def ranking_for_papers(ranking: Ranking) -> TableContent:
    """A ranking as papers print one: methods and scores, as wide as a page.

    Versions stand only where two rows have one name, and the F1 at a declared threshold only where at least half of
    the rows have it: a note says where it was left out.
    """
    titles = dict(ranking.titles)
    declared = sum(ranked.row.report.value(DECLARED) is not None for ranked in ranking.rows)
    notes = []
    if DECLARED in titles and 2 * declared < len(ranking.rows):
        title = titles.pop(DECLARED)
        if declared:
            notes = [f"Left out: {title}, which {declared} of {len(ranking.rows)} rows have."]
    names = Counter(ranked.row.name for ranked in ranking.rows)
    columns = (Column("method", "Method"), Column("supervision", "Training"), *_metric_columns(titles))
    keys = {method: entry.key for method, entry in ranking_bibliography(ranking).items()}
    rows = tuple(
        (
            replace(_name(ranked.row, version=names[ranked.row.name] > 1), cite=keys[ranked.row.method]),
            Cell(ranked.row.supervision),
            *_scores(titles, ranked),
        )
        for ranked in ranking.rows
    )
    block = Block(rows, signature=ranking.signature)
    return TableContent(columns, (block,), tuple(notes), _caption(ranking), f"tab:{ranking.id}")


def ranking_bibliography(ranking: Ranking) -> dict[str, BibtexEntry]:
    """The entry of each row's method, made of its metadata where it gives none; rows that give one key share it."""
    entries: dict[str, BibtexEntry] = {}
    by_key: dict[str, BibtexEntry] = {}
    for ranked in sorted(ranking.rows, key=lambda own: (own.row.citation is None, own.row.method)):
        row = ranked.row
        key = None if row.citation is None else row.citation.key
        entry = by_key.get(key or "") or bibtex_of(row.metadata, key=key, taken=list(by_key))
        by_key[entry.key] = entries[row.method] = entry
    return entries


def archive_content(rows: Sequence[Row]) -> TableContent:
    """Rows of older definitions with the scores that they had, a block for each signature: none beside another."""
    by_signature: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda own: (own.dataset, own.report.signature, own.key)):
        by_signature.setdefault(row.report.signature, []).append(row)
    titles = {signature: _old_titles(own) for signature, own in by_signature.items()}
    shown = list(dict.fromkeys(pair for own in titles.values() for pair in own.items()))
    columns = (
        *(Column(key, key.capitalize()) for key in ("method", "entry", "status")),
        *(metric_column(key, title) for key, title in shown),
    )
    blocks = []
    for signature, own in by_signature.items():
        # A column whose title is that of another protocol stays empty: it is not the same metric.
        here = [(key, titles[signature].get(key) == title) for key, title in shown]
        cells = [
            (
                _name(row),
                Cell(row.key),
                Cell(str(row.status)),
                *(
                    Cell(percent(row.report.value(key)), row.report.value(key)) if is_of else Cell("")
                    for key, is_of in here
                ),
            )
            for row in own
        ]
        blocks.append(Block(tuple(cells), dataset_title(own[0].dataset), signature=signature))
    note = "Old scores, by definitions that are no longer those of any ranking: they are comparable with no other."
    return TableContent(columns, tuple(blocks), (note,), "Archive; per cent, higher is better.")


def _old_titles(rows: Sequence[Row]) -> dict[str, str]:
    """Titles of the metrics that rows of one old signature have a value of."""
    try:
        protocol = Protocol.parse(SignatureParts.of(rows[0].report.signature).protocol)
    except VadbenchError:
        # Of which today's program knows nothing.
        protocol = Protocol.preset("standard")
    titles = metric_titles(protocol)
    return {key: title for key, title in titles.items() if any(row.report.value(key) is not None for row in rows)}


def _metric_columns(titles: Mapping[str, str]) -> Iterator[Column]:
    for key, title in titles.items():
        yield metric_column(key, title)


def _description(ranked: RankedRow) -> tuple[Cell, ...]:
    return _name(ranked.row), Cell(ranked.row.supervision), Cell(str(ranked.row.status))


def _name(row: Row, *, version: bool = True) -> Cell:
    text = f"{row.name} {row.version}" if version and row.version else row.name
    return Cell(text, cite=row.citation.key if row.citation is not None else None)


def _scores(titles: Iterable[str], ranked: RankedRow) -> list[Cell]:
    values = [ranked.row.report.value(metric) for metric in titles]
    return [Cell(percent(value), value) for value in values]


def _caption(ranking: Ranking) -> str:
    title = ranking.titles.get(ranking.sorted_by, "")
    order = f", in the order of {title}" if title else ""
    return f"{dataset_title(ranking.dataset)}, protocol {ranking.protocol}{order}; per cent, higher is better."


def _notes(ranking: Ranking) -> tuple[str, ...]:
    scenes = any(own.scenes is not None for ranked in ranking.rows for own in ranked.estimates.values())
    which = ("Intervals in the table are the wider ones of those by clips and by scenes.",) if scenes else ()
    return (*which, *ranking.remarks)

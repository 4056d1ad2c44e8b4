"""Rows as papers print them: read with care, and laid out as the paper's own table.

One TOML file a table; every cell is a string, as printed. Nothing here is ranked, computed or rounded.
Source: protocols.md, "Signature" (published rows) and "Names and printing"; docs/leaderboard.md, "Files".
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from leaderboard.board import Citation, PublishedRow, PublishedTable
from leaderboard.choices import Status
from leaderboard.errors import LeaderboardError
from leaderboard.references import REFERENCES, file_text, read_references
from vadbench import known_datasets
from vadbench.errors import did_you_mean, printable, quoted
from vadbench.tables import METRICS, Cell, Column, TableContent, metric_column

SETTINGS = ("zero-shot", "fully fine-tuned", "fully trained", "partially fine-tuned")
"""How a paper says that a method was trained."""

_TABLE_TEXTS = ("id", "paper", "place", "source", "caption", "dataset", "status", "protocol")
_TABLE_KEYS = frozenset({*_TABLE_TEXTS, "columns", "rows"})
_ROW_KEYS = frozenset({"method", "setting", "variant", "cite", "protocol", "cells"})
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NUMBER = re.compile(r"(100|[0-9]{1,2})(\.[0-9]{1,6})?")
_LONGEST = 2000


def read_published(folder: Path) -> tuple[tuple[PublishedTable, ...], Mapping[str, Citation]]:
    """Read all tables of papers, in order of the files' names, and the works they cite.

    Parameters
    ----------
    folder : Path
        With ``references.bib`` and one ``TABLE-ID.toml`` a table.

    Returns
    -------
    tables : tuple of PublishedTable
        `consistent` of the rows is empty: `leaderboard.audit.with_consistency` fills it.
    citations : mapping from BibTeX key to Citation

    Raises
    ------
    LeaderboardError
        L140 for a file that cannot be read or is no TOML, L141 for an unknown, missing or wrong key, L142 for a
        cell that is no number as papers print them, L143 for a citation that is not among the references, L144 for
        wrong references, L145 for a row that comes twice.
    """
    citations = read_references(folder / REFERENCES)
    return tuple(_read_table(path, citations) for path in sorted(folder.glob("*.toml"))), citations


def _read_table(path: Path, citations: Mapping[str, Citation]) -> PublishedTable:
    text = file_text(path, "L140", "a table of a paper cannot be read")
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise LeaderboardError(
            "L140", "a table of a paper is no TOML", where=str(path), got=str(error)[:200]
        ) from error
    _check_keys(table, _TABLE_KEYS, _TABLE_KEYS, (str(path),))
    texts = {key: _text(table, key, (str(path),)) for key in _TABLE_TEXTS}
    if texts["id"] != path.stem or not _NAME.fullmatch(texts["id"]):
        raise _wrong_key(path, "id", "the name of the file, of lower-case words and hyphens", texts["id"])
    if texts["dataset"] not in known_datasets():
        raise _wrong_key(path, "dataset", "a data set of this benchmark", texts["dataset"], known_datasets())
    if texts["status"] != Status.REPORTED:
        raise _wrong_key(path, "status", '"reported": nobody here has computed the numbers', texts["status"])
    columns = _columns(table["columns"], path)
    source = _cited(texts["source"], citations, (str(path), "source"))
    rows = _rows(table["rows"], columns, citations, path)
    return PublishedTable(
        id=texts["id"],
        paper=texts["paper"],
        caption=texts["caption"],
        dataset=texts["dataset"],
        columns=columns,
        protocol=" ".join(texts["protocol"].split()),
        rows=rows,
        source=source,
        place=texts["place"],
    )


def _columns(given: object, path: Path) -> Mapping[str, str]:
    where = (str(path), "columns")
    if not isinstance(given, dict) or not given:
        raise LeaderboardError(
            "L141", "a table has no columns", where=where, expected="metric = title", got=quoted(given)
        )
    _check_keys(given, frozenset(METRICS), frozenset(), where)
    return {key: _text(given, key, where) for key in given}


def _rows(
    given: object, columns: Mapping[str, str], citations: Mapping[str, Citation], path: Path
) -> tuple[PublishedRow, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(row, dict) for row in given):
        raise _wrong_key(path, "rows", "tables [[rows]], at least one", type(given).__name__)
    rows: list[PublishedRow] = []
    for number, row in enumerate(given, start=1):
        where = (str(path), f"row {number}")
        _check_keys(row, _ROW_KEYS, _ROW_KEYS - {"setting", "variant"}, where)
        setting = _text(row, "setting", where) if "setting" in row else None
        if setting is not None and setting not in SETTINGS:
            raise _wrong_key(path, "setting", ", ".join(SETTINGS), setting, SETTINGS, where)
        cite = _text(row, "cite", where)
        _cited(cite, citations, where)
        own = PublishedRow(
            method=_text(row, "method", where),
            setting=setting,
            variant=_texts(row.get("variant", {}), "variant", where),
            cells=_cells(row["cells"], columns, where),
            cite=cite,
            protocol=_text(row, "protocol", where),
        )
        for before, other in enumerate(rows, start=1):
            if (own.method, own.setting, own.variant) == (other.method, other.setting, other.variant):
                raise LeaderboardError(
                    "L145",
                    "a row of a table of a paper comes twice",
                    where=where,
                    expected="rows that differ in method, setting or variant",
                    got=f"{quoted(row_label(own))} is row {before} too",
                )
        rows.append(own)
    if any(row.variant.keys() != rows[0].variant.keys() for row in rows):
        raise _wrong_key(path, "variant", "the same names in every row of a table", "other names in some rows")
    return tuple(rows)


def _cells(given: object, columns: Mapping[str, str], where: tuple[str, ...]) -> Mapping[str, str]:
    cells = _texts(given, "cells", where)
    _check_keys(cells, frozenset(columns), frozenset(), (*where, "cells"))
    for key, text in cells.items():
        if not _NUMBER.fullmatch(text) or float(text) > 100:
            raise LeaderboardError(
                "L142",
                "a cell of a table of a paper is no number as papers print them",
                where=(*where, key),
                expected='a number of per cent as the paper prints it, such as "51.20"',
                got=quoted(text),
                hint="leave out cells that the paper does not print",
            )
    if not cells:
        raise LeaderboardError("L142", "a row of a table of a paper has no cell", where=where, expected="at least one")
    return {key: cells[key] for key in columns if key in cells}


def _texts(given: object, name: str, where: tuple[str, ...]) -> Mapping[str, str]:
    if not isinstance(given, dict):
        raise LeaderboardError(
            "L141", f"{name} is no table", where=where, expected="name = text", got=type(given).__name__
        )
    for key in given:
        _check_shown(key, key, (*where, name))
    return {key: _text(given, key, (*where, name)) for key in given}


def _text(table: Mapping[str, Any], key: str, where: tuple[str, ...]) -> str:
    """A text that is not empty; a number without quotes would lose its trailing zeros, so it is refused."""
    value = table[key]
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        raise LeaderboardError(
            "L142" if where[-1] == "cells" else "L141",
            f"{quoted(key)} is no text",
            where=where,
            expected=f"a text in quotes, of 1 to {_LONGEST} characters",
            got=quoted(value),
        )
    _check_shown(value, key, where)
    return value


def _check_shown(text: str, key: str, where: tuple[str, ...]) -> None:
    """Refuse what shows nothing or turns the direction of reading: escapes of TOML can write it."""
    shown = text.replace("\n", " ")
    if printable(shown) != shown:
        raise LeaderboardError(
            "L141",
            f"{quoted(key)} holds a character that does not show",
            where=where,
            expected="characters that show",
            got=quoted(text),
        )


def _check_keys(
    table: Mapping[str, Any], known: frozenset[str], needed: frozenset[str], where: tuple[str, ...]
) -> None:
    for key in table:
        if key not in known:
            raise LeaderboardError("L141", f"unknown key {quoted(key)}", where=where, hint=did_you_mean(key, known))
    missing = sorted(needed - table.keys())
    if missing:
        raise LeaderboardError("L141", f"{', '.join(missing)} missing", where=where, expected=", ".join(sorted(needed)))


def _cited(key: str, citations: Mapping[str, Citation], where: tuple[str, ...]) -> Citation:
    if key not in citations:
        raise LeaderboardError(
            "L143",
            "a work that is cited is not among the references",
            where=where,
            expected=f"a key of {REFERENCES}",
            got=quoted(key),
            hint=did_you_mean(key, citations),
        )
    return citations[key]


def _wrong_key(
    path: Path,
    key: str,
    expected: str,
    got: str,
    known: tuple[str, ...] = (),
    where: tuple[str, ...] = (),
) -> LeaderboardError:
    return LeaderboardError(
        "L141",
        f"{quoted(key)} is wrong",
        where=where or (str(path),),
        expected=expected,
        got=quoted(got),
        hint=did_you_mean(got, known) if known else "",
    )


def row_label(row: PublishedRow) -> str:
    """Name of a row within its table, such as ``AdaCLIP (zero-shot)``."""
    parts = [row.setting] if row.setting else []
    parts += [f"{name}: {value}" for name, value in row.variant.items()]
    return f"{row.method} ({', '.join(parts)})" if parts else row.method


def published_content(table: PublishedTable) -> TableContent:
    """The table as a paper prints it: its order, its rounding, every cell a text.

    Parameters
    ----------
    table : PublishedTable

    Returns
    -------
    TableContent
        Columns: method, setting if any row has one, what tells variants apart, the metrics. A cell that the paper
        does not print is empty. Best and second are those of the printed numbers, and a note says so; others say
        what is known of the protocol of the table and of its rows.
    """
    columns = [*_description_columns(table), *_metric_columns(table)]
    rows = [[*_description(row, table), *_numbers(row, table)] for row in table.rows]
    notes = (
        f"Reported: as printed in {table.paper}, {table.place}; nothing was scored here.",
        table.protocol,
        *_protocol_notes(table),
        "Best and second are those of the printed numbers, whatever protocols they follow.",
    )
    return TableContent.of_rows(columns, rows, notes=notes, caption=table.caption, label=f"tab:{table.id}")


def published_figures(table: PublishedTable) -> TableContent:
    """The same for spreadsheets and programs: status and protocol of each row in columns of their own, before numbers.

    Parameters
    ----------
    table : PublishedTable
    """
    known = [Column("status", "Status"), Column("protocol", "Protocol")]
    columns = [*_description_columns(table), *known, *_metric_columns(table)]
    rows = [
        [*_description(row, table), Cell(str(Status.REPORTED)), Cell(row.protocol), *_numbers(row, table)]
        for row in table.rows
    ]
    return TableContent.of_rows(columns, rows)


def _description_columns(table: PublishedTable) -> list[Column]:
    columns = [Column("method", "Method")]
    columns += [Column("setting", "Setting")] if any(row.setting for row in table.rows) else []
    return [*columns, *(Column(f"variant_{number}", name) for number, name in enumerate(table.rows[0].variant))]


def _metric_columns(table: PublishedTable) -> list[Column]:
    return [metric_column(key, title) for key, title in table.columns.items()]


def _description(row: PublishedRow, table: PublishedTable) -> list[Cell]:
    cells = [Cell(row.method, cite=row.cite)]
    cells += [Cell(row.setting or "")] if any(own.setting for own in table.rows) else []
    return [*cells, *(Cell(row.variant[name]) for name in table.rows[0].variant)]


def _numbers(row: PublishedRow, table: PublishedTable) -> list[Cell]:
    return [Cell(row.cells[key], float(row.cells[key])) if key in row.cells else Cell("") for key in table.columns]


def _protocol_notes(table: PublishedTable) -> Iterator[str]:
    """What is known of the protocol of each row, once for all rows of which the same is known."""
    methods: dict[str, list[str]] = {}
    several = {row.method for row in table.rows for other in table.rows if _is_other_protocol(row, other)}
    for row in table.rows:
        methods.setdefault(row.protocol, []).append(row_label(row) if row.method in several else row.method)
    for protocol, names in methods.items():
        whose = "every row" if len(methods) == 1 else ", ".join(dict.fromkeys(names))
        yield f"Protocol of {whose}: {protocol}."


def _is_other_protocol(row: PublishedRow, other: PublishedRow) -> bool:
    return row.method == other.method and row.protocol != other.protocol

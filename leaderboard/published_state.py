"""Rows of papers as the last build printed them, and what differs from that: a paper does not change.

Source: docs/leaderboard.md, "What fails".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.board import PublishedTable
from leaderboard.errors import LeaderboardError
from leaderboard.published_rows import row_label
from vadbench.errors import VadbenchError
from vadbench.tables import NOT_AVAILABLE, escape_markdown

_ABOUT = ("paper", "place", "caption", "dataset", "protocol", "source")
_LONGEST = 500


@dataclass(frozen=True)
class PublishedRowState:
    """One row as a paper prints it.

    Parameters
    ----------
    row : str
        Method, setting and variant.
    cite : str
        Empty without one.
    protocol : str
        What is known of it, in words.
    cells : mapping from metric to str
        As printed.
    """

    row: str
    cite: str
    protocol: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class PublishedState:
    """One table of a paper.

    Parameters
    ----------
    about : mapping from str to str
        Paper, place in it, caption, data set, protocol, source.
    columns : mapping from metric to title
    rows : mapping from name to PublishedRowState
        A name is the row's label in lower-case words and hyphens, such as ``adaclip-zero-shot``.
    """

    about: Mapping[str, str]
    columns: Mapping[str, str]
    rows: Mapping[str, PublishedRowState]

    def to_table(self) -> dict[str, Any]:
        """Fields by name, fit for JSON."""
        rows = {
            name: {"row": own.row, "cite": own.cite, "protocol": own.protocol, "cells": dict(own.cells)}
            for name, own in sorted(self.rows.items())
        }
        return {"about": dict(self.about), "columns": dict(self.columns), "rows": rows}

    @classmethod
    def of_table(cls, table: Mapping[str, Any]) -> PublishedState:
        """Read back what `to_table` gave; raises what Python raises for other content."""
        rows = {
            str(name): PublishedRowState(str(own["row"]), str(own["cite"]), str(own["protocol"]), _texts(own["cells"]))
            for name, own in table["rows"].items()
        }
        return cls(_texts({key: table["about"][key] for key in _ABOUT}), _texts(table["columns"]), rows)


def _texts(table: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in table.items()}


def published_states(tables: Sequence[PublishedTable]) -> dict[str, PublishedState]:
    """State of each table by its id."""
    return {table.id: _state(table) for table in tables}


def _state(table: PublishedTable) -> PublishedState:
    rows: dict[str, PublishedRowState] = {}
    for row in table.rows:
        label = row_label(row)
        rows[_name(label, rows)] = PublishedRowState(label, row.cite or "", row.protocol, dict(row.cells))
    about = {key: getattr(table, key) for key in _ABOUT[:-1]} | {"source": table.source.key}
    return PublishedState(about, dict(table.columns), rows)


def _name(label: str, taken: Mapping[str, object]) -> str:
    letters = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    name = "-".join(re.findall(r"[a-z0-9]+", letters)) or "row"
    endings = ("", *(f"-{number}" for number in range(2, len(taken) + 3)))
    return next(own for own in (f"{name}{ending}" for ending in endings) if own not in taken)


def published_changes(
    before: Mapping[str, PublishedState], now: Mapping[str, PublishedState]
) -> Iterator[tuple[str, str, tuple[VadbenchError, ...]]]:
    """Name, words for the history and problems of each table and row that is not as it was, in order of names.

    A table that is new or gone as a whole is one change, by its id; a row is called ``TABLE-ID/ROW``.
    """
    for table in sorted(before.keys() | now.keys()):
        if table not in before:
            yield table, f"new: {_rows_of(now[table])}", ()
        elif table not in now:
            yield table, f"gone: {_rows_of(before[table])}", (_gone(table),)
        elif before[table] != now[table]:
            yield from _changed_table(table, before[table], now[table])


def _rows_of(table: PublishedState) -> str:
    n = len(table.rows)
    words = f"{n} row{'' if n == 1 else 's'} as printed in {table.about['paper']}, {table.about['place']}"
    return escape_markdown(words, _LONGEST)


def _changed_table(
    key: str, before: PublishedState, now: PublishedState
) -> Iterator[tuple[str, str, tuple[VadbenchError, ...]]]:
    about = [name for name in _ABOUT if before.about[name] != now.about[name]]
    words = [f"another {'data set' if name == 'dataset' else name}" for name in about]
    words += ["other titles of columns"] if before.columns != now.columns else []
    if words:
        # Numbers of another data set are other numbers, though their digits stayed.
        moved = [f"data set {before.about['dataset']} → {now.about['dataset']}"]
        problems = (_other(key, moved),) if "dataset" in about else ()
        yield key, "; ".join(words), problems
    for name in sorted(before.rows.keys() | now.rows.keys()):
        row = f"{key}/{name}"
        if name not in before.rows:
            yield row, f"new: {_row_in_words(now, now.rows[name])}", ()
        elif name not in now.rows:
            yield row, f"gone: {_row_in_words(before, before.rows[name])}", (_gone(row),)
        elif before.rows[name] != now.rows[name]:
            yield row, *_changed_row(row, now.columns, before.rows[name], now.rows[name])


def _row_in_words(table: PublishedState, row: PublishedRowState) -> str:
    cells = ", ".join(f"{table.columns.get(metric, metric)} {text}" for metric, text in row.cells.items())
    return escape_markdown(f"{row.row}; {cells}", _LONGEST)


def _changed_row(
    key: str, titles: Mapping[str, str], before: PublishedRowState, now: PublishedRowState
) -> tuple[str, tuple[VadbenchError, ...]]:
    metrics = [*before.cells, *(metric for metric in now.cells if metric not in before.cells)]
    moved = [
        f"{titles.get(metric, metric)} {before.cells.get(metric, NOT_AVAILABLE)} → "
        f"{now.cells.get(metric, NOT_AVAILABLE)}"
        for metric in metrics
        if before.cells.get(metric) != now.cells.get(metric)
    ]
    words = [*moved, *(["another citation"] if before.cite != now.cite else [])]
    words += ["other words on its protocol"] if before.protocol != now.protocol else []
    words += [f"now written {now.row}"] if before.row != now.row else []
    return escape_markdown("; ".join(words), _LONGEST), (_other(key, moved),) if moved else ()


def _gone(key: str) -> LeaderboardError:
    return LeaderboardError(
        "L126",
        "a table of a paper, or a row of one, is gone",
        where=key,
        expected="every row that the last build had",
        hint=f"put back the file that was committed; if it is meant: --accept {key} --reason TEXT",
    )


def _other(key: str, moved: Sequence[str]) -> LeaderboardError:
    return LeaderboardError(
        "L127",
        "what a paper prints is not what it was in the last build",
        where=key,
        got="\n".join(moved),
        hint=f"look it up in the paper; if the last build had it wrong: --accept {key} --reason TEXT",
    )

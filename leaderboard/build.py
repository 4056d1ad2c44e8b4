"""The build: entries and published rows in, the board, its tables and its state out.

Source: docs/leaderboard.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as calendar_date
from pathlib import Path
from typing import Any

from leaderboard.audit import Audit, audited, with_consistency
from leaderboard.board import Board, Citation, Row, Withdrawn
from leaderboard.cache import BoardCache
from leaderboard.changes import Change, changes_of, check_accepted
from leaderboard.entries import Entry, EntryReport, Progress, read_entries
from leaderboard.errors import SeveralProblemsError
from leaderboard.estimates import StoredStatistics, all_estimates
from leaderboard.history import history_line, read_history, with_lines
from leaderboard.placement import Placement
from leaderboard.places import Places
from leaderboard.published_rows import read_published
from leaderboard.published_state import published_states
from leaderboard.rankings import make_rankings
from leaderboard.state import State, check_first, make_state
from leaderboard.table_files import table_files
from leaderboard.withdrawn import read_withdrawn, withdrawn_key, withdrawn_text
from vadbench.tables import bibtex_key


@dataclass(frozen=True)
class Build:
    """Everything that a build makes but the site.

    Parameters
    ----------
    board : Board
    audit : Audit
        Of the rows that papers print.
    changes : tuple of Change
        Rows that are not as in the last build.
    state : State
        What the next build is compared with.
    files : mapping from path to bytes
        Tables, state, history and withdrawn rows.
    removed : tuple of Path
        Tables of the last build that are there no more.
    """

    board: Board
    audit: Audit
    changes: tuple[Change, ...]
    state: State
    files: Mapping[Path, bytes]
    removed: tuple[Path, ...]

    def place(self, placement: Placement) -> None:
        """Write the files beside their places; `Placement.place` gives them their names."""
        placement.write(self.files)
        placement.remove(self.removed)


def make_board(
    repository: Path,
    *,
    accept: Collection[str] = (),
    reason: str = "",
    date: str | None = None,
    progress: Progress | None = None,
    cache: BoardCache | None = None,
    workers: int | None = None,
) -> Board:
    """The board of a repository; see `make_build`. Writes nothing but the cache."""
    build = make_build(
        repository, accept=accept, reason=reason, date=date, progress=progress, cache=cache, workers=workers
    )
    return build.board


def make_build(
    repository: Path,
    *,
    accept: Collection[str] = (),
    reason: str = "",
    date: str | None = None,
    progress: Progress | None = None,
    cache: BoardCache | None = None,
    workers: int | None = None,
) -> Build:
    """Read, check and rank everything, and compare it with the last build.

    Parameters
    ----------
    repository : Path
        Folder with ``submissions/`` and ``leaderboard/``.
    accept : collection of str
        Names of rows whose changes are meant.
    reason : str
        Why, for the history.
    date : str, optional
        Of the lines of history, ``2026-01-31``; today if absent. Without a change none is written.
    progress : callable, optional
    cache : BoardCache, optional
        ``leaderboard/.cache`` of the repository if absent.
    workers : int, optional
        Processes for reports that are new; as many as there are cores if absent.

    Raises
    ------
    SeveralProblemsError
        With every problem: of the entries; or, where these are right, of rows that changed and are not accepted.
    UsageError
        L104 for an accepted name that nothing has to be accepted of.
    """
    places = Places(repository)
    kept = BoardCache(places.cache) if cache is None else cache
    last = State.read(places.state)
    withdrawn = read_withdrawn(places.withdrawn)
    history = read_history(places.history)
    if last is None:
        check_first(places, history)
    tables_read, citations = read_published(places.published)
    found = audited(tables_read, kept)
    published = with_consistency(tables_read, found)
    entries = read_entries(places.submissions, kept, progress)
    rows, archive = _rows(entries)
    statistics = {
        key: own.statistics_sha256 for entry in entries for key, own in zip(entry.keys, entry.reports, strict=True)
    }
    state = replace(make_state(rows, archive, statistics, last), published=published_states(tables_read))
    other_clips = {key for entry in entries if entry.clips_differ for key in entry.keys}
    changes = changes_of(last, state, {withdrawn_key(own): own.date for own in withdrawn}, other_clips)
    problems = check_accepted(changes, accept)
    if problems:
        raise SeveralProblemsError(problems)
    day = date or calendar_date.today().isoformat()
    withdrawn = _withdrawn(withdrawn, changes, state, last, day, reason)
    lines = [history_line(day, change.key, change.words, reason if change.key in accept else "") for change in changes]
    history = with_lines(history, lines)
    rankings = make_rankings(rows, all_estimates(entries, kept, progress, workers=workers), kept, progress)
    board = Board(rankings, published, archive, withdrawn, history, citations)
    tables = table_files(board)
    state = replace(state, files=tuple(tables))
    files = {places.tables / name: content for name, content in tables.items()}
    files[places.history] = history.encode()
    if withdrawn or places.withdrawn.exists():
        files[places.withdrawn] = withdrawn_text(withdrawn).encode()
    files[places.state] = state.to_json().encode()
    gone = sorted(set(last.files if last is not None else ()) - tables.keys())
    # Names of files and nothing else, whatever somebody wrote into the state.
    removed = tuple(places.tables / name for name in gone if Path(name).name == name)
    return Build(board, found, changes, state, files, removed)


def _rows(entries: Sequence[Entry]) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Rows of the present definitions, and those of older ones."""
    rows: list[Row] = []
    archive: list[Row] = []
    for entry in entries:
        for own in entry.reports:
            (archive if own.outdated else rows).append(_row(entry, own))
    return tuple(rows), tuple(archive)


def _row(entry: Entry, own: EntryReport) -> Row:
    method = entry.metadata["method"]
    statistics = None if own.statistics is None or own.outdated else own.statistics
    return Row(
        method=entry.method,
        dataset=entry.dataset,
        name=method["name"],
        version=method.get("version", ""),
        status=entry.status,
        supervision=entry.metadata["training"]["supervision"],
        report=own.report,
        statistics=None if statistics is None else StoredStatistics(statistics, own.statistics_sha256),
        metadata=entry.metadata,
        folder=entry.folder,
        report_sha256=own.sha256,
        citation=_citation(entry.method, method),
        protocol=own.protocol,
    )


def _citation(name: str, method: Mapping[str, Any]) -> Citation | None:
    bibtex = method.get("bibtex")
    if bibtex is None:
        return None
    match = re.match(r"\s*@\s*\w+\s*\{\s*([^\s,{}]+)\s*,", bibtex)
    return Citation(bibtex_key(match[1] if match else name), bibtex)


def _withdrawn(
    before: Sequence[Withdrawn], changes: Sequence[Change], state: State, last: State | None, day: str, reason: str
) -> tuple[Withdrawn, ...]:
    """Withdrawn rows: those of before that did not come back, and the new ones."""
    found = [own for own in before if withdrawn_key(own) not in state.rows]
    for change in changes:
        if change.withdrawn and last is not None:
            method, dataset, *protocol = change.key.split("/", 2)
            name = last.rows[change.key].name
            found.append(Withdrawn(method, dataset, name, protocol[0] if protocol else "standard", day, reason))
    return tuple(sorted(found, key=lambda own: (own.date, withdrawn_key(own))))

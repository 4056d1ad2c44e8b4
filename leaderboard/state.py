"""What the last build showed, at full precision: ``tables/board.json``, which the next build is compared with.

Source: docs/leaderboard.md, "Files".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leaderboard.board import Row
from leaderboard.errors import LeaderboardError
from leaderboard.history import has_lines
from leaderboard.places import Places
from leaderboard.published_state import PublishedState
from leaderboard.rankings import SignatureParts
from vadbench.errors import quoted, shortened

FORMAT = "vadbench.board/1"
_TABLES = frozenset({".md", ".csv", ".tex"})


@dataclass(frozen=True)
class RowState:
    """One row of a build.

    Parameters
    ----------
    name, version : str
        As the method calls itself.
    signature : str
        Without the program's version.
    status, supervision : str
    report_sha256, statistics_sha256 : str
        Empty without statistics.
    scores : mapping from metric to value
        At full precision; metrics without a value are absent.
    missing : tuple of str
        Ids of clips that other rows on the same truth have.
    archived : bool
    """

    name: str
    version: str
    signature: str
    status: str
    supervision: str
    report_sha256: str
    statistics_sha256: str
    scores: Mapping[str, float]
    missing: tuple[str, ...] = ()
    archived: bool = False

    def to_table(self) -> dict[str, Any]:
        """Fields by name, fit for JSON."""
        return {**vars(self), "scores": dict(self.scores), "missing": list(self.missing)}


@dataclass(frozen=True)
class State:
    """All rows of a build.

    Parameters
    ----------
    rows : mapping from key to RowState
    clips : mapping from data set and fingerprint to clip ids
        Such as ``ucsd-ped2:57a42e14``: the clips that rows on that truth have.
    files : tuple of str
        Names of the tables that were written.
    published : mapping from id to PublishedState
        Tables of papers.
    """

    rows: Mapping[str, RowState] = field(default_factory=dict)
    clips: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    published: Mapping[str, PublishedState] = field(default_factory=dict)

    def to_json(self) -> str:
        """JSON text; the same bytes for the same rows."""
        content = {
            "format": FORMAT,
            "clips": {key: list(self.clips[key]) for key in sorted(self.clips)},
            "files": sorted(self.files),
            "published": {key: self.published[key].to_table() for key in sorted(self.published)},
            "rows": {key: self.rows[key].to_table() for key in sorted(self.rows)},
        }
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> State | None:
        """Read the state of the last build; None if there has been none.

        Raises
        ------
        LeaderboardError
            L113 where the file is damaged: it is not taken for "nothing", for then no change would be seen.
        """
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise ValueError(f"format {quoted(content['format'])}")
            rows = {key: _row_state(table) for key, table in content["rows"].items()}
            clips = {key: tuple(map(str, ids)) for key, ids in content["clips"].items()}
            # Boards of before tables of papers were kept have none: theirs are new then.
            published = {key: PublishedState.of_table(table) for key, table in content.get("published", {}).items()}
            return cls(rows, clips, tuple(map(str, content["files"])), published)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LeaderboardError(
                "L113",
                "the state of the last build cannot be read",
                where=str(path),
                expected=f"JSON of the format {FORMAT}",
                got=str(error)[:200],
                hint="put back the file that was committed: `git checkout` it. Without it no change can be seen",
            ) from error


def check_first(places: Places, history: str) -> None:
    """Check that a board without a state has never been built: else no change would be seen, and nobody would know.

    Parameters
    ----------
    places : Places
    history : str
        Text of ``HISTORY.md``.

    Raises
    ------
    LeaderboardError
        L113 where the history has lines, rows were withdrawn, or tables lie beside the place of the state.
    """
    found = [places.history.name] if has_lines(history) else []
    found += [places.withdrawn.name] if places.withdrawn.exists() else []
    found += [f"{places.tables.name}/{path.name}" for path in sorted(places.tables.glob("*")) if path.suffix in _TABLES]
    if found:
        raise LeaderboardError(
            "L113",
            "the state of the last build is missing, though there has been one",
            where=str(places.state),
            expected=f"{places.state.name}, which each build writes and the next one is compared with",
            got=f"no such file, but {shortened(found)}",
            hint="put back the file that was committed: `git checkout` it. For a new board take the others away too",
        )


def _row_state(table: dict[str, Any]) -> RowState:
    scores = {str(metric): float(value) for metric, value in table["scores"].items()}
    return RowState(**{**table, "scores": scores, "missing": tuple(map(str, table["missing"]))})


def make_state(rows: Sequence[Row], archive: Sequence[Row], statistics: Mapping[str, str], last: State | None) -> State:
    """State of a build, but for the names of its tables.

    Parameters
    ----------
    rows, archive : sequence of Row
    statistics : mapping from key to SHA-256
        Of the rows that have statistics.
    last : State or None
        Clips that rows on the same truth had then still count, so that one that is gone is missed.
    """
    clips: dict[str, set[str]] = {}
    for row in rows:
        clips.setdefault(_truth(row), set()).update(clip.id for clip in row.report.clips)
    for key, ids in clips.items():
        ids.update((last.clips if last is not None else {}).get(key, ()))
    states = {}
    for row, archived in [*((row, False) for row in rows), *((row, True) for row in archive)]:
        own = {clip.id for clip in row.report.clips}
        states[row.key] = RowState(
            name=row.name,
            version=row.version,
            signature=SignatureParts.of(row.report.signature).comparable,
            status=str(row.status),
            supervision=row.supervision,
            report_sha256=row.report_sha256,
            statistics_sha256=statistics.get(row.key, ""),
            scores={metric: own.value for metric, own in row.report.scores.items() if own.value is not None},
            missing=() if archived else tuple(sorted(clips[_truth(row)] - own)),
            archived=archived,
        )
    return State(states, {key: tuple(sorted(ids)) for key, ids in clips.items()})


def _truth(row: Row) -> str:
    parts = SignatureParts.of(row.report.signature)
    return f"{parts.dataset}:{parts.fingerprint}"

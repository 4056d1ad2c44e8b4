"""Rows that stood on the board once, kept in ``withdrawn.toml``: a row is never gone without a word.

Source: docs/leaderboard.md, "Withdrawn rows".
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from leaderboard.board import Withdrawn, row_key
from leaderboard.errors import LeaderboardError
from vadbench.errors import quoted

_HEAD = """\
# Rows that stood on the board once. `python -m leaderboard build --accept NAME` adds them; a reason may be mended by
# hand.
"""
_KEYS = ("method", "dataset", "protocol", "name", "date", "reason")


def withdrawn_key(own: Withdrawn) -> str:
    """Name that the row had."""
    return row_key(own.method, own.dataset, own.protocol)


def read_withdrawn(path: Path) -> tuple[Withdrawn, ...]:
    """Read the withdrawn rows; none where there is no file.

    Raises
    ------
    LeaderboardError
        L114 where the file is not as it is written here.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ()
    try:
        content = tomllib.loads(data.decode())
        if not content.keys() <= {"withdrawn"}:
            raise ValueError(f"unknown key {quoted(min(content.keys() - {'withdrawn'}))}")
        return tuple(_record(table) for table in content.get("withdrawn", []))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise LeaderboardError(
            "L114",
            "the list of withdrawn rows cannot be read",
            where=str(path),
            expected=f"tables [[withdrawn]] with the texts {', '.join(_KEYS)}",
            got=str(error)[:200],
            hint="mend it, or put back the file that was committed",
        ) from error


def _record(table: dict[str, object]) -> Withdrawn:
    texts = {key: table[key] for key in _KEYS if isinstance(table.get(key), str)}
    if table.keys() != texts.keys() or len(texts) != len(_KEYS):
        raise ValueError(f"a table with {', '.join(map(quoted, table))}")
    date.fromisoformat(str(texts["date"]))
    return Withdrawn(**{key: str(text) for key, text in texts.items()})


def withdrawn_text(rows: Iterable[Withdrawn]) -> str:
    """Text of the file."""
    blocks = [_HEAD]
    for own in rows:
        # A JSON string without escapes beyond the basic plane is a TOML string.
        lines = [f"{key} = {json.dumps(getattr(own, key), ensure_ascii=False)}" for key in _KEYS]
        blocks.append("\n".join(["[[withdrawn]]", *lines, ""]))
    return "\n".join(blocks)

"""``HISTORY.md``: one dated line for each row that came, changed or went; the newest first.

Source: docs/leaderboard.md, "Files".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from leaderboard.errors import LeaderboardError
from vadbench.tables import escape_markdown

_HEAD = """\
# History of the board

One line for each row that came, changed or went, the newest first; `python -m leaderboard build` adds them.
Scores are in per cent.
"""


def escaped_name(name: str, version: str) -> str:
    """What a method calls itself, as Markdown that shows it and does nothing else."""
    return " ".join(escape_markdown(text) for text in (name, version) if text)


def history_line(date: str, key: str, words: str, reason: str) -> str:
    """One line.

    Parameters
    ----------
    date : str
        ``2026-01-31``.
    key : str
        Name of the row.
    words : str
        What happened, fit for Markdown.
    reason : str
        Any text; empty for none.

    Examples
    --------
    >>> history_line("2026-01-31", "my-method/avenue", "new", "")
    '- 2026-01-31 `my-method/avenue` new'
    """
    because = f" ({escape_markdown(reason, 500)})" if reason else ""
    return f"- {date} `{key}` {words}{because}"


def with_lines(history: str, lines: Sequence[str]) -> str:
    """Text of the history with new lines above the old ones; without any it stays as it is."""
    if not lines:
        return history
    old = history.splitlines() if history.strip() else _HEAD.splitlines()
    first = next((number for number, line in enumerate(old) if line.startswith("- ")), len(old))
    head, rest = old[:first], old[first:]
    if head and head[-1].strip():
        head.append("")
    return "\n".join([*head, *lines, *rest]) + "\n"


def has_lines(history: str) -> bool:
    """Whether a build has written a line."""
    return any(line.startswith("- ") for line in history.splitlines())


def read_history(path: Path) -> str:
    """Text of the history; empty where there is none yet.

    Raises
    ------
    LeaderboardError
        L115 where it is no text.
    """
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise LeaderboardError(
            "L115",
            "the history of the board is no text in UTF-8",
            where=str(path),
            got=f"byte {error.start}",
            hint="put back the file that was committed",
        ) from error

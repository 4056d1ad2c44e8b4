"""Works that published rows cite, from one BibTeX file.

Source: docs/leaderboard.md, "Files".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from leaderboard.board import Citation
from leaderboard.errors import LeaderboardError
from vadbench.errors import printable, quoted

REFERENCES = "references.bib"
"""Name of the file beside the tables."""

_LARGEST = 2**20
_HEAD = re.compile(r"@[A-Za-z]+\s*\{\s*([A-Za-z][A-Za-z0-9_.:-]*)\s*,")
_FIELD = re.compile(r"^\s*([A-Za-z]+)\s*=\s*\{", re.MULTILINE)
_NEEDED = frozenset({"author", "title", "year"})


def read_references(path: Path) -> Mapping[str, Citation]:
    """Read the works by BibTeX key, in the order of the file.

    Parameters
    ----------
    path : Path
        Entries ``@kind{key, field = {value}, …}`` with balanced braces, comments (lines that begin with ``%``) between
        them.

    Raises
    ------
    LeaderboardError
        L144 for a file that cannot be read, text outside of entries, an entry without author, title or year, a field
        or a key that comes twice.
    """
    text = file_text(path, "L144", "the list of references cannot be read")
    found: dict[str, Citation] = {}
    for line, entry in _entries(text, path):
        head = _HEAD.match(entry)
        if head is None:
            raise _wrong(path, line, "an entry @kind{key, …}", quoted(entry.splitlines()[0]))
        key = head.group(1)
        fields = [name.lower() for name in _FIELD.findall(entry)]
        repeated = sorted({name for name in fields if fields.count(name) > 1})
        missing = sorted(_NEEDED - set(fields))
        if repeated or missing:
            wrong = f"{', '.join(repeated)} twice" if repeated else f"no {', '.join(missing)}"
            raise _wrong(path, line, "author, title and year, every field once", f"{key}: {wrong}")
        if key in found:
            raise _wrong(path, line, "every key once", f"{quoted(key)} a second time")
        found[key] = Citation(key, entry + "\n")
    return found


def file_text(path: Path, code: str, message: str) -> str:
    """Text of a file of the board: UTF-8 of at most 1 MiB, nothing in it that does not show.

    Raises
    ------
    LeaderboardError
        With the code and message given.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise LeaderboardError(code, message, where=str(path), got=error.strerror or "no such file") from error
    except UnicodeDecodeError as error:
        raise LeaderboardError(code, message, where=str(path), expected="UTF-8", got="another encoding") from error
    if len(data) > _LARGEST:
        raise LeaderboardError(code, message, where=str(path), expected=f"at most {_LARGEST} bytes", got="more")
    for number, line in enumerate(text.split("\n"), start=1):
        if printable(line) != line:
            where = (str(path), f"line {number}")
            raise LeaderboardError(code, message, where=where, expected="characters that show", got=quoted(line))
    return text


def _entries(text: str, path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each entry, without the space around it."""
    position, end = 0, len(text)
    while position < end:
        line = text.count("\n", 0, position) + 1
        if text[position].isspace():
            position += 1
        elif text[position] == "%":
            newline = text.find("\n", position)
            position = end if newline < 0 else newline
        elif text[position] == "@":
            stop = _closing_brace(text, position)
            if stop is None:
                raise _wrong(path, line, "balanced braces", "an entry that does not end")
            yield line, text[position:stop]
            position = stop
        else:
            raise _wrong(
                path,
                line,
                "an entry, or a comment that begins with %",
                quoted(text[position:].split("\n", maxsplit=1)[0]),
            )


def _closing_brace(text: str, start: int) -> int | None:
    """Position behind the brace that closes the first one opened after `start`."""
    depth = 0
    for position in range(start, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth <= 0:
                return position + 1
    return None


def _wrong(path: Path, line: int, expected: str, got: str) -> LeaderboardError:
    return LeaderboardError(
        "L144", "the list of references is wrong", where=(str(path), f"line {line}"), expected=expected, got=got
    )

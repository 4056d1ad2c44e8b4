"""A report that a stranger sends, read with care: size, nesting, repeated keys, kinds of values and every text of it.

Source: docs/board-entries.md, "report.json".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from vadbench.errors import quoted
from vadbench.evaluation.report import MOST_VALUES, Report
from vadbench.submission.checked_json import parse_json
from vadbench.submission.metadata_values import text_fault
from vadbench.submission.problems import problem

LARGEST_REPORT = 2 * 2**20
"""Bytes; a report of the 107 clips of ShanghaiTech has about 0.3 MB."""

_LEVELS = 8
_LONGEST_TEXT = 4_000
_MOST_LINES = 12
_MOST_KEYS = 64
"""Of one object; those of a report have fewer than twenty."""

_HINT = "send the report as `vadbench score` wrote it"


def read_sent_report(data: bytes, where: tuple[str, ...]) -> Report:
    """Read the bytes of a report.

    Parameters
    ----------
    data : bytes
        At most `LARGEST_REPORT`; the caller has bounded them.
    where : tuple of str
        What messages name.

    Raises
    ------
    SubmissionError
        S183 with one line for each thing that is wrong, the first dozen of them.
    """
    try:
        # Every value but the first stands behind one of these signs: most is refused before anything is parsed.
        if sum(map(data.count, (b",", b":", b"[", b"{"))) > 2 * MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values")
        content = parse_json(data, levels=_LEVELS)
        _check_keys(content)
    except ValueError as error:
        raise problem(
            "S183", where=where, expected="JSON of the format vadbench.report/1", got=_words(error)
        ) from error
    try:
        # Strict: a text is no number and true is no 1, as they would be to a lenient reader.
        report = Report.model_validate_json(data, strict=True)
    except ValidationError as error:
        lines = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_url=False)]
        raise _wrong(where, lines) from error
    lines = [f"{place}: {fault}" for place, fault in _text_faults(content, "")]
    if lines:
        raise _wrong(where, lines)
    return report


def in_words(name: str) -> str:
    """A name from a file within the words of a message: shortened and escaped, without quotes."""
    return quoted(name)[1:-1]


def _wrong(where: tuple[str, ...], lines: list[str]) -> Exception:
    shown = lines[:_MOST_LINES] + ([f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else [])
    return problem(
        "S183", where=where, expected="a report of the format vadbench.report/1", got="\n".join(shown), hint=_HINT
    )


def _place(location: tuple[int | str, ...]) -> str:
    return in_words(".".join(str(part) for part in location)) or "the report"


def _words(error: ValueError) -> str:
    # Python's own words about a syntax error do not quote the text; about numbers of thousands of digits they advise.
    return "a number of thousands of digits" if "integer string conversion" in str(error) else str(error)


def _check_keys(content: Any) -> None:
    """Raise ValueError for an object of too many keys: each of them would be an error to keep."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if len(value) > _MOST_KEYS:
                raise ValueError(f"an object of {len(value)} keys")
            waiting += value.values()
        elif isinstance(value, list):
            waiting += [inner for inner in value if isinstance(inner, (dict, list))]


def _text_faults(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Place and fault of every string that holds what no string of a submission may, keys included."""
    if isinstance(value, str):
        if value and (fault := text_fault(value, longest=_LONGEST_TEXT, line_breaks=True)):
            yield in_words(place), fault
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _text_faults(key, f"{place}.{key}" if place else key)
            yield from _text_faults(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            # Numbers are most of a report.
            if not isinstance(inner, (int, float)):
                yield from _text_faults(inner, f"{place}.{number}")

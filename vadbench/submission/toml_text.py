"""TOML text of strangers, read with care; and our own, written with the same bytes every time.

Source: submission.md, "submission.toml".
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from vadbench.submission.problems import problem

LARGEST_TOML = 64 * 2**10
TOML_LEVELS = 8
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\f": "\\f", "\r": "\\r"}


def parse_toml(data: bytes, where: tuple[str, ...]) -> dict[str, Any]:
    """Table of a TOML text.

    Raises
    ------
    SubmissionError
        S110 if the text is too long, not UTF-8, begins with a byte-order mark or is nested too deeply;
        S111 if it is not TOML, with the line.
    """
    if len(data) > LARGEST_TOML:
        raise problem("S110", where=where, expected=f"at most {LARGEST_TOML} bytes", got=f"{len(data)} bytes")
    if data.startswith(_BYTE_ORDER_MARK):
        raise problem("S110", where=where, got="a byte-order mark", hint="save the file as UTF-8 without it")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise problem("S110", where=(*where, f"line {line}"), expected="UTF-8", got="another encoding") from error
    levels = nesting(text)
    if levels > TOML_LEVELS:
        raise problem("S110", where=where, expected=f"at most {TOML_LEVELS} levels", got=f"{levels} levels of nesting")
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and the interpreter's own about numbers of thousands of digits
        words, line = str(error), text.count("\n") + 1
        if found := re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", words):
            words, line = words[: found.start()], int(found.group(1) or line)
        raise problem("S111", where=(*where, f"line {line}"), got=words) from error


def nesting(text: str) -> int:
    r"""Upper bound of the levels of a TOML text, found without parsing it, in linear time.

    Parts of the table's name, dots of the statement and open brackets are all counted, wherever they stand.

    >>> nesting("a.b = [[1], [2]]"), nesting("[a.b]\nc = 'x.y.[[['  # [[["), nesting("a = 1")
    (4, 3, 1)
    """
    table = dots = brackets = deepest = 0
    is_header = at_start = True
    position, end = 0, len(text)
    while position < end:
        character = text[position]
        if character in "\"'":
            position = _string_end(text, position)
            at_start = False
            continue
        if character == "#":
            newline = text.find("\n", position)
            position = end if newline < 0 else newline
            continue
        if character == "\n" and brackets <= 0:
            if is_header and not at_start:
                table = dots + 1
            dots = brackets = 0
            at_start, is_header = True, False
        elif not character.isspace():
            if at_start:
                is_header, at_start = character == "[", False
            if character == ".":
                dots += 1
            elif character in "[{":
                brackets += 1
            elif character in "]}":
                brackets -= 1
            deepest = max(deepest, (0 if is_header else table) + 1 + dots + (0 if is_header else brackets))
        position += 1
    return deepest


def _string_end(text: str, start: int) -> int:
    """Position behind the string that begins at ``start``; the text's end where it is not closed."""
    quote = text[start]
    mark = quote * 3 if text.startswith(quote * 3, start) else quote
    position = start + len(mark)
    while position < len(text):
        character = text[position]
        if character == "\\" and quote == '"':
            position += 2
        elif text.startswith(mark, position):
            position += len(mark)
            # Up to two quotes may stand before the closing three.
            while len(mark) == 3 and text.startswith(quote, position):
                position += 1
            return position
        elif character == "\n" and len(mark) == 1:
            return position
        else:
            position += 1
    return len(text)


def write_toml(table: Mapping[str, Any]) -> bytes:
    r"""TOML text of a table of strings, numbers, lists of strings and tables of those, in the order given.

    >>> print(write_toml({"format": "x", "method": {"name": 'a "b"', "year": 2026, "authors": []}}).decode())
    format = "x"
    <BLANKLINE>
    [method]
    name = "a \"b\""
    year = 2026
    authors = []
    <BLANKLINE>
    """
    plain = [f"{key} = {_value(value)}\n" for key, value in table.items() if not isinstance(value, Mapping)]
    text = "".join(plain)
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines = "".join(f"{name} = {_value(inner)}\n" for name, inner in value.items())
            text += f"{chr(10) if text else ''}[{key}]\n{lines}"
    return text.encode("utf-8")


def _value(value: object) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Sequence):
        return f"[{', '.join(_value(item) for item in value)}]"
    raise TypeError(f"no TOML for {type(value).__name__}")


def _string(value: str) -> str:
    lines = ["".join(map(_escaped, line)) for line in value.split("\n")]
    # The line feed behind the opening quotes is not part of the value.
    return f'"{lines[0]}"' if len(lines) == 1 else '"""\n' + "\n".join(lines) + '"""'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04X}" if ord(character) < 0x20 or ord(character) == 0x7F else character

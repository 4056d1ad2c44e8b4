"""JSON from strangers: size, encoding and nesting are checked before it is parsed, repeated keys and NaN refused.

Source: submission.md, "All JSON here".
"""

from __future__ import annotations

import json
import re
from typing import Any, Never

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OPENING, _CLOSING = ("[", "{"), ("]", "}")

# A string is one token, whatever is in it; one without an end goes on to the end of the text.
_BRACKETS = re.compile(r'"(?:[^"\\]+|\\.)*+"?|[\[{\]}]', re.DOTALL)


def parse_json(data: bytes, *, levels: int) -> Any:
    """Value of a JSON text.

    Parameters
    ----------
    data : bytes
        UTF-8 without byte-order mark; the caller has bounded its size.
    levels : int
        Deepest nesting of objects and lists that is allowed; the top object is level 1.

    Raises
    ------
    ValueError
        With one line that says what is wrong.
    """
    if data.startswith(_BYTE_ORDER_MARK):
        raise ValueError("the text begins with a byte-order mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from error
    depth = _nesting(text)
    if depth > levels:
        raise ValueError(f"nested {depth} levels deep, {levels} are allowed")
    return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refused, parse_float=_finite)


def _nesting(text: str) -> int:
    """Deepest nesting of brackets outside strings; exact for valid JSON, a bound for anything else."""
    depth = deepest = 0
    for token in _BRACKETS.finditer(text):
        sign = token[0]
        if sign in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif sign in _CLOSING:
            depth -= 1
    return deepest


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key[:40]!a} comes twice in an object")
        result[key] = value
    return result


def _refused(literal: str) -> Never:
    raise ValueError(f"the literal {literal} is not JSON")


def _finite(literal: str) -> float:
    value = float(literal)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {literal[:40]} is not finite")
    return value

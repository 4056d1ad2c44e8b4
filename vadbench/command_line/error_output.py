"""Blocks of errors on standard error: in lines that fit a terminal, and as they are where nobody looks at them.

Source: style.md, "Errors".
"""

from __future__ import annotations

import os
import re
import textwrap
from typing import TextIO

from vadbench.errors import VadbenchError

_READABLE_WIDTH = 100
_LEAST_WIDTH = 30
_HANGING = 12
_LONG_LINE = 60
"""Signs from which on a line of a hint was broken for its length alone."""

_UNBROKEN = re.compile(r'"[^"\n]*"')
_NO_SPACE = "\ufdd0"
"""Stands for a space where no line is broken; of no text, as Unicode says."""

_LISTS = frozenset({"S112"})
"""Codes of errors whose hint is a list, one thing a line."""


def print_error(error: VadbenchError, stream: TextIO) -> None:
    """Print the block of an error, in lines that fit where somebody reads it."""
    width = _width_of(stream)
    print(error.block() if width is None else wrapped_block(error, min(width, _READABLE_WIDTH)), file=stream)


def _width_of(stream: TextIO) -> int | None:
    """Columns of a terminal, or those that ``COLUMNS`` says; None where the stream goes elsewhere."""
    told = os.environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and int(told[:6]) > 0:
        return int(told[:6])
    try:
        return (os.get_terminal_size(stream.fileno()).columns or None) if stream.isatty() else None
    except (OSError, ValueError):
        return None


def wrapped_block(error: VadbenchError, width: int) -> str:
    """Block of an error in lines of at most that many signs; words, places and quoted values stay whole.

    What is longer than a line by itself, such as a path, stands on one of its own, as it can be copied.
    """
    width = max(width, _LEAST_WIDTH)
    title = _kept_whole(f"error[{error.code}] {error.message}")
    lines = _wrapped(title, width, "", " " * _HANGING)
    # A place may hold spaces, and is whole; the parts of it are not torn from the dots between them.
    *outer, last = error.where or ("",)
    where = " ".join([f"{part} ·".replace(" ", _NO_SPACE) for part in outer] + [last.replace(" ", _NO_SPACE)])
    rows = [
        ("where", where),
        ("expected", error.expected),
        ("got", error.got),
        ("hint", error.hint if error.code in _LISTS else _rejoined(error.hint)),
    ]
    for name, text in rows:
        first = f"  {name:<10}"
        for paragraph in text.split("\n") if text else ():
            lines += _wrapped(_kept_whole(paragraph), width, first, " " * _HANGING)
            first = " " * _HANGING
    return "\n".join(lines)


def _rejoined(hint: str) -> str:
    """A hint without the line breaks that only kept its lines short."""
    first, *others = hint.split("\n")
    joined = [first]
    for before, line in zip([first, *others], others, strict=False):
        goes_on = len(before) >= _LONG_LINE or before.endswith((",", ";", "."))
        joined.append(f" {line}" if goes_on and not line.startswith((" ", "-")) else f"\n{line}")
    return "".join(joined)


def _kept_whole(text: str) -> str:
    return _UNBROKEN.sub(lambda found: found[0].replace(" ", _NO_SPACE), text)


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    lines = textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(_NO_SPACE, " ") for line in lines or [first.rstrip()]]

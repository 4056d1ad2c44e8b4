"""Names of methods as pictures show them: one line, nothing hidden in it, not longer than there is room.

Names are a stranger's. Matplotlib takes dollar signs for mathematics and leaves names that begin with a line below out
of legends.
"""

from __future__ import annotations

from collections.abc import Iterable

from vadbench.errors import printable
from vadbench.inert_text import ELLIPSIS, without_hidden

LONGEST_NAME = 30
"""Characters of a name in a legend."""

_MOST_MARKS = 2
"""Combining marks on one letter; more of them reach into other lines."""

_LOOKED_AT = 10_000


def plain_text(text: str, longest: int = LONGEST_NAME) -> str:
    r"""Give a text as one line, for drawing without mathematics.

    Parameters
    ----------
    text : str
        Any. White space becomes one space; control characters and marks of direction are written as their code.
    longest : int
        Characters; of a longer one the beginning and the end are kept, where versions mostly stand.

    Examples
    --------
    >>> plain_text("a\n b\u202ec")
    'a b\\u202ec'
    >>> plain_text("abcdefghij", 6)
    'abc…ij'
    """
    line = printable(" ".join(text[:_LOOKED_AT].split())) or "–"
    short = without_hidden(line, most_marks=_MOST_MARKS)
    if len(short) <= longest:
        return short
    last = (longest - 1) * 2 // 5
    return f"{short[: longest - 1 - last]}{ELLIPSIS}{short[len(short) - last :]}"


def legend_text(text: str, longest: int = LONGEST_NAME) -> str:
    r"""Give a text for legends and ticks, which know mathematics: what is drawn is `plain_text`.

    Examples
    --------
    >>> legend_text("_$x$")
    ' _\\$x\\$'
    """
    short = plain_text(text, longest).replace("$", r"\$")
    return f" {short}" if short.startswith("_") else short


def distinct_names(names: Iterable[str], longest: int = LONGEST_NAME) -> tuple[str, ...]:
    """`plain_text` of several names, numbered where shortening has made them equal.

    Examples
    --------
    >>> distinct_names(["abcdef", "abXdef", "c"], 4)
    ('ab…f', 'a… (2)', 'c')
    """
    shown: list[str] = []
    for name in names:
        short, number = plain_text(name, longest), 1
        while short in shown:
            number += 1
            end = f" ({number})"
            short = plain_text(name, max(2, longest - len(end) + 2)) + end
        shown.append(short)
    return tuple(shown)

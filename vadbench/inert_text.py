"""A stranger's text made inert: the signs that never reach an output, and one line of text without them.

Names, links and remarks of a submission are data of somebody else. What is special to a format (HTML, LaTeX, Markdown)
is escaped by its writer, after this.

Source: submission.md, "submission.toml" (what a name may hold).
"""

from __future__ import annotations

import re
import unicodedata

from vadbench.errors import printable

LONGEST_NAME = 80
"""Characters of a text in a table that is read."""

LONGEST_VALUE = 500
"""Characters of a text in a file for programs: what a string of a submission may have."""

ELLIPSIS = "…"

BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs that turn the direction of reading: a submission that holds one is refused."""

INVISIBLE_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and a symbol to Unicode, and yet blank."""

MOST_MARKS = 3
"""Combining marks on one letter; more of them climb into other lines."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of signs that show nothing and can do something: controls, formats (all of `BIDIRECTIONAL` are there),
halves of characters, private and unassigned ones, and the two separators that end a line of JavaScript."""

_JOINERS = frozenset("\u200c\u200d")
"""Invisible, and yet part of how some scripts and emoji are written."""

_MARKS = frozenset({"Mn", "Me"})
_SPACES = re.compile(r"\s+")
_LOOKED_AT = 40
"""Characters that are looked at for each one that is kept: a text of invisible ones takes no time."""


def without_hidden(text: str, *, kept: str = "", most_marks: int = MOST_MARKS) -> str:
    r"""Give a text without signs that show nothing, and without combining marks that climb into other lines.

    Parameters
    ----------
    text : str
        Any.
    kept : str
        Signs that stay although they are hidden ones, such as line feeds.
    most_marks : int
        Combining marks that one letter keeps.

    Examples
    --------
    >>> without_hidden("a\u202eb\x1b\n", kept="\n")
    'ab\n'
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if character in kept:
            marks = 0
        elif category in _MARKS or unicodedata.combining(character):
            marks += 1
            if marks > most_marks:
                continue
        elif category in _HIDDEN:
            # What is not seen does not part a letter from its marks.
            if character not in _JOINERS:
                continue
        else:
            marks = 0
        shown.append(character)
    return "".join(shown)


def inert_text(text: str, longest: int = LONGEST_NAME) -> str:
    r"""Give a text as one line of at most `longest` characters.

    Line breaks, tabs and other white space become one space. Control characters, halves of characters, marks of
    direction and other invisible characters go, and so do combining marks above three on one letter.

    Parameters
    ----------
    text : str
        Any.
    longest : int
        At least 1; a longer text ends in an ellipsis.

    Examples
    --------
    >>> inert_text("a\u202eb\n c")
    'ab c'
    >>> inert_text("abcdef", 4)
    'abc…'
    """
    spaced = _SPACES.sub(" ", text[: _LOOKED_AT * longest])
    line = _SPACES.sub(" ", without_hidden(spaced)).strip(" \u200c\u200d")
    if len(line) <= longest and len(text) <= _LOOKED_AT * longest:
        return line
    end = min(len(line), longest - 1)
    # Not between a letter and its mark, nor after a joiner.
    while end and ((line[end : end + 1] and unicodedata.category(line[end])[0] == "M") or line[end - 1] in _JOINERS):
        end -= 1
    return line[:end].rstrip() + ELLIPSIS


def escaped_lines(text: str, longest: int) -> str:
    r"""Give a text with its lines, shortened, and with every sign that shows nothing written as its code.

    For what is judged rather than shown: whoever reads it should see what was there.

    Examples
    --------
    >>> escaped_lines("a\nb\x1b", 80)
    'a\nb\\x1b'
    """
    cut = text if len(text) <= longest else text[: longest - 1] + ELLIPSIS
    return "\n".join(map(printable, cut.split("\n")))

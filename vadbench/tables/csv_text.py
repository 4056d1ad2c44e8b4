"""Tables as CSV: for spreadsheets and programs.

Source: RFC 4180 (quoting); lines end in a line feed.
"""

from __future__ import annotations

import re

from vadbench.inert_text import INVISIBLE_LETTERS, LONGEST_VALUE, inert_text
from vadbench.tables.content import TableContent
from vadbench.tables.score_table import NOT_AVAILABLE

_NUMBER = re.compile(r"[+\-−]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_FORMULA = frozenset("=+-@\t\r−＝＋－＠﹢﹣﹦﹫⁺⁻⁼₊₋₌⩵⩶﬩")
"""What a spreadsheet takes for the beginning of a formula: in full width, small, raised and lowered too."""

_NOT_SEEN = re.compile(rf"[\s\u200c\u200d{''.join(sorted(INVISIBLE_LETTERS))}]+")
_SIGNS = re.escape("".join(sorted(_FORMULA)))
_AFTER_SEMICOLON = re.compile(rf"[;\uff1b\ufe54\ufe14\u037e](?:\"|{_NOT_SEEN.pattern})*(?=[{_SIGNS}])")

# Besides what RFC 4180 names, what spreadsheets of some countries or users separate cells by.
_QUOTED = re.compile(r'[",;|\t\r\n]|^\s|\s$')


def csv_cell(text: str, longest: int = LONGEST_VALUE) -> str:
    r"""Give a text as one cell of CSV that no spreadsheet computes.

    A text that begins as a formula does gets an apostrophe before it, and so does what follows a semicolon, where
    spreadsheets of many countries begin a new cell. A number stays a number.

    Examples
    --------
    >>> csv_cell("=1+1"), csv_cell("-3.20"), csv_cell("a,b")
    ("'=1+1", '-3.20', '"a,b"')
    """
    plain = inert_text(text, longest)
    if _NOT_SEEN.sub("", plain)[:1] in _FORMULA and plain and not _NUMBER.fullmatch(plain):
        plain = f"'{plain}"
    plain = _AFTER_SEMICOLON.sub(r"\g<0>'", plain)
    return '"' + plain.replace('"', '""') + '"' if _QUOTED.search(plain) else plain


def to_csv(content: TableContent) -> str:
    """Write a table as CSV: one line of titles, one line a row.

    Where there are several blocks, the first column has their titles; where any has a signature, the last column has
    it. A value that is not there is an empty cell. Caption, notes and marks are left out.

    Returns
    -------
    str
        Lines, each with a line feed.
    """
    titled = len(content.blocks) > 1 and any(block.title for block in content.blocks)
    signed = any(block.signature for block in content.blocks)
    before, after = (["block"] if titled else []), (["signature"] if signed else [])
    lines = [[*before, *(column.title for column in content.columns), *after]]
    for block in content.blocks:
        for row in block.rows:
            cells = ["" if cell.text == NOT_AVAILABLE else cell.text for cell in row]
            lines.append([*([block.title] if titled else []), *cells, *([block.signature] if signed else [])])
    return "".join(",".join(map(csv_cell, line)) + "\n" for line in lines)

"""Tables as Markdown, in the form that GitHub, GitLab and most others read.

Source: GitHub Flavored Markdown Spec, "Tables (extension)".
"""

from __future__ import annotations

import re

from vadbench.inert_text import LONGEST_NAME, inert_text
from vadbench.tables.content import Block, Cell, Column, Mark, TableContent
from vadbench.tables.ranking import Marking, marked
from vadbench.tables.titles import arrow, used_columns

_LONGEST_NOTE = 2_000
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_SIGNS = frozenset("\\`*_[]~$@")
_LINE_START = re.compile(r"^(?:(?=[#+=-])|([0-9]{1,9})(?=[.)]))")
_EMOJI = re.compile(r":(?=(?:[0-9_]{0,8}[A-Za-z+-][A-Za-z0-9_+-]{0,64}|100|1234):)")
_APART = "<!-- -->"
"""Parts two signs of one line: names of emoji are found in what is printed, so that no escape of Markdown helps."""
_MARKS = {Mark.BEST: "**{}**", Mark.SECOND: "*{}*", Mark.NONE: "{}", None: "{}"}


def escape_markdown(text: str, longest: int = LONGEST_NAME) -> str:
    r"""Give a text as Markdown that shows it and does nothing else, in a cell of a table or within a line.

    No sign of it begins a tag, a link, an image, code, emphasis, an emoji or mathematics, ends the cell, or makes a
    link of an address that stands there bare.

    Examples
    --------
    >>> print(escape_markdown("a|b [x](javascript:y) <b>"))
    a&#124;b \[x\](javascript\:y) &lt;b&gt;
    """
    plain = inert_text(text, longest)
    emoji = {match.start() for match in _EMOJI.finditer(plain)}
    escaped = "".join(
        f":{_APART}" if place in emoji else _ENTITIES.get(sign, f"\\{sign}" if sign in _SIGNS else sign)
        for place, sign in enumerate(plain)
    )
    # Addresses are made links by what reads Markdown: https://, www., and whatever else has a scheme.
    escaped = re.sub(r"(?<=[A-Za-z0-9]):(?=\S)", r"\\:", escaped)
    return re.sub(r"(?i)\bwww\.", r"www\\.", escaped)


def to_markdown(content: TableContent, *, marking: Marking | str = Marking.BEST_AND_SECOND) -> str:
    """Write a table as Markdown: one table a block, with its title before it and its signature after it.

    The best value is bold and the second in italics: Markdown has nothing that underlines.

    Parameters
    ----------
    content : TableContent
    marking : Marking or str

    Returns
    -------
    str
        Lines, each with a line feed.
    """
    ready = marked(content, marking)
    parts = [_line(ready.caption)] if ready.caption else []
    for block in ready.blocks:
        parts += [f"**{escape_markdown(block.title)}**"] if block.title else []
        parts.append(_table(ready.columns, block))
        parts += [f"Signature: {_code(block.signature)}"] if block.signature else []
        parts += [_line(note) for note in block.notes]
    parts += [_line(note) for note in ready.notes]
    return "\n\n".join(parts) + "\n"


def _table(columns: tuple[Column, ...], block: Block) -> str:
    used = used_columns(columns, block)
    heads = [escape_markdown(columns[i].title) + arrow(columns[i].direction) for i in used]
    rules = ["---:" if columns[i].numbers else ":---" for i in used]
    lines = [heads, rules, *([_cell(row[i]) for i in used] for row in block.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: Cell) -> str:
    text = escape_markdown(cell.text) + arrow(cell.direction)
    return _MARKS[cell.mark].format(text) if text else ""


def _line(text: str) -> str:
    """A paragraph of its own, which must not begin a heading, a list or a rule."""
    return _LINE_START.sub(r"\1\\", escape_markdown(text, _LONGEST_NOTE))


def _code(signature: str) -> str:
    return f"`{inert_text(signature, _LONGEST_NOTE).replace('`', '')}`"

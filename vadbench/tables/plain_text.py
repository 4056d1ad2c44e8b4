"""Tables as plain text, for terminals, mails and logs."""

from __future__ import annotations

import re

from rich.cells import cell_len

from vadbench.inert_text import LONGEST_NAME, inert_text
from vadbench.tables.content import Block, Cell, Column, Mark, TableContent
from vadbench.tables.ranking import Marking, marked
from vadbench.tables.titles import arrow, title_lines, used_columns

_LONGEST_NOTE = 2_000
_MARKS = {Mark.BEST: "*", Mark.SECOND: "+", Mark.NONE: " ", None: " "}
LEGEND = "* best, + second"
_BETWEEN = "  "
_NARROWEST = 40


def to_text(
    content: TableContent,
    *,
    width: int = 120,
    marking: Marking | str = Marking.BEST_AND_SECOND,
    longest: int = LONGEST_NAME,
) -> str:
    """Write a table as plain text: the best value with an asterisk, the second with a plus sign.

    Parameters
    ----------
    content : TableContent
    width : int
        Cells of a line of the terminal. A block that is wider is written in several parts, each with as many columns
        as fit, and its names are shortened to a third of the line.
    marking : Marking or str
    longest : int
        Cells of a name.

    Returns
    -------
    str
        Lines without blanks at their ends, each with a line feed.
    """
    ready = marked(content, marking)
    width = max(width, _NARROWEST)
    parts = [_paragraph(ready.caption, width)] if ready.caption else []
    any_marked = False
    for block in ready.blocks:
        any_marked |= any(cell.mark in {Mark.BEST, Mark.SECOND} for row in block.rows for cell in row)
        under = [_paragraph(block.signature, width)] if block.signature else []
        under += [_paragraph(note, width) for note in block.notes]
        title = [_paragraph(block.title, width)] if block.title else []
        parts.append("\n".join([*title, *_tables(ready.columns, block, width, longest)]))
        parts += ["\n".join(under)] if under else []
    notes = [*([LEGEND] if any_marked else []), *ready.notes]
    parts += ["\n".join(_paragraph(note, width) for note in notes)] if notes else []
    return "\n\n".join(parts) + "\n"


def _tables(columns: tuple[Column, ...], block: Block, width: int, longest: int) -> list[str]:
    """The block as one table, or as several one below the other, each with the names and as many columns as fit."""
    used = used_columns(columns, block)
    depth = max(len(_head(columns[i])) for i in used)
    written = {i: _column(columns[i], [row[i] for row in block.rows], depth, longest) for i in used}
    if sum(cell_len(written[i][0]) + len(_BETWEEN) for i in used) - len(_BETWEEN) > width:
        written[0] = _column(columns[0], [row[0] for row in block.rows], depth, min(longest, width // 3))
    waiting = used[1:]
    tables: list[str] = []
    while waiting or not tables:
        taken = [0]
        room = width - cell_len(written[0][0])
        while waiting and (len(taken) == 1 or cell_len(written[waiting[0]][0]) + len(_BETWEEN) <= room):
            room -= cell_len(written[waiting[0]][0]) + len(_BETWEEN)
            taken.append(waiting.pop(0))
        lines = [_BETWEEN.join(parts).rstrip() for parts in zip(*(written[i] for i in taken), strict=True)]
        tables.append("\n".join(lines))
    return ["\n\n".join(tables)]


def _head(column: Column) -> list[str]:
    lines = title_lines(inert_text(column.title))
    lines[-1] += arrow(column.direction)
    return lines


def _column(column: Column, cells: list[Cell], depth: int, longest: int) -> list[str]:
    """Head, rule and cells of one column, all of one width."""
    head = _head(column)
    texts = [_fitted(cell.text, longest) + arrow(cell.direction) for cell in cells]
    if any(cell.mark in {Mark.BEST, Mark.SECOND} for cell in cells):
        head = [f"{line} " for line in head] if column.numbers else head
        texts = [text + _MARKS[cell.mark] for text, cell in zip(texts, cells, strict=True)]
    lines = [""] * (depth - len(head)) + head
    width = max(map(cell_len, [*lines, *texts]))
    rule = "─" * width
    return [_set(text, width, right=column.numbers) for text in lines] + [
        rule,
        *(_set(text, width, right=column.numbers) for text in texts),
    ]


def _fitted(text: str, longest: int) -> str:
    """A text as one line that is `longest` cells wide at most; Chinese and emoji take two each."""
    line = inert_text(text, longest)
    for characters in range(longest - 1, 0, -1):
        if cell_len(line) <= longest:
            break
        line = inert_text(text, characters)
    return line


def _set(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _paragraph(text: str, width: int) -> str:
    """A text in lines; a signature may be broken after the signs ``|`` between its parts."""
    lines = [""]
    for word in inert_text(text, _LONGEST_NOTE).split(" "):
        for index, part in enumerate(re.findall(r"[^|]*\||[^|]+", word)):
            between = " " if index == 0 and lines[-1] else ""
            if lines[-1] and cell_len(lines[-1] + between + part) > width:
                lines.append("")
                between = ""
            lines[-1] += between + part
    return "\n".join(lines)

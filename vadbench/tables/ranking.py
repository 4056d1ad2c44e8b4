"""Which cells of a block are its best and its second.

Source: protocols.md, "Signature": values of different signatures are never ranked against each other.
"""

from __future__ import annotations

from dataclasses import replace

from vadbench.choices import Choice
from vadbench.tables.content import Block, Cell, Column, Direction, Mark, TableContent


class Marking(Choice):
    """Which cells are marked."""

    BEST_AND_SECOND = "best-and-second"
    BEST = "best"
    NONE = "none"


def marked(content: TableContent, marking: Marking | str = Marking.BEST_AND_SECOND) -> TableContent:
    """Give the same table with a mark on every cell.

    In each block that is ranked, and in each column that has a direction, the best value and the next one after it
    are marked, if at least two cells have a value. Values that are equal, or that are printed the same, are marked
    alike. A cell that has a mark already keeps it.

    Parameters
    ----------
    content : TableContent
    marking : Marking or str

    Raises
    ------
    ProtocolError
        P101 for an unknown marking.
    """
    marking = Marking(marking)
    return replace(content, blocks=tuple(_marked_block(block, content.columns, marking) for block in content.blocks))


def _marked_block(block: Block, columns: tuple[Column, ...], marking: Marking) -> Block:
    marks = [
        _column_marks([row[index] for row in block.rows], column.direction if block.ranked else Direction.NONE, marking)
        for index, column in enumerate(columns)
    ]
    rows = tuple(
        tuple(replace(cell, mark=marks[index][number]) if cell.mark is None else cell for index, cell in enumerate(row))
        for number, row in enumerate(block.rows)
    )
    return replace(block, rows=rows)


def _column_marks(cells: list[Cell], direction: Direction, marking: Marking) -> list[Mark]:
    marks = [Mark.NONE] * len(cells)
    ranked = [number for number, cell in enumerate(cells) if cell.value is not None and cell.mark is None]
    if direction is Direction.NONE or marking is Marking.NONE or len(ranked) < 2:
        return marks
    waiting = sorted(ranked, key=lambda number: cells[number].value or 0.0, reverse=direction is Direction.HIGHER)
    for mark in (Mark.BEST, Mark.SECOND) if marking is Marking.BEST_AND_SECOND else (Mark.BEST,):
        if not waiting:
            break
        first = cells[waiting[0]]
        alike = [n for n in waiting if cells[n].value == first.value or cells[n].text == first.text]
        for number in alike:
            marks[number] = mark
        waiting = [number for number in waiting if number not in alike]
    return marks

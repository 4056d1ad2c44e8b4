"""Titles of columns: arrows, and which columns a block fills.

Source: protocols.md, "Names and printing".
"""

from __future__ import annotations

from vadbench.tables.content import Block, Column, Direction

_ARROWS = {Direction.HIGHER: " ↑", Direction.LOWER: " ↓", Direction.NONE: ""}


def arrow(direction: Direction) -> str:
    """What follows a title: a space and an arrow that points to the better values, or nothing."""
    return _ARROWS[direction]


def used_columns(columns: tuple[Column, ...], block: Block) -> list[int]:
    """Indices of the first column and of those in which the block has any text."""
    return [i for i in range(len(columns)) if i == 0 or any(row[i].text for row in block.rows)]


def title_lines(title: str) -> list[str]:
    """A title in the lines of a column's head: ``Frame-AUROC (micro)`` in three."""
    return title.replace(" (", "\n(").replace("-", "-\n", 1).split("\n")

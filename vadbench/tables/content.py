"""What a table says, apart from how it is written: columns, blocks of rows, cells as text with the number behind them.

Source: protocols.md, "Signature" (what may be ranked) and "Names and printing".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vadbench.errors import UsageError


class Direction(StrEnum):
    """Which way a number is better."""

    HIGHER = "higher"
    LOWER = "lower"
    NONE = "none"
    """Neither, such as a number of clips; also of columns of words. Nothing is ranked."""


class Mark(StrEnum):
    """How a cell stands out among those that it is ranked with."""

    BEST = "best"
    SECOND = "second"
    NONE = "none"


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    key : str
        Such as ``pixel_auroc``. Two columns may share a key where their titles differ: Pixel-AUPRO and PR-AUC.
    title : str
        Whole, as text, Markdown and CSV print it.
    direction : Direction
    numbers : bool
        Set to the right, as numbers are.
    group, head : str
        For writers with two lines of heads: what it stands under together with its neighbours, and its title there.
    cite : str or None
        BibTeX key, where the column is of one work, as in a transposed table.
    """

    key: str
    title: str
    direction: Direction = Direction.NONE
    numbers: bool = False
    group: str = ""
    head: str = ""
    cite: str | None = None


@dataclass(frozen=True)
class Cell:
    """One cell.

    Parameters
    ----------
    text : str
        What is printed, any text: the writers escape it. A paper's number stays as the paper prints it.
    value : float or None
        The number behind it, for ranking; in any unit, the same for the whole column. None: not ranked.
    cite : str or None
        BibTeX key of the work that the row is of, made by `bibtex_key`.
    mark : Mark or None
        None leaves it to the ranking of the block.
    direction : Direction
        Of a cell that is itself the title of a metric, as in a transposed table.
    """

    text: str
    value: float | None = None
    cite: str | None = None
    mark: Mark | None = None
    direction: Direction = Direction.NONE


Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Block:
    """Rows that stand together: of one signature, or of one table of a paper.

    Parameters
    ----------
    rows : tuple of tuple of Cell
        As many cells as the table has columns.
    title : str
        Empty where the table has one block only.
    signature : str
        Printed as a note; empty for rows of a paper.
    notes : tuple of str
        Of this block alone.
    ranked : bool
        Whether its values may be compared with each other. Values of different blocks never are.
    """

    rows: tuple[Row, ...]
    title: str = ""
    signature: str = ""
    notes: tuple[str, ...] = ()
    ranked: bool = True


@dataclass(frozen=True)
class TableContent:
    """A table that every writer here takes.

    Parameters
    ----------
    columns : tuple of Column
        The first one names the rows.
    blocks : tuple of Block
    notes : tuple of str
        Of the whole table.
    caption, label : str
        Empty for none. The label is LaTeX's: letters, digits and ``: . - _ /``.

    Raises
    ------
    UsageError
        U279 where a row has another number of cells than there are columns.
    """

    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()
    caption: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        """Check the number of cells."""
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise UsageError(
                    "U279",
                    "a row of the table has another number of cells than there are columns",
                    where=f"row {index}",
                    expected=f"{len(self.columns)} cells",
                    got=f"{len(row)} cells",
                )

    @classmethod
    def of_rows(
        cls,
        columns: Iterable[Column],
        rows: Iterable[Sequence[Cell]],
        *,
        ranked: bool = True,
        notes: Iterable[str] = (),
        caption: str = "",
        label: str = "",
    ) -> TableContent:
        """Table of one block without a title."""
        block = Block(tuple(tuple(row) for row in rows), ranked=ranked)
        return cls(tuple(columns), (block,), tuple(notes), caption, label)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Rows of all blocks, in their order."""
        return tuple(row for block in self.blocks for row in block.rows)

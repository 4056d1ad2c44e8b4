"""The same table, laid out another way: blocks side by side, or metrics as rows."""

from __future__ import annotations

from dataclasses import replace

from vadbench.errors import UsageError, quoted
from vadbench.tables.content import Block, Cell, Column, Mark, Row, TableContent
from vadbench.tables.ranking import Marking, marked
from vadbench.tables.titles import used_columns


def side_by_side(content: TableContent) -> TableContent:
    """One block of all: a row for each name, and the columns of each block under the block's title.

    The usual form for one protocol on several data sets. Values are ranked within their column, so never across
    blocks. Signatures become notes.

    Raises
    ------
    UsageError
        U276 if a name comes twice in a block.
    """
    names: dict[str, Cell] = {}
    columns: list[Column] = [content.columns[0]]
    parts: list[dict[str, Row]] = []
    notes: list[str] = []
    for block in content.blocks:
        used = used_columns(content.columns, block)[1:]
        for index in used:
            column = content.columns[index]
            titled = f"{block.title}: {column.title}" if block.title else column.title
            columns.append(replace(column, title=titled, group=block.title, head=column.title))
        part: dict[str, Row] = {}
        for row in block.rows:
            name = row[0].text
            if name in part:
                raise UsageError("U276", "two rows of one block have the same name", got=quoted(name))
            names.setdefault(name, row[0])
            filled = [row[index] for index in used]
            part[name] = tuple(cell if block.ranked else replace(cell, mark=cell.mark or Mark.NONE) for cell in filled)
        parts.append(part)
        before = f"{block.title}: " if block.title else ""
        notes += [before + text for text in (block.signature, *block.notes) if text]
    rows = []
    for name, first in names.items():
        cells: list[Cell] = [first]
        for part, block in zip(parts, content.blocks, strict=True):
            n = len(used_columns(content.columns, block)) - 1
            cells += part.get(name, (Cell(""),) * n)
        rows.append(tuple(cells))
    return replace(content, columns=tuple(columns), blocks=(Block(tuple(rows)),), notes=(*notes, *content.notes))


def transposed(content: TableContent, *, marking: Marking | str = Marking.BEST_AND_SECOND) -> TableContent:
    """One row a column and one column a row; what is marked stays marked.

    Raises
    ------
    UsageError
        U276 for a table of several blocks, which have rows of their own.
    """
    if len(content.blocks) != 1:
        raise UsageError(
            "U276",
            "only a table of one block can be turned",
            got=f"{len(content.blocks)} blocks: reports of several data sets or protocols",
            hint="make a table of each, or lay the blocks side by side",
        )
    ready = marked(content, marking)
    block = ready.blocks[0]
    columns = [Column("metric", "Metric")]
    columns += [Column(f"row-{n}", row[0].text, numbers=True, cite=row[0].cite) for n, row in enumerate(block.rows)]
    rows = [
        (Cell(column.title, direction=column.direction), *(row[index] for row in block.rows))
        for index, column in enumerate(ready.columns[1:], start=1)
    ]
    return replace(ready, columns=tuple(columns), blocks=(replace(block, rows=tuple(rows)),))

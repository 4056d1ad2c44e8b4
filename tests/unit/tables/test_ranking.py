"""Which cells are marked."""

from __future__ import annotations

import pytest

from vadbench.errors import ProtocolError, UsageError
from vadbench.tables import Block, Cell, Column, Direction, Mark, Marking, TableContent, marked

BEST, SECOND, NONE = Mark.BEST, Mark.SECOND, Mark.NONE


def table(*blocks: Block, direction: Direction = Direction.HIGHER) -> TableContent:
    return TableContent((Column("method", "Method"), Column("x", "X", direction, numbers=True)), blocks)


def block(*texts: str, ranked: bool = True) -> Block:
    rows = tuple(
        (Cell(f"m{n}"), Cell(text, float(text) if text[:1].isdigit() else None)) for n, text in enumerate(texts)
    )
    return Block(rows, ranked=ranked)


def marks(content: TableContent, marking: str = "best-and-second") -> list[list[Mark | None]]:
    return [[row[1].mark for row in own.rows] for own in marked(content, marking).blocks]


def test_the_best_and_the_second_of_a_column() -> None:
    assert marks(table(block("1", "3", "2"))) == [[NONE, BEST, SECOND]]
    assert marks(table(block("1", "3", "2"), direction=Direction.LOWER)) == [[BEST, NONE, SECOND]]
    assert marks(table(block("1", "3", "2"), direction=Direction.NONE)) == [[NONE, NONE, NONE]]


def test_names_are_never_marked() -> None:
    assert {row[0].mark for row in marked(table(block("1", "3"))).rows} == {NONE}


def test_equal_values_are_marked_alike_and_so_are_those_printed_alike() -> None:
    assert marks(table(block("3", "3.0", "2", "2", "1"))) == [[BEST, BEST, SECOND, SECOND, NONE]]
    cells = Cell("91.04", 0.91041), Cell("91.04", 0.91039), Cell("9.00", 0.09)
    rows = tuple((Cell("m"), cell) for cell in cells)
    assert marks(table(Block(rows))) == [[BEST, BEST, SECOND]]


def test_blocks_are_ranked_apart_and_some_not_at_all() -> None:
    assert marks(table(block("1", "2"), block("8", "9"), block("5", "7", ranked=False))) == [
        [SECOND, BEST],
        [SECOND, BEST],
        [NONE, NONE],
    ]


def test_one_value_is_the_best_of_nothing() -> None:
    assert marks(table(block("1"), block("–", "1", ""))) == [[NONE], [NONE, NONE, NONE]]


def test_marking_can_be_chosen() -> None:
    content = table(block("1", "3", "2"))
    assert marks(content, Marking.BEST) == [[NONE, BEST, NONE]]
    assert marks(content, "none") == [[NONE, NONE, NONE]]
    with pytest.raises(ProtocolError, match="P101"):
        marked(content, "bold")


def test_a_mark_that_is_there_stays() -> None:
    rows = ((Cell("a"), Cell("1", 1.0, mark=BEST)), (Cell("b"), Cell("2", 2.0)), (Cell("c"), Cell("3", 3.0)))
    assert marks(table(Block(rows))) == [[BEST, SECOND, BEST]]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(UsageError, match="U279"):
        TableContent.of_rows([Column("a", "A")], [(Cell("x"), Cell("y"))])

"""What a build says of tables of papers that are not as they were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from leaderboard.board import Citation, PublishedRow, PublishedTable
from leaderboard.changes import changes_of
from leaderboard.published_rows import read_published
from leaderboard.published_state import published_states
from leaderboard.state import State

PUBLISHED = Path(__file__).parents[3] / "leaderboard" / "published"
ROWS = tuple(
    PublishedRow(method, setting, {}, {"pixel_auroc": number}, "own2024", protocol="unknown")
    for method, setting, number in (("A", "zero-shot", "51.20"), ("A", "fully trained", "60.00"), ("B*", None, "7.1"))
)
TABLE = PublishedTable(
    id="own-2024-table-1",
    paper="A paper",
    caption="A table",
    dataset="ucsd-ped2",
    columns={"pixel_auroc": "AUROC"},
    protocol="unknown",
    rows=ROWS,
    source=Citation("own2024", ""),
    place="Table 1",
)


def changes(before: Sequence[PublishedTable], now: Sequence[PublishedTable]) -> list[tuple[str, str, list[str]]]:
    last, state = (State(published=published_states(tables)) for tables in (before, now))
    return [(own.key, own.words, [problem.code for problem in own.problems]) for own in changes_of(last, state, {})]


def with_cell(text: str) -> PublishedTable:
    return replace(TABLE, rows=(replace(ROWS[0], cells={"pixel_auroc": text}), *ROWS[1:]))


def test_tables_as_they_were_are_no_change() -> None:
    assert changes([TABLE], [TABLE]) == []


def test_a_new_table_needs_no_acceptance_and_one_that_is_gone_does() -> None:
    assert changes([], [TABLE]) == [(TABLE.id, "new: 3 rows as printed in A paper, Table 1", [])]
    assert changes([TABLE], []) == [(TABLE.id, "gone: 3 rows as printed in A paper, Table 1", ["L126"])]


@pytest.mark.parametrize("text", ["51.21", "51.2"])
def test_a_cell_that_differs_by_any_sign_must_be_accepted(text: str) -> None:
    expected = (f"{TABLE.id}/a-zero-shot", f"AUROC 51.20 → {text}", ["L127"])
    assert changes([TABLE], [with_cell(text)]) == [expected]


def test_a_row_that_is_gone_must_be_accepted_and_a_new_one_need_not() -> None:
    fewer = replace(TABLE, rows=ROWS[:2])
    assert changes([TABLE], [fewer]) == [(f"{TABLE.id}/b", "gone: B\\*; AUROC 7.1", ["L126"])]
    assert changes([fewer], [TABLE]) == [(f"{TABLE.id}/b", "new: B\\*; AUROC 7.1", [])]


def test_words_about_a_table_or_a_row_may_be_mended_and_are_told() -> None:
    mended = replace(TABLE, caption="Better", rows=(replace(ROWS[0], protocol="known", cite="two"), *ROWS[1:]))
    assert changes([TABLE], [mended]) == [
        (TABLE.id, "another caption", []),
        (f"{TABLE.id}/a-zero-shot", "another citation; other words on its protocol", []),
    ]


def test_another_data_set_must_be_accepted() -> None:
    [(key, words, codes)] = changes([TABLE], [replace(TABLE, dataset="avenue")])
    assert (key, words, codes) == (TABLE.id, "another data set", ["L127"])


def test_rows_of_one_label_in_plain_letters_have_names_of_their_own() -> None:
    rows = (replace(ROWS[0], method="A+"), ROWS[0], replace(ROWS[0], method="***", setting=None))
    names = list(published_states([replace(TABLE, rows=rows)])[TABLE.id].rows)
    assert names == ["a-zero-shot", "a-zero-shot-2", "row"]


def test_the_tables_of_the_repository_are_read_back(tmp_path: Path) -> None:
    tables, _ = read_published(PUBLISHED)
    state = State(published=published_states(tables))
    path = tmp_path / "board.json"
    path.write_text(state.to_json(), encoding="utf-8")
    assert State.read(path) == state
    assert len(json.loads(path.read_text(encoding="utf-8"))["published"]) == len(tables)

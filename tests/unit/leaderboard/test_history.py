"""HISTORY.md and withdrawn.toml: what is written is read back, and nothing of it is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard.board import Withdrawn
from leaderboard.errors import LeaderboardError
from leaderboard.history import history_line, read_history, with_lines
from leaderboard.withdrawn import read_withdrawn, withdrawn_key, withdrawn_text

HOSTILE = 'a "b" \\ c\ttab é 😀 #'


def test_new_lines_stand_above_old_ones_and_below_the_head() -> None:
    first = with_lines("", [history_line("2026-01-31", "a/avenue", "new", "")])
    second = with_lines(first, [history_line("2026-02-01", "b/avenue", "new", ""), "- 2026-02-01 `c/avenue` new"])
    lines = [line[:14] for line in second.splitlines() if line.startswith("- ")]
    assert lines == ["- 2026-02-01 `", "- 2026-02-01 `", "- 2026-01-31 `"]
    assert second.startswith("# History of the board\n")
    assert second.index("`b/avenue`") < second.index("`c/avenue`") < second.index("`a/avenue`")


def test_without_new_lines_the_text_stays_as_it_is() -> None:
    assert with_lines("as it is", []) == "as it is"


def test_what_people_wrote_above_the_lines_stays() -> None:
    mended = with_lines("# Ours\n\nA word.\n- 2026-01-31 `a/avenue` new\n", ["- 2026-02-01 `b/avenue` new"])
    assert mended == "# Ours\n\nA word.\n\n- 2026-02-01 `b/avenue` new\n- 2026-01-31 `a/avenue` new\n"


def test_a_reason_is_text_and_nothing_else() -> None:
    line = history_line("2026-01-31", "a/avenue", "withdrawn", "<script> [x](https://example.org)")
    assert "<script>" not in line
    assert "[x](" not in line


def test_a_history_that_is_no_text_is_refused(tmp_path: Path) -> None:
    assert read_history(tmp_path / "HISTORY.md") == ""
    (tmp_path / "HISTORY.md").write_bytes(b"\xff\xfe")
    with pytest.raises(LeaderboardError, match="L115"):
        read_history(tmp_path / "HISTORY.md")


def test_withdrawn_rows_are_read_back(tmp_path: Path) -> None:
    rows = (
        Withdrawn("a", "avenue", HOSTILE, "standard", "2026-01-31", ""),
        Withdrawn("b", "avenue", "B", "tao-release+object.track_boxes=as-is", "2026-02-01", HOSTILE),
    )
    path = tmp_path / "withdrawn.toml"
    path.write_text(withdrawn_text(rows), encoding="utf-8")
    assert read_withdrawn(path) == rows
    assert [withdrawn_key(row) for row in rows] == ["a/avenue", "b/avenue/tao-release+object.track_boxes=as-is"]
    assert read_withdrawn(tmp_path / "none.toml") == ()


@pytest.mark.parametrize(
    "text",
    [
        "[[withdrawn]",
        "other = 1",
        "withdrawn = 3",
        '[[withdrawn]]\nmethod = "a"',
        '[[withdrawn]]\nmethod = "a"\ndataset = "b"\nprotocol = "c"\nname = "d"\ndate = "some day"\nreason = ""',
        '[[withdrawn]]\nmethod = "a"\ndataset = "b"\nprotocol = "c"\nname = "d"\ndate = "2026-01-31"\nreason = 3',
    ],
)
def test_a_list_of_withdrawn_rows_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "withdrawn.toml"
    path.write_text(text)
    with pytest.raises(LeaderboardError, match="L114"):
        read_withdrawn(path)

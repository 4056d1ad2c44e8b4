"""What the next build is compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_statistics import made_statistics

from leaderboard.board import Row
from leaderboard.choices import Status
from leaderboard.errors import LeaderboardError
from leaderboard.places import Places
from leaderboard.state import State, check_first, make_state
from vadbench import Report


def row(report: Report, method: str = "a", **more: Any) -> Row:
    fields = {
        "method": method,
        "dataset": report.dataset.id,
        "name": "A",
        "version": "",
        "status": Status.SUBMITTED,
        "supervision": "one-class",
        "report": report,
        "statistics": None,
        "metadata": {},
        "folder": Path(),
        "report_sha256": "0" * 64,
    }
    return Row(**(fields | more))


def test_a_state_is_read_back(tmp_path: Path) -> None:
    report, _ = made_statistics(1)
    state = make_state([row(report)], [row(report, "b")], {"a/ucsd-ped2": "1" * 64}, None)
    path = tmp_path / "board.json"
    path.write_text(state.to_json(), "utf-8")
    assert State.read(path) == state
    assert state.rows["a/ucsd-ped2"].scores["pixel_ap"] == report.value("pixel_ap")
    assert state.rows["a/ucsd-ped2"].signature + "|v=0.1.0" == report.signature
    assert [own.archived for own in state.rows.values()] == [False, True]
    assert State.read(tmp_path / "none.json") is None


def test_a_clip_is_missed_that_another_row_has_or_that_was_there_in_the_last_build() -> None:
    report, _ = made_statistics(1)
    fewer = report.model_copy(update={"clips": report.clips[:-1]})
    alone = make_state([row(fewer)], [], {}, None)
    assert alone.rows["a/ucsd-ped2"].missing == ()
    beside = make_state([row(fewer), row(report, "b")], [], {}, None)
    assert (beside.rows["a/ucsd-ped2"].missing, beside.rows["b/ucsd-ped2"].missing) == (("12",), ())
    later = make_state([row(fewer)], [], {}, beside)
    assert later.rows["a/ucsd-ped2"].missing == ("12",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": "vadbench.board/2"}',
        '{"format": "vadbench.board/1", "rows": {"a": {}}, "clips": {}}',
    ],
)
def test_a_state_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "board.json"
    path.write_text(text)
    with pytest.raises(LeaderboardError, match="L113"):
        State.read(path)


def test_a_board_without_its_state_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    places = Places(tmp_path)
    check_first(places, "")
    check_first(places, "# History of the board\n\nNothing yet.\n")
    with pytest.raises(LeaderboardError, match="L113"):
        check_first(places, "# History of the board\n\n- 2026-01-31 `a/avenue` new\n")
    places.tables.mkdir(parents=True)
    (places.tables / "README").write_text("what lies here")
    check_first(places, "")
    (places.tables / "avenue-standard.csv").write_text("")
    with pytest.raises(LeaderboardError, match="L113") as raised:
        check_first(places, "")
    assert "avenue-standard.csv" in raised.value.got
    (places.tables / "avenue-standard.csv").unlink()
    places.withdrawn.write_text("")
    with pytest.raises(LeaderboardError, match="L113"):
        check_first(places, "")

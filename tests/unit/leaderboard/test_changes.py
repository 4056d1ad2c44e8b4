"""What a build says of rows that are not as they were."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leaderboard.changes import changes_of, check_accepted
from leaderboard.choices import Status
from leaderboard.state import RowState, State
from vadbench import UsageError

SIGNATURE = "vadbench/1|data=ucsd-ped2:57a42e14|tracks=mask-overlap|protocol=standard"
ROW = RowState(
    name="My Method",
    version="v2",
    signature=SIGNATURE,
    status="submitted",
    supervision="one-class",
    report_sha256="a" * 64,
    statistics_sha256="",
    scores={"pixel_ap": 0.35, "rbdc": 0.5},
)
KEY = "my-method/ucsd-ped2"


def changes(before: RowState | None, now: RowState | None, **more: object) -> list[tuple[str, list[str]]]:
    last = State({KEY: before} if before else {})
    state = State({KEY: now} if now else {})
    found = changes_of(last, state, more.get("withdrawn", {}), more.get("other_clips", ()))  # type: ignore[arg-type]
    return [(change.words, [problem.code for problem in change.problems]) for change in found]


def test_a_row_that_is_as_it_was_is_no_change() -> None:
    assert changes(ROW, ROW) == []


def test_a_new_row_needs_no_acceptance() -> None:
    assert changes(None, ROW) == [("new: My Method v2; Pixel-AP 35.00, RBDC 50.00", [])]


def test_without_an_earlier_build_every_row_is_new() -> None:
    assert [change.words[:4] for change in changes_of(None, State({KEY: ROW}), {})] == ["new:"]


def test_a_row_that_is_gone_must_be_accepted() -> None:
    [(words, codes)] = changes(ROW, None)
    assert words.startswith("withdrawn: My Method v2")
    assert codes == ["L120"]


def test_a_withdrawn_row_that_comes_back_says_so() -> None:
    [(words, codes)] = changes(None, ROW, withdrawn={KEY: "2026-01-31"})
    assert words.startswith("back on the board, withdrawn on 2026-01-31")
    assert codes == []


@pytest.mark.parametrize(
    ("value", "codes"),
    [(0.35 + 0.9e-4, []), (0.35 - 0.9e-4, []), (0.35 + 1.1e-4, ["L121"]), (0.35 - 1.1e-4, ["L121"])],
)
def test_a_score_may_move_by_a_ten_thousandth(value: float, codes: list[str]) -> None:
    [(_, found)] = changes(ROW, replace(ROW, report_sha256="b" * 64, scores={"pixel_ap": value, "rbdc": 0.5}))
    assert found == codes


def test_a_move_that_the_digits_of_tables_hide_is_shown_in_full() -> None:
    [(words, _)] = changes(ROW, replace(ROW, scores={"pixel_ap": 0.35 + 1e-9, "rbdc": 0.5}))
    assert words == f"Pixel-AP 0.35 → {0.35 + 1e-9!r}"


def test_a_score_that_is_gone_counts_as_moved_and_a_new_one_does_not() -> None:
    fewer = replace(ROW, scores={"pixel_ap": 0.35})
    assert changes(ROW, fewer) == [("RBDC 50.00 → –", ["L121"])]
    assert changes(fewer, ROW) == [("RBDC – → 50.00", [])]


def test_another_signature_must_be_accepted() -> None:
    [(words, codes)] = changes(ROW, replace(ROW, signature=SIGNATURE.replace("57a42e14", "00000000")))
    assert codes == ["L122"]
    assert "00000000" in words
    assert "|" not in words


def test_a_clip_that_others_have_is_missed_once() -> None:
    without = replace(ROW, missing=("07",))
    assert changes(ROW, without)[0][1] == ["L123"]
    assert changes(None, without)[0][1] == ["L123"]
    assert changes(without, without) == []
    assert changes(without, ROW)[0] == ("with all clips again", [])


def test_clips_that_are_not_those_of_the_data_set_are_accepted_for_one_report() -> None:
    other = replace(ROW, report_sha256="b" * 64)
    assert changes(None, ROW, other_clips={KEY})[0][1] == ["L124"]
    assert changes(ROW, other, other_clips={KEY})[0][1] == ["L124"]
    assert changes(ROW, ROW, other_clips={KEY}) == []


def test_older_definitions_move_a_row_into_the_archive_and_scoring_again_takes_it_back() -> None:
    old = replace(ROW, archived=True)
    again = replace(ROW, signature=SIGNATURE.replace("vadbench/1", "vadbench/2"), scores={"pixel_ap": 0.9})
    assert changes(ROW, old) == [("into the archive, scored under the definitions vadbench/1", [])]
    [(words, codes)] = changes(old, again)
    assert words.startswith("scored again, under the definitions vadbench/2; Pixel-AP 90.00")
    assert codes == []
    assert changes(old, old) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "verified"}, "verified, before submitted"),
        ({"supervision": "zero-shot"}, "zero-shot, before one-class"),
        ({"name": "Another"}, "now called Another v2"),
        ({"report_sha256": "b" * 64}, "another report, the same scores"),
        ({"statistics_sha256": "b" * 64}, "now with statistics"),
    ],
)
def test_other_changes_are_told_and_pass(change: dict[str, str], words: str) -> None:
    assert changes(ROW, replace(ROW, **change)) == [(words, [])]  # type: ignore[arg-type]


def test_statistics_that_are_gone_must_be_accepted_and_others_need_not_be() -> None:
    having = replace(ROW, statistics_sha256="b" * 64)
    assert changes(having, ROW) == [("without statistics, which it had", ["L128"])]
    assert changes(having, replace(ROW, statistics_sha256="c" * 64)) == [("other statistics", [])]


def test_a_verification_that_is_gone_must_be_accepted() -> None:
    submitted, verified = (replace(ROW, status=status) for status in (Status.SUBMITTED, Status.VERIFIED))
    assert changes(verified, submitted) == [("submitted, before verified", ["L116"])]
    assert changes(submitted, verified) == [("verified, before submitted", [])]


def test_several_causes_are_several_problems() -> None:
    other = replace(ROW, signature=SIGNATURE + "+x", scores={"pixel_ap": 0.1, "rbdc": 0.5}, missing=("07",))
    assert changes(ROW, other)[0][1] == ["L122", "L121", "L123"]


def test_names_of_strangers_do_nothing_in_the_history() -> None:
    [(words, _)] = changes(None, replace(ROW, name="<b>x</b> [a](javascript:b) `c` | *d*"))
    for sign in ("<b>", "[a](", "javascript:", " | "):
        assert sign not in words


def test_each_problem_names_what_accepts_it() -> None:
    found = changes_of(State({KEY: ROW}), State({}), {})
    [problem] = check_accepted(found, [])
    assert f"--accept {KEY}" in problem.hint
    assert check_accepted(found, [KEY]) == []


def test_to_accept_what_needs_none_is_a_wrong_call() -> None:
    found = changes_of(State({KEY: ROW}), State({}), {})
    with pytest.raises(UsageError, match="L104") as raised:
        check_accepted(found, ["my-metod/ucsd-ped2"])
    assert KEY in raised.value.hint
    with pytest.raises(UsageError, match="L104"):
        check_accepted(changes_of(None, State({KEY: ROW}), {}), [KEY])

"""The audit of the paper's tables: verdicts, the data form, the text and the command."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from leaderboard.audit import (
    READINGS,
    Audit,
    Family,
    Finding,
    Verdict,
    audit,
    audit_text,
    audited,
    kept,
    with_consistency,
)
from leaderboard.audit.bounds import points
from leaderboard.audit.truth_facts import read_facts
from leaderboard.board import PublishedTable
from leaderboard.cache import BoardCache
from leaderboard.main import main
from leaderboard.published_rows import read_published
from vadbench import Protocol

ROOT = Path(__file__).parents[3]
TABLE_1, TABLE_2, TABLE_3, TABLE_4 = (f"tao-cvpr-2025-table-{number}" for number in range(1, 5))
MASKS = ("pooled-masks", "pooled-masks-pr-auc", "anomalous-frames-masks-pr-auc")
FIVE = {3: "AnomalyCLIP (zero-shot)", 4: "AnomalyCLIP (fully fine-tuned)", 5: "DDAD", 6: "SimpleNet", 7: "DRAEM"}


@pytest.fixture(scope="module")
def tables() -> tuple[PublishedTable, ...]:
    return read_published(ROOT / "leaderboard" / "published")[0]


@pytest.fixture(scope="module")
def found(tables: tuple[PublishedTable, ...]) -> Audit:
    return audit(tables)


def finding(found: Audit, table: str, row: int, reading: str) -> Finding:
    return next(one for one in found.of_row(table, row) if one.reading.id == reading)


@pytest.mark.parametrize("row", [1, 2])
@pytest.mark.parametrize("reading", MASKS)
def test_the_upper_rows_of_table_4_are_no_pooled_masks(row: int, reading: str, found: Audit) -> None:
    one = finding(found, TABLE_4, row, reading)
    assert one.verdict is Verdict.IMPOSSIBLE
    assert one.robust
    assert one.violations[0].metrics == ("pixel_f1", "pixel_auroc")
    assert one.margin is not None
    assert one.margin > 25


def test_table_4_can_be_the_released_evaluation(found: Audit) -> None:
    for row in range(1, 5):
        assert finding(found, TABLE_4, row, "tao-release-masks").verdict is Verdict.CONSISTENT
        assert finding(found, TABLE_4, row, "pooled-masks").verdict is Verdict.IMPOSSIBLE
    silent = [finding(found, TABLE_4, row, "tao-release-masks").remark for row in range(1, 5)]
    assert [float(re.search(r"[\d.]+", text)[0]) for text in silent] == pytest.approx([44, 47, 4, 5], abs=1)  # type: ignore[index]


AP_ALLOWED = {3: 6.54, 4: 8.40, 5: 2.83, 6: 12.37, 7: 12.59}


@pytest.mark.parametrize("row", FIVE)
def test_five_rows_of_table_1_have_too_great_an_ap_for_a_best_f1(row: int, found: Audit) -> None:
    one = finding(found, TABLE_1, row, "pooled-soft")
    assert one.row.startswith(FIVE[row])
    assert one.verdict is Verdict.IMPOSSIBLE
    assert one.robust
    assert one.violations[0].metrics == ("pixel_ap", "pixel_f1")
    assert f"at most {AP_ALLOWED[row]:.2f};" in one.violations[0].sentence
    assert finding(found, TABLE_1, row, "frame-mean-soft").verdict is Verdict.IMPOSSIBLE


FRAGILE = {
    (TABLE_1, 1, "anomalous-frames-masks-pr-auc"),
    (TABLE_1, 1, "pooled-soft"),
    (TABLE_1, 1, "frame-mean-soft"),
}


def test_what_a_prevalence_ten_per_cent_off_overturns_is_said_to_be_uncertain(found: Audit) -> None:
    asked = [one for one in found.findings if one.verdict is Verdict.IMPOSSIBLE and one.reading.family is Family.PIXELS]
    assert all(one.robust is not None for one in asked)
    assert {(one.table, one.row_number, one.reading.id) for one in asked if not one.robust} == FRAGILE
    text = " ".join(audit_text(found, 200).split())
    assert "F1 is at least 2.72; printed 2.61 (theorem 1). Not certain for masks of another size" in text


def test_what_stands_for_other_masks_is_shown_first(found: Audit) -> None:
    ddad = finding(found, TABLE_1, 5, "frame-mean-soft")
    assert [violation.theorem for violation in ddad.violations] == [10, 1]
    assert ddad.robust
    adaclip = finding(found, TABLE_1, 2, "tao-release-masks")
    assert adaclip.violations[0].metrics == ("pixel_ap", "pixel_aupro", "pixel_f1")
    assert adaclip.robust


def test_the_short_form_counts_readings_and_names_them_in_few_words(found: Audit) -> None:
    short = found.short_of_row(TABLE_1, 6)
    assert short.words == "2 of 10 readings"
    assert short.possible == ("pooled (soft, one cut)", "tao-release (soft)")
    assert found.short_of_row(TABLE_2, 1).words == "1 of 1 reading"
    assert found.short_of_row(TABLE_2, 99).words == "not checked"
    shorts = [reading.short for reading in READINGS]
    assert len(set(shorts)) == len(shorts)
    assert max(map(len, shorts)) <= 24


def test_the_audit_is_kept_until_a_row_or_the_code_changes(
    tables: tuple[PublishedTable, ...], found: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audited(tables, BoardCache(tmp_path)) == found
    monkeypatch.setattr("leaderboard.audit.kept.audit", lambda _: pytest.fail("audited again"))
    kept._found.cache_clear()
    assert audited(tables, BoardCache(tmp_path)) == found
    asked: list[object] = []

    def counted(own: object) -> Audit:
        asked.append(own)
        return Audit((), ())

    monkeypatch.setattr("leaderboard.audit.kept.audit", counted)
    changed = replace(tables[0], rows=tables[0].rows[:-1])
    audited([changed, *tables[1:]], BoardCache(tmp_path))
    monkeypatch.setattr("leaderboard.audit.kept.audit_code_digest", lambda: "other")
    audited(tables, BoardCache(tmp_path))
    monkeypatch.setattr("leaderboard.audit.kept.audit_code_digest", lambda: "another")
    audited(tables, BoardCache(None))
    assert len(asked) == 3
    kept._found.cache_clear()


def test_the_text_holds_no_character_that_does_not_show(found: Audit) -> None:
    hostile = replace(found.findings[0], row="Ada\x1b[31m\u202eCLIP\n2", table="table\u2066\x07")
    text = audit_text(Audit(found.readings, (hostile,)), 80)
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert "1. Ada[31mCLIP 2" in text


@pytest.mark.parametrize("row", FIVE)
def test_the_same_five_are_no_masks_pooled_or_by_frame(row: int, found: Audit) -> None:
    for reading in (*MASKS, "tao-release-masks"):
        assert finding(found, TABLE_1, row, reading).verdict is Verdict.IMPOSSIBLE
    for reading in ("pooled-soft-cut", "tao-release-soft"):
        assert finding(found, TABLE_1, row, reading).verdict is Verdict.CONSISTENT


def test_simplenet_finds_more_regions_than_its_tracks_allow(found: Audit) -> None:
    verdicts = {row: finding(found, TABLE_1, row, "tracks").verdict for row in range(1, 9)}
    assert [row for row, verdict in verdicts.items() if verdict is Verdict.IMPOSSIBLE] == [6]
    violation = finding(found, TABLE_1, 6, "tracks").violations[0]
    assert violation.sentence == "TBDC 27.75 allows RBDC at most 43.89; printed 51.18"
    assert violation.margin == pytest.approx(51.175 - 43.886, abs=2e-3)


def test_rows_without_pixel_metrics_are_held_against_tracks_alone(found: Audit) -> None:
    for table in (TABLE_2, TABLE_3):
        own = [one for one in found.findings if one.table == table]
        assert {one.reading.id for one in own} == {"tracks"}
        assert {one.verdict for one in own} == {Verdict.CONSISTENT}


def test_a_data_set_without_counts_is_not_checked(tables: tuple[PublishedTable, ...]) -> None:
    unknown = audit([replace(tables[0], dataset="shanghaitech"), replace(tables[1], dataset="avenue")])
    pixels = [one for one in unknown.findings if one.reading.family is Family.PIXELS]
    assert {one.verdict for one in pixels} == {Verdict.NOT_CHECKED}
    assert all("shanghaitech" in one.reason for one in pixels)
    objects = [one for one in unknown.findings if one.table == TABLE_2]
    assert {one.verdict for one in objects} == {Verdict.NOT_CHECKED}
    assert read_facts("avenue").tracks is None


def test_consistent_of_rows_is_filled_in_the_order_of_readings(
    tables: tuple[PublishedTable, ...], found: Audit
) -> None:
    filled = with_consistency(tables, found)
    row = filled[3].rows[0]
    assert "tao-release, binary masks" in row.consistent
    assert "pooled, binary masks" not in row.consistent
    titles = [reading.title for reading in READINGS]
    assert list(row.consistent) == [title for title in titles if title in row.consistent]
    assert [table.id for table in filled] == [table.id for table in tables]
    assert filled[0].rows[0].cells == tables[0].rows[0].cells


def test_readings_name_protocols_that_exist() -> None:
    assert len({reading.id for reading in READINGS}) == len(READINGS) == len({reading.title for reading in READINGS})
    for reading in READINGS:
        if reading.family is Family.PIXELS:
            assert str(Protocol.parse(reading.protocol)) == reading.protocol


def test_every_broken_inequality_has_a_theorem_in_the_documentation(found: Audit) -> None:
    text = (ROOT / "docs" / "audit.md").read_text("utf-8")
    numbers = {violation.theorem for one in found.findings for violation in one.violations}
    assert numbers
    for number in numbers:
        assert re.search(rf"^\*\*Theorem {number}\b", text, re.MULTILINE), number
    for reading in READINGS:
        assert f"`{reading.id}`" in text


def test_verdicts_bring_what_they_need(found: Audit) -> None:
    for one in found.findings:
        assert (one.verdict is Verdict.IMPOSSIBLE) == bool(one.violations)
        assert (one.verdict is Verdict.NOT_CHECKED) == bool(one.reason)
        assert all(violation.margin > 0 for violation in one.violations)


def test_the_data_form_is_json_of_plain_numbers(found: Audit) -> None:
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert data["format"] == "vadbench.audit/1"
    assert {one["reading"] for one in data["findings"]} == {reading["id"] for reading in data["readings"]}
    assert len(data["findings"]) == len(found.findings) == 12 * 10 + 11


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_text_fits_the_terminal(width: int, found: Audit) -> None:
    text = audit_text(found, width)
    assert max(map(len, text.splitlines())) <= width
    assert "TBDC 27.75 allows RBDC at most 43.89; printed 51.18" in " ".join(text.split())


def test_limits_are_rounded_away_from_what_they_exclude() -> None:
    assert points(0.123401, up=True) == "12.35"
    assert points(0.123499, up=False) == "12.34"
    assert points(0.1234, up=True) == points(0.1234, up=False) == "12.34"


def test_the_command_prints_one_table_as_text_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--table", TABLE_2]) == 0
    text = capsys.readouterr().out
    assert TABLE_2 in text
    assert TABLE_1 not in text
    assert main(["audit", "--table", TABLE_2, "--json"]) == 0
    assert {one["table"] for one in json.loads(capsys.readouterr().out)["findings"]} == {TABLE_2}


def test_the_command_refuses_an_unknown_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--table", "tao-cvpr-2025-table-11"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "L147" in captured.err
    assert TABLE_1 in captured.err


def test_the_command_says_what_is_wrong_with_published_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--repository", str(tmp_path)]) == 1
    assert "L144" in capsys.readouterr().err

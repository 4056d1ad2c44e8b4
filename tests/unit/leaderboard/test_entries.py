"""Reading of entries: which stand on the board, with which status, and what stops a build."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from leaderboard.build import make_board, make_build
from leaderboard.cache import BoardCache
from leaderboard.choices import Status
from leaderboard.entries import read_entries
from leaderboard.errors import LeaderboardError, SeveralProblemsError
from leaderboard.verification import verified_status
from vadbench import UsageError
from vadbench.tables import percent

ENTRY = "submissions/method-1/ucsd-ped2"


def changed_report(path: Path, change: Any) -> None:
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


def codes(repository: Path, **more: Any) -> list[str]:
    with pytest.raises(LeaderboardError) as raised:
        make_build(repository, workers=1, **more)
    error = raised.value
    return [problem.code for problem in error.problems] if isinstance(error, SeveralProblemsError) else [error.code]


def verify(folder: Path, **more: Any) -> None:
    names = ["submission.toml", *(path.name for path in folder.glob("*report.json"))]
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    files |= {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*statistics.json")}
    (folder / "verified.json").write_text(json.dumps({"format": "vadbench.verified/1", "files": files, **more}))


def status(repository: Path) -> Status:
    [entry] = [own for own in read_entries(repository / "submissions", BoardCache(None)) if own.method == "method-1"]
    return entry.status


def test_rows_have_what_the_metadata_and_the_report_say(repository: Path) -> None:
    board = make_board(repository, workers=1)
    [ranking] = board.rankings
    row = next(own.row for own in ranking.rows if own.row.method == "method-1")
    assert (row.name, row.version, row.key) == ("Method 1", "1.0", "method-1/ucsd-ped2")
    assert row.supervision == "zero-shot"
    assert row.status is Status.SUBMITTED
    assert row.report_sha256 == hashlib.sha256((repository / ENTRY / "report.json").read_bytes()).hexdigest()
    assert row.statistics is not None
    assert row.statistics.clip_ids == tuple(clip.id for clip in row.report.clips)
    assert row.citation is None


def test_a_verification_of_the_very_files_makes_an_entry_verified(repository: Path) -> None:
    assert status(repository) is Status.SUBMITTED
    verify(repository / ENTRY)
    assert status(repository) is Status.VERIFIED


def test_a_verification_of_other_files_stops_the_build(repository: Path) -> None:
    verify(repository / ENTRY)
    path = repository / ENTRY / "report.json"
    path.write_bytes(path.read_bytes() + b"\n")
    assert codes(repository) == ["S195"]


def test_a_verification_with_scores_must_agree_with_the_report(repository: Path) -> None:
    report = json.loads((repository / ENTRY / "report.json").read_text("utf-8"))
    value = report["scores"]["pixel_ap"]["value"]
    verify(repository / ENTRY, scores={"report.json": {"pixel_ap": value + 1e-12}})
    assert status(repository) is Status.VERIFIED
    verify(repository / ENTRY, scores={"report.json": {"pixel_ap": value + 1e-6}})
    assert codes(repository) == ["L111"]
    verify(repository / ENTRY, scores={"report.json": {"pixel_ap": None}})
    assert codes(repository) == ["L111"]


@pytest.mark.parametrize("name", ["submission.toml", "report.json", "statistics.json"])
def test_a_file_that_is_another_one_takes_the_status_away(repository: Path, name: str) -> None:
    verify(repository / ENTRY)
    contents = {path.name: path.read_bytes() for path in (repository / ENTRY).iterdir()}
    assert verified_status(contents, {}, "") is Status.VERIFIED
    assert verified_status(contents | {name: contents[name] + b"\n"}, {}, "") is Status.SUBMITTED
    assert verified_status(contents | {"verified.json": b"rubbish"}, {}, "") is Status.SUBMITTED


@pytest.mark.parametrize("name", ["submission.toml", "report.json"])
def test_an_entry_without_its_files_stops_the_build(repository: Path, name: str) -> None:
    (repository / ENTRY / name).unlink()
    assert "S180" in codes(repository)


def test_a_missing_clip_stops_the_build(repository: Path) -> None:
    changed_report(repository / ENTRY / "report.json", lambda report: report["clips"].pop())
    assert "S103" in codes(repository)


def test_every_problem_of_every_entry_is_told_with_its_place(repository: Path) -> None:
    for method in ("method-1", "method-2"):
        (repository / "submissions" / method / "ucsd-ped2" / "notes.txt").write_text("")
    (repository / "submissions" / "stray.txt").write_text("")
    with pytest.raises(SeveralProblemsError) as raised:
        make_build(repository)
    block = raised.value.block()
    assert [problem.code for problem in raised.value.problems] == ["S181"] * 3
    for place in ("method-1/ucsd-ped2", "method-2/ucsd-ped2", "stray.txt"):
        assert place in block


def test_two_entries_that_call_themselves_the_same_stop_the_build(repository: Path) -> None:
    shutil.copytree(repository / "submissions" / "method-1", repository / "submissions" / "method-9")
    assert codes(repository) == ["L110"]


def test_statistics_of_another_report_stop_the_build(repository: Path) -> None:
    other = repository / "submissions" / "method-2" / "ucsd-ped2" / "statistics.json"
    shutil.copy(other, repository / ENTRY / "statistics.json")
    found = codes(repository)
    assert found
    assert set(found) <= {"S198", "S199", "L112"}


def test_without_entries_there_is_still_a_board(repository: Path) -> None:
    shutil.rmtree(repository / "submissions")
    (repository / "submissions").mkdir()
    shutil.rmtree(repository / "leaderboard" / "tables")
    (repository / "leaderboard" / "HISTORY.md").unlink()
    board = make_board(repository)
    assert board.rankings == ()
    assert board.published


def test_without_the_folder_of_entries_the_call_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="U240"):
        read_entries(tmp_path / "submissions", BoardCache(None))


def test_what_was_checked_is_not_checked_again_unless_a_file_changes(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = BoardCache(repository / "leaderboard" / ".cache")
    read_entries(repository / "submissions", cache)
    monkeypatch.setattr("leaderboard.entries.check_entry", lambda *_, **__: pytest.fail("checked again"))
    assert len(read_entries(repository / "submissions", cache)) == 3
    path = repository / ENTRY / "submission.toml"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(pytest.fail.Exception, match="checked again"):
        read_entries(repository / "submissions", cache)


OLD = "vadbench/0|data=ucsd-ped2:57a42e14|tracks=mask-overlap|protocol=legacy+pixel.bins=512|v=0.0.1"


def test_a_report_of_older_definitions_moves_to_the_archive(repository: Path) -> None:
    path = repository / ENTRY / "report.json"
    changed_report(path, lambda report: report.update(signature=OLD))
    build = make_build(repository, date="2026-02-01", workers=1)
    assert [row.key for row in build.board.archive] == ["method-1/ucsd-ped2"]
    assert build.board.archive[0].report.signature == OLD
    assert build.board.archive[0].statistics is None
    assert [own.row.method for own in build.board.rankings[0].rows].count("method-1") == 0
    [change] = build.changes
    assert change.words == "into the archive, scored under the definitions vadbench/0"
    assert change.problems == ()
    assert "- 2026-02-01 `method-1/ucsd-ped2` into the archive" in build.board.history
    # Its scores are not lost, and beside no others.
    table = build.files[repository / "leaderboard" / "tables" / "archive.md"].decode()
    value = build.board.archive[0].report.value("pixel_ap")
    assert f" {percent(value)} " in table.replace("*", "")
    assert f"Signature: `{OLD}`" in table
    assert "Old scores" in table
    assert "archive.csv" in build.state.files


def test_what_is_wrong_beside_an_outdated_report_still_stops_the_build(repository: Path) -> None:
    changed_report(repository / ENTRY / "report.json", lambda report: report.update(signature=OLD))
    with (repository / ENTRY / "submission.toml").open("a") as file:
        file.write('\n[surprise]\nkey = "value"\n')
    assert codes(repository) == ["S112"]


def test_an_outdated_report_is_read_strictly_all_the_same(repository: Path) -> None:
    changed_report(repository / ENTRY / "report.json", lambda report: report.update(signature=OLD, surprise=1))
    assert codes(repository) == ["S183"]


def test_a_report_of_newer_definitions_stops_the_build(repository: Path) -> None:
    newer = OLD.replace("vadbench/0", "vadbench/99")
    changed_report(repository / ENTRY / "report.json", lambda report: report.update(signature=newer))
    assert codes(repository)

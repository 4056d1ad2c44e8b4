"""``vadbench score --statistics``: what is written beside the report, what is said of it, and what is in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_submission import write_submission

from vadbench.cli import main
from vadbench.datasets.registry import open_dataset
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import ReportStatistics
from vadbench.evaluation.statistics_pass import report_statistics


def test_statistics_stand_beside_the_report(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "out" / "mine.report.json"
    call = ["score", str(submission), "--root", str(data), "--report", str(place)]
    assert main([*call, "--statistics"]) == 0
    out, err = capsys.readouterr()
    beside = tmp_path / "out" / "mine.statistics.json"
    assert f"statistics {beside}\n" in out
    assert "for comparisons; " in out
    assert err == ""
    statistics, report = ReportStatistics.read(beside), Report.read(place)
    assert statistics.signature == report.signature
    assert statistics.fingerprint == report.submission["fingerprint"]
    assert sorted(path.name for path in beside.parent.iterdir()) == ["mine.report.json", "mine.statistics.json"]
    # In Python they come out the same, to the byte.
    assert report_statistics(submission, open_dataset("synthetic", data), report).to_json() == statistics.to_json()
    before = beside.read_bytes()
    assert main([*call, "--statistics", "--workers", "2"]) == 0
    assert beside.read_bytes() == before
    assert "(replaced)" in capsys.readouterr().out


def test_without_the_option_there_are_none(submission: Path, data: Path, tmp_path: Path) -> None:
    assert main(["score", str(submission), "--root", str(data), "--report", str(tmp_path / "report.json")]) == 0
    assert [path.name for path in tmp_path.glob("*statistics*")] == []


def test_several_submissions_and_another_protocol(data: Path, tmp_path: Path) -> None:
    both = [str(write_submission(tmp_path / name, data)) for name in ("one", "two")]
    assert main(["score", *both, "--root", str(data), "--statistics", "--protocol", "tao-release"]) == 0
    for name in ("one", "two"):
        statistics = ReportStatistics.read(tmp_path / f"{name}.tao-release.statistics.json")
        assert "|protocol=tao-release|" in statistics.signature


def test_json_on_standard_output_is_the_report_alone(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "report.json"
    assert main(["score", str(submission), "--root", str(data), "--report", str(place), "--statistics", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == "vadbench.report/1"
    assert (tmp_path / "statistics.json").exists()


def test_what_is_no_statistics_is_never_replaced(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "statistics.json").write_text("mine")
    place = tmp_path / "report.json"
    assert main(["score", str(submission), "--root", str(data), "--report", str(place), "--statistics"]) == 2
    assert "error[U252]" in capsys.readouterr().err
    assert (tmp_path / "statistics.json").read_text() == "mine"
    assert not place.exists()


def test_a_verification_writes_none(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "report.json"
    assert main(["score", str(submission), "--root", str(data), "--report", str(place)]) == 0
    assert main(["score", str(submission), "--root", str(data), "--verify", str(place), "--statistics"]) == 2
    assert "error[U209]" in capsys.readouterr().err

"""``vadbench score --verify`` as a person sees it, and reports that would replace each other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_submission import write_submission

from vadbench.cli import main


@pytest.fixture
def report(submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "sent.json"
    assert main(["score", str(submission), "--root", str(data), "--report", str(path)]) == 0
    capsys.readouterr()
    return path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_verified_from_a_folder_and_a_zip_and_by_workers(
    submission: Path, data: Path, report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pack", str(submission)]) == 0
    before = sorted(path.name for path in tmp_path.iterdir())
    for place, more in ((submission, []), (tmp_path / "sketch.zip", []), (submission, ["--workers", "1"])):
        capsys.readouterr()
        assert main(["score", str(place), "--root", str(data), "--verify", str(report), *more]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        last = out.splitlines()[-1]
        assert last.startswith("verified: ")
        assert last.endswith("numbers are equal, bit for bit")
    assert sorted(path.name for path in tmp_path.iterdir()) == before, "nothing is written"


def test_a_number_that_moved_is_named(
    submission: Path, data: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = json.loads(report.read_text())["scores"]["rbdc"]["value"]
    edit(report, f'"value": {value}', f'"value": {value + 0.125}')
    call = ["score", str(submission), "--root", str(data), "--verify", str(report)]
    assert main(call) == 1
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if line.startswith("scores.rbdc.value"))
    assert row.split() == ["scores.rbdc.value", str(value + 0.125), str(value), "-0.125"]
    assert out.splitlines()[-1].startswith("not verified: 1 value differs of ")
    assert main([*call, "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["verdict"] == "different"
    assert [own["where"] for own in content["differences"]] == ["scores.rbdc.value"]


def test_a_report_of_two_metrics_is_verified_of_two(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.json"
    call = ["score", str(submission), "--root", str(data)]
    assert main([*call, "--metrics", "rbdc,pixel_ap", "--report", str(path)]) == 0
    capsys.readouterr()
    assert main([*call, "--verify", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("verified, of 2 of 8 metrics (pixel_ap, rbdc): ")


def test_a_warning_that_the_report_has_not_is_printed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    never = write_submission(tmp_path / "never", data, threshold=65_536)
    path = tmp_path / "sent.json"
    call = ["score", str(never), "--root", str(data)]
    assert main([*call, "--report", str(path)]) == 0
    content = json.loads(path.read_text())
    warnings = content["warnings"]
    assert warnings
    content["warnings"] = ["nothing to see"]
    content["signature"] = content["signature"].rsplit("|v=", 1)[0] + "|v=0.0.1"
    path.write_text(json.dumps(content))
    capsys.readouterr()
    assert main([*call, "--verify", str(path)]) == 0
    assert f"not in the report: {warnings[0]}" in " ".join(capsys.readouterr().out.split())


def test_last_digits_are_verified_to_1e_9(
    submission: Path, data: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = json.loads(report.read_text())["scores"]["pixel_ap"]["value"]
    edit(report, f'"value": {value}', f'"value": {value + 1e-12}')
    assert main(["score", str(submission), "--root", str(data), "--verify", str(report)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "verified to 1e-09: " in said
    assert "another platform, or another version of NumPy" in said


def test_another_submission_is_said_first(
    submission: Path, data: Path, report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_submission(tmp_path / "other", data, threshold=50_000)
    assert main(["score", str(other), "--root", str(data), "--verify", str(report)]) == 1
    out = capsys.readouterr().out
    assert "- The report is of other predictions" in out
    assert out.index("other predictions") < out.index("submission.fingerprint") < out.index("scores.rbdc.value")


def test_another_data_set_is_said_without_looking_for_it(
    submission: Path, report: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VADBENCH_DATA", raising=False)
    edit(report, '"id": "synthetic"', '"id": "avenue"')
    assert main(["score", str(submission), "--verify", str(report)]) == 1
    out = capsys.readouterr().out
    assert 'The report is on the data set "avenue"' in out
    assert "not verified: nothing was scored" in out


def test_a_difference_of_the_truth_is_explained(
    submission: Path, data: Path, report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    masks = sorted((copy / "Test" / "Test001_gt").iterdir())
    masks[0].write_bytes(
        masks[-1].read_bytes() if masks[0].read_bytes() != masks[-1].read_bytes() else masks[8].read_bytes()
    )
    assert main(["score", str(submission), "--root", str(copy), "--verify", str(report)]) == 1
    assert "A and B saw different truth" in " ".join(capsys.readouterr().out.split())


def test_a_narrow_terminal_can_read_it(submission: Path, data: Path, report: Path) -> None:
    value = json.loads(report.read_text())["scores"]["rbdc"]["value"]
    edit(report, f'"value": {value}', '"value": 0.5')
    arguments = ["-m", "vadbench.cli", "score", str(submission), "--root", str(data), "--verify", str(report)]
    script = f"import pty, sys; sys.exit(pty.spawn({[sys.executable, *arguments]!r}) >> 8)"
    environment = {"COLUMNS": "50", "TERM": "xterm"}

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=os.environ | environment
    )
    assert done.returncode == 1
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    first = lines.index("scores.rbdc.value")
    assert lines[first + 1] == "  theirs  0.5"
    assert re.fullmatch(rf"  ours    {value}  moved [+-][0-9.e-]+", lines[first + 2])


@pytest.mark.parametrize("name", ["submission.toml", "none.json"])
def test_a_file_that_is_no_report_is_said_to_be_none(
    submission: Path, data: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["score", str(submission), "--root", str(data), "--verify", str(submission / name)]
    assert main(call) == (1 if name == "submission.toml" else 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Expecting value" not in err
    if name == "submission.toml":
        assert "not JSON" in err
        assert "--verify takes the report" in err


HOSTILE = {
    "escape": ('"name": "Sketch"', '"name": "\\u001b[2J"'),
    "table": ('"method": {', '"method": [], "x": {'),
    "signature": ('"signature": "vadbench/1', '"signature": "vadbench/x'),
    "NaN": ('"frames": 32', '"frames": NaN'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_report_is_one_block(
    name: str, submission: Path, data: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(report, *HOSTILE[name])
    for call in (
        ["score", str(submission), "--root", str(data), "--verify", str(report)],
        ["diff", str(report), str(report)],
    ):
        assert main(call) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error[D360]")
        assert "\x1b" not in err


@pytest.mark.parametrize(
    "more",
    [
        ["--protocol", "standard"],
        ["--metrics", "rbdc"],
        ["--report", "x.json"],
        ["--resume", "kept"],
        ["--per-clip"],
        ["{submission}"],
    ],
)
def test_nothing_of_the_report_is_chosen_anew(
    more: list[str], submission: Path, data: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = [part.format(submission=submission) for part in more]
    assert main(["score", str(submission), *extra, "--root", str(data), "--verify", str(report)]) == 2
    assert capsys.readouterr().err.startswith("error[U209]")


def test_a_report_that_is_not_there(submission: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(submission), "--root", str(data), "--verify", "nowhere.json"]) == 2
    assert capsys.readouterr().err.startswith("error[U141]")


def test_two_submissions_never_share_a_report(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "again"
    link.symlink_to(submission)
    before = sorted(path.name for path in tmp_path.iterdir())
    for other in (submission, link):
        assert main(["score", str(submission), str(other), "--root", str(data)]) == 2
        err = capsys.readouterr().err
        assert err.startswith("error[U140] two submissions would have their report in one place")
        assert "sketch.report.json" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_two_urls_with_one_name_never_share_a_report(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from vadbench.submission import Submission

    opened = Submission.open(submission)
    monkeypatch.setattr("vadbench.cli.score.Submission.open", lambda _: opened)
    monkeypatch.chdir(tmp_path)
    urls = ["https://example.org/a/method.zip", "https://example.org/b/method.zip"]
    assert main(["score", *urls, "--root", str(data)]) == 2
    assert "method.report.json" in capsys.readouterr().err

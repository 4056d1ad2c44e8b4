"""``vadbench validate`` as a person and a workflow see it: streams, exit codes, narrow terminals, bad input."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vadbench.cli import main
from vadbench.submission import Submission
from vadbench.submission.problems import problem
from vadbench.validation import Validation

WITH_DATA = "predictions against the labels of the test set"


def test_a_right_submission_as_a_person_sees_it(submission: Path, data: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vadbench.cli", "validate", submission, "--root", data],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "60"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"submission  {submission}"
    assert lines[1] == "data set    synthetic"
    assert lines[2] == f"fingerprint {Submission.open(submission).fingerprint}"
    assert lines[-1] == "ok: 0 errors, 0 warnings"
    assert any(line.strip().startswith(WITH_DATA) for line in lines)


def broken(submission: Path) -> Path:
    """Something wrong with the metadata, the names and one clip."""
    toml = submission / "submission.toml"
    toml.write_text(toml.read_text().replace("year = 2026", 'year = "\\u0085::error::"'))
    (submission / "a\x1b[31mred\n::warning::x").write_text("")
    (submission / "predictions.zarr/01/score_maps/c/0/0/0").write_bytes(b"damaged")
    return submission


@pytest.mark.parametrize("columns", [60, 200])
def test_a_wrong_one(
    submission: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("vadbench.cli.output._PIPED_WIDTH", columns)
    assert main(["validate", str(broken(submission))]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert re.findall(r"^(?:error|warning)\[(S\d{3})\]", out, flags=re.MULTILINE) == ["S120", "S112", "S134"]
    lines = out.splitlines()
    assert lines[-1] == "not ok: 3 errors, 0 warnings"
    assert all(line.isprintable() for line in lines)
    assert not any(line.lstrip().startswith("::") for line in lines)
    unbreakable = [line for line in lines if str(submission) in line]
    assert all(len(line) <= min(columns, 100) for line in lines if line not in unbreakable)


def test_json_is_the_result(submission: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(broken(submission)), "--json"]) == 1
    out = capsys.readouterr().out
    result = Validation.model_validate_json(out)
    assert (result.to_json(), out.isascii(), result.n_errors) == (out, True, 3)


def test_json_of_several_is_one_result_a_line(
    submission: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(submission, tmp_path / "copy")
    assert main(["validate", str(broken(submission)), str(copy), "--format", "json"]) == 1
    first, second = map(Validation.model_validate_json, capsys.readouterr().out.splitlines())
    assert (first.n_errors, second.n_errors) == (3, 0)


def test_a_path_that_is_not_there_is_said_before_anything_is_printed(
    submission: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for style in ("json", "text"):
        assert main(["validate", str(submission), "nowhere", "--format", style]) == 2
        out, err = capsys.readouterr()
        assert (out, err[:11]) == ("", "error[U130]")


def test_a_root_without_the_data_set_is_a_wrong_call(
    submission: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(submission), "--root", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error[")


def test_an_archive_that_cannot_be_opened_is_opened_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = []

    def refused(path: object) -> None:
        calls.append(path)
        raise problem("S127", where="s3://bucket/m")

    monkeypatch.setattr("vadbench.cli.validate.open_tree", refused)
    assert main(["validate", "s3://bucket/m"]) == 1
    assert "error[S127]" in capsys.readouterr().out
    assert len(calls) == 1


def test_annotations_are_at_the_path_in_the_repository(
    submission: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(submission)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(submission.parent.parent))
    monkeypatch.chdir(submission.parent)
    main(["validate", submission.name, "--format", "github"])
    assert f"file={submission.parent.name}/{submission.name}/submission.toml" in capsys.readouterr().out


def test_annotations_for_github(
    submission: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(broken(submission).parent)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    assert main(["validate", "sketch", "--format", "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)
    assert lines[1].startswith(
        "::error file=sketch/submission.toml,title=S112 submission.toml does not follow the format::sketch%0Awhere:"
    )
    assert lines[-1].endswith("::sketch (synthetic): not ok: 3 errors, 0 warnings")


def test_quick(submission: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (submission / "predictions.zarr/01/score_maps/c/0/0/0").write_bytes(b"damaged")
    assert main(["validate", str(submission), "--quick"]) == 0
    out = capsys.readouterr().out
    assert "(the arrays were not read)" in out
    assert "ok: 0 errors" in out


def test_the_data_set_that_it_must_be_for(submission: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(submission), "--dataset", "avenue"]) == 1
    assert "error[S102]" in capsys.readouterr().out
    assert main(["validate", str(submission), "--dataset", "synthetic", "--root", str(data)]) == 0


def test_the_environment_says_where_the_data_are(
    submission: Path, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VADBENCH_DATA", str(data))
    assert main(["validate", str(submission)]) == 0
    assert "synthetic as it is on disk" in capsys.readouterr().out
    monkeypatch.setenv("VADBENCH_DATA", str(data / "nowhere"))
    assert main(["validate", str(submission)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "give --root; VADBENCH_DATA: [U11" in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nowhere"], "U130"),
        ([], "U100"),
        (["{submission}", "--json", "--format", "github"], "U230"),
        (["{submission}", "--dataset", "ucsd-ped3"], "U111"),
        (["{submission}", "--root", "nowhere"], "U113"),
        (["{submission}", "--format", "xml"], "U100"),
    ],
)
def test_wrong_calls(submission: Path, arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", *(part.format(submission=submission) for part in arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error[{code}]")


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["validate", "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "Example:\n  vadbench validate " in out

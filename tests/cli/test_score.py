"""``vadbench score`` as a person sees it: streams, exit codes, report, narrow terminals, bad input."""

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
from vadbench.evaluation.report import Report
from vadbench.protocol.signature import Signature


def run(*arguments: str | Path, columns: int | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({} if columns is None else {"COLUMNS": str(columns)})
    return subprocess.run(
        [sys.executable, "-m", "vadbench.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_a_submission_becomes_a_table_a_signature_and_a_report(submission: Path, data: Path) -> None:
    done = run("score", submission, "--root", data)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("synthetic · 2 clips · 32 frames")
    for title in ("Pixel-", "Frame-", "AUROC", "AP", "AUPRO", "F1", "RBDC", "TBDC", "(declared)", "(micro)", "(macro)"):
        assert title in done.stdout
    assert "sources    pixel from score-maps, objects from score-map-components, frames from score-maps" in lines
    signature = next(line for line in lines if line.startswith("signature")).split()[1]
    report = Report.read(submission.parent / "sketch.report.json")
    assert report.signature == signature
    assert str(Signature.parse(signature)) == signature
    row = next(line for line in lines if line.startswith("Sketch"))
    shown = [float(cell) for cell in row.split()[1:]]
    assert shown == [round(100 * score.value, 2) for score in report.scores.values() if score.value is not None]
    assert len(shown) == 9


def test_two_runs_give_the_same_bytes_outside_the_run_block(submission: Path, data: Path, tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        assert main(["score", str(submission), "--root", str(data), "--report", str(tmp_path / name)]) == 0
    first, second = (Report.read(tmp_path / name) for name in ("a.json", "b.json"))
    assert first.to_json(run=False) == second.to_json(run=False)
    assert '"run"' not in first.to_json(run=False)


def test_json_goes_to_standard_output(submission: Path, data: Path) -> None:
    done = run("score", submission, "--root", data, "--json", "--metrics", "pixel_auroc,rbdc")
    content = json.loads(done.stdout)
    assert content["format"] == "vadbench.report/1"
    assert list(content["scores"]) == ["pixel_auroc", "rbdc"]
    assert content["run"]["peak_memory_bytes"] > 0


def test_per_clip_rows(submission: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(submission), "--root", str(data), "--per-clip"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if re.match(r"0[12]\s", line)]
    assert len(rows) == 2


def test_a_narrow_terminal_gets_the_table_on_its_side(submission: Path, data: Path) -> None:
    call = [sys.executable, "-m", "vadbench.cli", "score", str(submission), "--root", str(data)]
    script = f"import pty, sys; sys.exit(pty.spawn({call!r}) >> 8)"
    environment = os.environ | {"COLUMNS": "60", "TERM": "dumb"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert any(re.fullmatch(r"RBDC +\d+\.\d\d", line) for line in lines), done.stdout
    assert not any("Pixel-AUROC" in line and "Pixel-AP " in line for line in lines)


def test_without_threshold_boxes_are_not_available_and_say_why(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_submission(tmp_path / "plain", data, threshold=None)
    assert main(["score", str(path), "--root", str(data)]) == 0
    out = capsys.readouterr().out
    said = "RBDC, TBDC: not available, because the submission has score maps only and declares no threshold"
    assert said in " ".join(out.split())
    assert Report.read(tmp_path / "plain.report.json").scores["rbdc"].value is None


def test_the_root_may_come_from_the_environment(
    submission: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VADBENCH_DATA", str(data.parent))
    assert main(["score", str(submission)]) == 0
    assert "signature  vadbench/1|data=synthetic:" in capsys.readouterr().out


CALLS = [
    (["scroe"], 2, "U101", 'did you mean "score"?'),
    (["score"], 2, "U100", "SUBMISSION"),
    (["score", "{submission}", "--root", "{data}", "--rot", "x"], 2, "U100", "--rot"),
    (["score", "{submission}", "{submission}", "--root", "{data}", "--json"], 2, "U145", "one submission"),
    (["score", "{submission}", "--root", "{data}", "--report", "{submission}/report.json"], 2, "U140", "inside"),
    (["score", "{submission}", "--root", "{data}", "--report", "{submission}/submission.toml"], 2, "U140", "inside"),
    (["score", "{submission}", "--root", "{data}", "--report", "{data}/Test/synthetic.m"], 2, "U1", "report"),
    (["score", "{submission}", "--root", "{data}", "--protocol", "standard,object.ties=grouped"], 2, "P105", "plus"),
    (["score", "{tmp}/nothing", "--root", "{data}"], 2, "U130", "nothing"),
    (["score", "{submission}"], 2, "U112", "VADBENCH_DATA"),
    (["score", "{submission}", "--root", "{tmp}/nowhere"], 2, "U113", "nowhere"),
    (["score", "{submission}", "--root", "{data}", "--protocol", "standart"], 2, "P110", 'did you mean "standard"?'),
    (["score", "{submission}", "--root", "{data}", "--protocol", "standard+object.tie=none"], 2, "P107", "object.ties"),
    (["score", "{submission}", "--root", "{data}", "--metrics", "pixel_auc"], 2, "U120", "pixel_auroc"),
    (["score", "{submission}", "--root", "{data}", "--dataset", "avenue"], 1, "S102", "avenue"),
    (["score", "{submission}", "--root", "{tmp}"], 1, "D200", "Test"),
    (["score", "{data}", "--root", "{data}"], 1, "S101", "submission.toml"),
    (["score", "{submission}", "--root", "{data}", "--report", "/proc/nowhere/report.json"], 2, "U140", "--report"),
    (["diff", "one", "two"], 2, "U141", "signature"),
    (["diff", "vadbench/1|data", "two"], 2, "P120", "data="),
    (["protocols", "tao"], 2, "P110", "tao-release"),
    (["data", "verfy"], 2, "U101", 'did you mean "verify"?'),
    (["data", "list", "ped2"], 2, "U111", "ucsd-ped2"),
    (["data", "verify", "--dataset", "ucsd-ped3", "--root", "{data}"], 2, "U111", "ucsd-ped2"),
]


@pytest.mark.parametrize(("call", "code", "error", "fact"), CALLS, ids=[" ".join(call[0])[:50] for call in CALLS])
def test_a_wrong_call_gets_one_block_and_its_exit_code(
    call: list[str],
    code: int,
    error: str,
    fact: str,
    submission: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VADBENCH_DATA", raising=False)
    before = sorted(path.name for path in tmp_path.iterdir())
    got = main([part.format(tmp=tmp_path, data=data, submission=submission) for part in call])
    out, err = capsys.readouterr()
    assert (got, out) == (code, "")
    assert err.startswith(f"error[{error}")
    assert fact in err
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before, "nothing is half-written"


def test_a_file_that_is_no_report_is_never_replaced(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "thesis.json"
    mine.write_text("years of work")
    assert main(["score", str(submission), "--root", str(data), "--report", str(mine)]) == 2
    assert capsys.readouterr().err.startswith("error[U146]")
    assert mine.read_text() == "years of work"


def test_a_link_is_followed_and_a_device_is_written_to(submission: Path, data: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "real.json")
    for path in (link, Path("/dev/null")):
        assert main(["score", str(submission), "--root", str(data), "--report", str(path)]) == 0
    assert link.is_symlink()
    assert Report.read(tmp_path / "real.json").scores
    assert not Path("/dev/null").is_file()


def test_another_protocol_or_fewer_metrics_do_not_replace_the_standard_report(submission: Path, data: Path) -> None:
    call = ["score", str(submission), "--root", str(data)]
    for more in ([], ["--protocol", "aed-2021"], ["--metrics", "rbdc"]):
        assert main([*call, *more]) == 0
    reports = sorted(path.name for path in submission.parent.glob("*.json"))
    assert reports == ["sketch.aed-2021.report.json", "sketch.partial.report.json", "sketch.report.json"]


def test_several_submissions_share_a_table(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_submission(tmp_path / "plain", data, threshold=None)
    assert main(["score", str(submission), str(other), "--root", str(data)]) == 0
    out = capsys.readouterr().out
    # Both methods have the same name, so the rows are named by their paths.
    assert [line.split()[0] for line in out.splitlines() if line.startswith(str(tmp_path))] == [
        str(submission),
        str(other),
    ]
    assert out.count("report     ") == 2


@pytest.mark.parametrize(("threshold", "said"), [(70_000, "above every stored score"), (0.5, "below 1")])
def test_an_odd_threshold_is_pointed_out(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str], threshold: float, said: str
) -> None:
    path = write_submission(tmp_path / "odd", data, threshold=threshold)
    assert main(["score", str(path), "--root", str(data)]) == 0
    assert said in " ".join(capsys.readouterr().out.split())
    assert said in Report.read(tmp_path / "odd.report.json").warnings[0]


def test_an_unknown_data_set_is_blamed_on_the_submission(
    submission: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = submission / "submission.toml"
    toml.write_text(toml.read_text("utf-8").replace('"synthetic"', '"synthetics"', 1), "utf-8")
    assert main(["score", str(submission), "--root", str(data)]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error[S109]")
    assert "submission.toml · dataset" in err
    assert 'did you mean "synthetic"?' in err


def test_ctrl_c_is_130_and_leaves_nothing(
    submission: Path, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vadbench.cli.score.evaluation_of", interrupted)
    assert main(["score", str(submission), "--root", str(data)]) == 130
    assert capsys.readouterr().err.startswith("interrupted; nothing was written\n")
    assert [path.name for path in submission.parent.iterdir()] == ["sketch"]


def test_a_report_that_cannot_be_finished_leaves_no_half(
    submission: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Report, "to_json", full)
    assert main(["score", str(submission), "--root", str(data)]) == 2
    assert [path.name for path in submission.parent.iterdir()] == ["sketch"]


def test_output_that_cannot_be_written_is_a_block_too(submission: Path, data: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "vadbench.cli", "protocols"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error[U102]")
    assert "Traceback" not in done.stderr
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    ascii_only = subprocess.run(
        [sys.executable, "-m", "vadbench.cli", "score", submission, "--root", data],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert (ascii_only.returncode, ascii_only.stderr) == (0, "")


def test_a_missing_clip_is_found_before_anything_is_read(
    submission: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(submission / "predictions.zarr" / "02")
    assert main(["score", str(submission), "--root", str(data)]) == 1
    err = capsys.readouterr().err
    assert "02" in err
    assert not (submission.parent / "sketch.report.json").exists()


def test_a_damaged_chunk_is_named(submission: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chunk = next(
        path
        for path in (submission / "predictions.zarr/01/score_maps").rglob("*")
        if path.is_file() and path.name == "0"
    )
    chunk.write_bytes(chunk.read_bytes()[:-5])
    assert main(["score", str(submission), "--root", str(data)]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error[S134]")
    assert "01" in err
    assert not (submission.parent / "sketch.report.json").exists()


def test_a_damaged_mask_is_named(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    mask = sorted((copy / "Test" / "Test002_gt").iterdir())[4]
    mask.write_bytes(mask.read_bytes()[:40])
    assert main(["score", str(submission), "--root", str(copy)]) == 1
    err = capsys.readouterr().err
    assert mask.name in err
    assert "Traceback" not in err


def test_a_refusal_of_the_system_is_a_block_too(
    submission: Path, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr("vadbench.cli.score.Submission.open", full)
    assert main(["score", str(submission), "--root", str(data)]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error[U102]")
    assert "No space left on device" in err


@pytest.mark.parametrize("command", [["score"], ["diff"], ["protocols"], ["data", "list"], ["data", "verify"], []])
def test_help_has_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main([*command, "--help"])
    except SystemExit as stop:
        code = stop.code
    out = capsys.readouterr().out
    assert code == 0
    assert "Example:\n  vadbench " in out

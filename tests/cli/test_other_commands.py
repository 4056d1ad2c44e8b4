"""``vadbench diff``, ``protocols`` and ``data`` as a person sees them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small_submission import write_submission

from vadbench.cli import main
from vadbench.protocol.presets import preset_names
from vadbench.protocol.protocol import FIELD_NAMES

STANDARD = "vadbench/1|data=ucsd-ped2:3f9a01c2|tracks=mask-overlap|protocol=standard|v=0.1.0"
RELEASE = "vadbench/1|data=ucsd-ped2:3f9a01c2|tracks=mask-overlap|protocol=tao-release|v=0.2.0"


def test_diff_of_signatures_says_what_each_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", STANDARD, RELEASE]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "A pools all pixels of all clips; B takes the mean over frames of each frame's own value." in out
    assert "must not be ranked against each other" in out
    assert "no number depends on it" in out


def test_diff_of_equal_signatures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", STANDARD, STANDARD]) == 0
    assert "The signatures are the same." in capsys.readouterr().out


def test_diff_of_reports_shows_the_scores(submission: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = [submission.parent / f"{name}.json" for name in ("standard", "sequential")]
    for path, protocol in zip(reports, ("standard", "standard+object.ties=sequential"), strict=True):
        assert main(["score", str(submission), "--root", str(data), "--protocol", protocol, "--report", str(path)]) == 0
    capsys.readouterr()
    assert main(["diff", *map(str, reports)]) == 0
    out = capsys.readouterr().out
    assert "The predictions are the same." in out
    assert any(line.startswith("Pixel-AUROC") and line.rstrip().endswith("+0.00") for line in out.splitlines())


def test_diff_refuses_a_file_that_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"format": "something else"}')
    assert main(["diff", str(wrong), str(wrong)]) == 1
    assert capsys.readouterr().err.startswith("error[D360]")


def test_protocols_list_every_preset_and_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in (*preset_names(), *FIELD_NAMES))


def test_one_protocol_is_explained_field_by_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols", "standard+pixel.fpr_limit=0.05"]) == 0
    out = capsys.readouterr().out
    assert "pixel.fpr_limit = 0.05" in out
    assert out.count("  effect ") == len(FIELD_NAMES)


def test_protocols_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tao-release"]["pixel.f1"] == "at(0.5)"


def test_the_list_of_data_sets_and_one_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"]) == 0
    assert "shanghaitech" in capsys.readouterr().out
    assert main(["data", "list", "ucsd-ped2"]) == 0
    out = capsys.readouterr().out
    assert "CVPR 2010" in out
    assert "licence" in out
    assert "Test/Test001_gt" in out


def test_a_good_copy_is_verified(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "verify", "--dataset", "synthetic", "--root", str(data)]) == 0
    assert "synthetic can be used" in capsys.readouterr().out


def test_a_broken_copy_exits_with_1_and_a_table(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    mask = sorted((copy / "Test" / "Test001_gt").iterdir())[2]
    mask.write_bytes(b"no image")
    assert main(["data", "verify", "--dataset", "synthetic", "--root", str(copy)]) == 1
    out = capsys.readouterr().out
    assert "must not be used: 1 error" in out
    assert mask.name in out


def test_synthesize_says_the_seed_and_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "made"
    size = ["--frames", "10", "--height", "48", "--width", "64", "--test-clips", "1", "--training-clips", "1"]
    assert main(["data", "synthesize", str(root), "--seed", "5", *size]) == 0
    assert "seed 5" in capsys.readouterr().out
    assert main(["data", "verify", "--dataset", "synthetic", "--root", str(root)]) == 0
    assert main(["data", "synthesize", str(root), *size]) == 2, "an existing set is not replaced without being told to"


def test_version_and_bare_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("vadbench 0.")
    assert main([]) == 2


def test_quick_verification_does_not_decode_frames(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    frame = sorted((copy / "Test" / "Test001").iterdir())[3]
    frame.write_bytes(frame.read_bytes()[:-700])
    call = ["data", "verify", "--dataset", "synthetic", "--root", str(copy)]
    assert main(call) == 1
    assert frame.name in capsys.readouterr().out
    assert main([*call, "--quick"]) == 0
    assert "D250" in capsys.readouterr().out


def test_a_reader_that_has_enough_is_no_error(data: Path, tmp_path: Path) -> None:
    """Such as `head`: the table is long, and the pipe closes after its first line."""
    method = write_submission(tmp_path / "method", data)
    command = f"set -o pipefail; {sys.executable} -m vadbench.cli score {method} --root {data} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("synthetic")


def test_a_verdict_that_nobody_reads_is_not_a_pass(tmp_path: Path) -> None:
    command = f"set -o pipefail; {sys.executable} -m vadbench.cli validate {tmp_path} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode in {1, 141}, "1 where the text fitted into the pipe before it closed"
    assert "Traceback" not in done.stderr


def test_standard_output_may_be_closed(tmp_path: Path) -> None:
    command = f"{sys.executable} -m vadbench.cli validate {tmp_path} >&-; {sys.executable} -m vadbench.cli >&- 2>&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_terminated_command_ends_as_an_interrupted_one(
    name: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It cleans up on its way out, and the signal does what it did before afterwards."""
    number = signal.Signals[name]
    before = signal.getsignal(number)
    cleaned = []

    def run(_arguments: list[str]) -> int:
        try:
            signal.raise_signal(number)
        finally:
            cleaned.append(name)
        return 0

    monkeypatch.setattr("vadbench.cli.data.run", run)
    if before is signal.SIG_DFL:
        assert main(["data"]) == code
        assert capsys.readouterr().err == "interrupted\n"
    assert cleaned == [name] * (before is signal.SIG_DFL)
    assert signal.getsignal(number) is before

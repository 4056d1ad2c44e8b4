"""``vadbench pack`` and ``unpack`` as a person sees them."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from vadbench.cli import main


def test_a_folder_becomes_a_zip_and_the_zip_the_folder_again(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pack", str(submission)]) == 0
    out, err = capsys.readouterr()
    packed = tmp_path / "sketch.zip"
    assert err == ""
    said = dict(re.findall(r"^(packed|files|size|sha256) +(.+)$", out, flags=re.MULTILINE))
    assert said["packed"] == str(packed)
    assert said["sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert said["size"].replace(" ", "") == f"{packed.stat().st_size}bytes"
    assert f"next: vadbench validate {packed}" in out
    assert all(len(line) <= 80 or str(tmp_path) in line for line in out.splitlines())
    assert main(["unpack", str(packed), "--out", str(tmp_path / "again")]) == 0
    assert "again" in capsys.readouterr().out
    assert main(["pack", str(tmp_path / "again"), "--out", str(tmp_path / "second.zip")]) == 0
    assert (tmp_path / "second.zip").read_bytes() == packed.read_bytes()
    assert main(["score", str(packed), "--root", str(data)]) == 0


CALLS = [
    (["pack", "{submission}", "--out", "{submission}/inside.zip"], 2, "U201"),
    (["pack", "{submission}", "--out", "{tmp}/thesis.txt", "--overwrite"], 2, "U202"),
    (["pack", "{packed}"], 2, "U200"),
    (["pack", "{tmp}/nothing"], 2, "U130"),
    (["pack", "{tmp}"], 1, "S101"),
    (["pack"], 2, "U100"),
    (["pack", "https://example.org/x"], 2, "U200"),
    (["unpack", "https://example.org/x.zip"], 2, "U200"),
    (["unpack", "{submission}"], 2, "U200"),
    (["unpack", "{packed}", "--out", "{submission}"], 2, "U202"),
    (["unpack", "{packed}"], 2, "U202"),
    (["unpack", "{tmp}/thesis.txt"], 1, "S101"),
]


@pytest.mark.parametrize(("call", "code", "error"), CALLS, ids=[" ".join(call[0])[:50] for call in CALLS])
def test_a_wrong_call_gets_one_block_and_its_exit_code(
    call: list[str], code: int, error: str, submission: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    packed = tmp_path / "sketch.zip"
    assert main(["pack", str(submission)]) == 0
    capsys.readouterr()
    before = sorted(path.name for path in tmp_path.iterdir())
    assert main([part.format(tmp=tmp_path, packed=packed, submission=submission) for part in call]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error[{error}]")
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_link_inside_is_named_and_nothing_written(
    submission: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (submission / "predictions.zarr" / "secret\x1b[31m").symlink_to("/etc/passwd")
    assert main(["pack", str(submission)]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error[S121]")
    assert "\x1b" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["sketch"]


@pytest.mark.parametrize("command", ["pack", "unpack"])
def test_ctrl_c_leaves_nothing(
    command: str,
    submission: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert main(["pack", str(submission)]) == 0
    shutil.move(submission, tmp_path / "moved")
    before = sorted(path.name for path in tmp_path.iterdir())
    capsys.readouterr()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vadbench.submission.packing._check_written", interrupted)
    monkeypatch.setattr("vadbench.submission.packing._write_new", interrupted)
    assert main([command, str(tmp_path / ("moved" if command == "pack" else "sketch.zip"))]) == 130
    assert capsys.readouterr().err == "interrupted; nothing was written\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ["pack", "unpack", "threshold", "schema"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert f"\n  vadbench {command} " in out.split("Example:")[1]
    description = out.split("\n\n")[1].splitlines()
    assert max(map(len, description)) <= 60 or command == "schema"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that refuses files")
def test_a_refusal_names_the_place(submission: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", str(submission), "--out", "/proc/x.zip"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error[U102]")
    assert "/proc/x.zip" in err

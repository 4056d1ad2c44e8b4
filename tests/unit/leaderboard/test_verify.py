"""A maintainer's own scoring beside an entry: written where it agrees, and nowhere else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from leaderboard.build import make_board
from leaderboard.choices import Status
from leaderboard.main import main

ENTRY = "method-1/ucsd-ped2"


@pytest.fixture
def own(repository: Path, tmp_path: Path) -> Path:
    """The report of somebody who scored the same predictions with the same program."""
    folder = repository / "submissions" / ENTRY
    for name in ("report.json", "statistics.json"):
        shutil.copy(folder / name, tmp_path / f"own.{name}")
    return tmp_path / "own.report.json"


def verify(repository: Path, own: Path) -> int:
    return main(["verify", ENTRY, str(own), "--repository", str(repository)])


def change(path: Path, make: Any) -> None:
    content = json.loads(path.read_text("utf-8"))
    make(content)
    path.write_text(json.dumps(content), "utf-8")


def test_where_both_agree_the_entry_is_verified(repository: Path, own: Path) -> None:
    change(own, lambda report: report["scores"]["rbdc"].update(value=report["scores"]["rbdc"]["value"] + 1e-13))
    assert verify(repository, own) == 0
    content = json.loads((repository / "submissions" / ENTRY / "verified.json").read_text("utf-8"))
    assert content["format"] == "vadbench.verified/1"
    assert sorted(content["files"]) == ["report.json", "statistics.json", "submission.toml"]
    assert content["scores"]["report.json"].keys() >= {"pixel_ap", "rbdc"}
    rows = make_board(repository, workers=1).rankings[0].rows
    assert {row.row.method: row.row.status for row in rows} == {
        "method-1": Status.VERIFIED,
        "method-2": Status.SUBMITTED,
        "method-3": Status.SUBMITTED,
    }
    assert verify(repository, own) == 0, "an earlier verification is replaced"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda report: report["scores"]["pixel_ap"].update(value=0.5), "L134"),
        (lambda report: report["clips"][3]["scores"]["pixel_ap"].update(value=0.5), "L134"),
        (lambda report: report["submission"].update(fingerprint="0" * 64), "L134"),
        (lambda report: report.update(signature=report["signature"].replace("57a42e14", "00000000")), "L134"),
        (lambda report: report.update(signature=report["signature"].replace("standard", "aed-2021")), "L133"),
    ],
)
def test_where_they_do_not_nothing_is_written(
    repository: Path, own: Path, make: Any, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(own, make)
    assert verify(repository, own) == 1
    assert f"error[{code}]" in capsys.readouterr().err
    assert not (repository / "submissions" / ENTRY / "verified.json").exists()


def test_statistics_must_be_the_same(repository: Path, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.with_name("own.statistics.json").unlink()
    assert verify(repository, own) == 1
    assert "error[L135]" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["method-7/ucsd-ped2", "../method-1/ucsd-ped2", "method-1", "/method-1/x"])
def test_no_such_entry(repository: Path, own: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", name, str(own), "--repository", str(repository)]) == 2
    assert "error[L132]" in capsys.readouterr().err


def test_an_entry_with_errors_is_not_verified(repository: Path, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "submissions" / ENTRY / "notes.txt").write_text("")
    assert verify(repository, own) == 1
    assert "error[L136]" in capsys.readouterr().err


def test_a_report_does_not_verify_itself(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(repository, repository / "submissions" / ENTRY / "report.json") == 2
    assert "error[L137]" in capsys.readouterr().err

"""The benchmark of a large board runs on a small one: it builds, refuses what it must, and measures."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import board_size

pytest.importorskip("itables", reason="the extra board is not installed")


def in_this_process(step: str, command: Sequence[str]) -> board_size.Measured:
    """Run a build without another interpreter: what is measured does not matter here."""
    from leaderboard.main import main

    words = list(command)
    if "--pages-of" in words:
        board_size.write_pages(Path(words[-1]))
    else:
        assert main(words[words.index("leaderboard") + 1 :]) == 0
    return board_size.Measured(step, 0.0, 0.0, 0)


def test_a_small_board_goes_through_all_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(board_size, "measured", in_this_process)
    words = ["--methods", "8", "--distinct", "3", "--datasets", "ucsd-ped2", "--workers", "1", "--no-browser"]
    assert board_size.main([*words, "--keep", str(tmp_path), "--json", str(tmp_path / "found.json")]) == 0
    out = capsys.readouterr().out
    assert "method-0000/ucsd-ped2" in out
    assert "index.html" in out
    history = (tmp_path / "leaderboard" / "HISTORY.md").read_text(encoding="utf-8")
    # Eight rows that came, and one that changed; those of papers aside.
    assert sum("`method-" in line for line in history.splitlines()) == 9
    table = (tmp_path / "leaderboard" / "tables" / "ucsd-ped2-standard.md").read_text(encoding="utf-8")
    assert all(f"Method {number} " in table for number in range(8))


def test_a_changed_report_is_refused_unless_it_is_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from leaderboard.main import main

    with board_size.repository_at(tmp_path) as repository:
        board_size.write_method(repository, 0, ["ucsd-ped2"])
        build = ["build", "--repository", str(repository), "--date", "2026-01-01", "--no-site", "--workers", "1"]
        assert main(build) == 0
        row = board_size.change_one(repository)
        capsys.readouterr()
        assert main(build) == 1
        assert row in capsys.readouterr().err
        assert main([*build, "--accept", row]) == 0

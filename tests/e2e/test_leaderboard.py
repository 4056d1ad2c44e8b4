"""The board as a maintainer builds it: the same bytes twice, the committed tables again, and never half a board."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made_board import REPOSITORY, made_entry, made_repository

from leaderboard.main import main

DAY = ("--date", "2026-01-31")


def files(folder: Path) -> dict[str, str]:
    """Digest of every file that is not the cache's."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".cache" not in path.parts
    }


def build(repository: Path, *more: str, site: bool = False) -> int:
    pages = [] if site else ["--no-site"]
    return main(["build", "--repository", str(repository), "--workers", "1", *pages, *more])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = made_repository(tmp_path_factory.mktemp("board") / "repository")
    assert build(folder, *DAY, site=True) == 0
    return folder


@pytest.fixture
def repository(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "repository"))


def test_a_second_build_and_one_without_cache_give_the_same_bytes(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(repository)
    assert len([name for name in before if name.startswith("leaderboard/tables/")]) == 3 * (1 + 4) + 1
    assert "leaderboard/public/index.html" in before
    assert build(repository, site=True) == 0
    assert files(repository) == before
    assert "changed   nothing" in capsys.readouterr().out
    assert build(repository, "--no-cache") == 0
    assert files(repository) == before
    assert [path.name for path in (repository / "leaderboard").glob(".*")] == [".cache"]


def test_the_committed_tables_are_those_of_a_rebuild(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    for name in ("submissions", "leaderboard/published", "leaderboard/tables"):
        shutil.copytree(REPOSITORY / name, folder / name)
    for name in ("HISTORY.md", "withdrawn.toml"):
        if (REPOSITORY / "leaderboard" / name).exists():
            shutil.copy(REPOSITORY / "leaderboard" / name, folder / "leaderboard" / name)
    before = files(folder)
    assert build(folder) == 0, "run `python -m leaderboard build` and commit what it changes"
    assert files(folder) == before, "run `python -m leaderboard build` and commit what it changes"


def test_a_row_that_is_gone_stops_the_build_until_it_is_accepted(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(repository / "submissions" / "method-2")
    before = files(repository)
    assert build(repository, *DAY) == 1
    error = capsys.readouterr().err
    assert "error[L120]" in error
    assert "--accept method-2/ucsd-ped2" in error
    assert files(repository) == before
    assert build(repository, "--date", "2026-02-01", "--accept", "method-2/ucsd-ped2", "--reason", "a bug | in it") == 0
    history = (repository / "leaderboard" / "HISTORY.md").read_text("utf-8")
    assert "- 2026-02-01 `method-2/ucsd-ped2` withdrawn: Method 2 1.0" in history
    assert "a bug &#124; in it" in history
    assert "method-2/ucsd-ped2: withdrawn\n" in capsys.readouterr().out
    withdrawn = repository / "leaderboard" / "withdrawn.toml"
    assert 'reason = "a bug | in it"' in withdrawn.read_text("utf-8")
    after = files(repository)
    assert build(repository) == 0, "the row stays withdrawn, and nothing has to be accepted again"
    assert files(repository) == after
    made_entry(repository, 2, quality=0.5)
    assert build(repository, *DAY) == 0
    assert "back on the board, withdrawn on 2026-02-01" in (repository / "leaderboard" / "HISTORY.md").read_text(
        "utf-8"
    )
    assert "method-2" not in withdrawn.read_text("utf-8")


def test_a_score_that_moved_stops_the_build_until_it_is_accepted(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(repository / "submissions" / "method-1")
    made_entry(repository, 1, quality=0.9)
    before = files(repository)
    assert build(repository, *DAY) == 1
    error = capsys.readouterr().err
    assert "error[L121]" in error
    assert "Pixel-AP" in error
    assert "--accept method-1/ucsd-ped2" in error
    assert files(repository) == before
    assert build(repository, *DAY, "--accept", "method-1/ucsd-ped2") == 0
    history = (repository / "leaderboard" / "HISTORY.md").read_text("utf-8").splitlines()
    assert sum("`method-1/ucsd-ped2` Pixel-AUROC" in line and "→" in line for line in history) == 1


def test_a_clip_that_is_missing_stops_the_build(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = repository / "submissions" / "method-1" / "ucsd-ped2" / "report.json"
    content = json.loads(path.read_text("utf-8"))
    del content["clips"][6]
    path.write_text(json.dumps(content), "utf-8")
    before = files(repository)
    assert build(repository) == 1
    error = capsys.readouterr().err
    assert "error[S103]" in error
    assert "07" in error
    assert files(repository) == before


def test_tables_of_rankings_that_are_no_more_go(repository: Path) -> None:
    made_entry(repository, 4, dataset="avenue")
    assert build(repository, *DAY) == 0
    assert (repository / "leaderboard" / "tables" / "avenue-standard.md").exists()
    (repository / "leaderboard" / "tables" / "ours.md").write_text("a note of somebody")
    shutil.rmtree(repository / "submissions" / "method-4")
    assert build(repository, *DAY, "--accept", "method-4/avenue") == 0
    assert not (repository / "leaderboard" / "tables" / "avenue-standard.md").exists()
    assert (repository / "leaderboard" / "tables" / "ours.md").exists()


def test_a_damaged_state_is_not_taken_for_none(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = repository / "leaderboard" / "tables" / "board.json"
    state.write_text(state.read_text("utf-8")[:-10], "utf-8")
    before = files(repository)
    assert build(repository) == 1
    assert "error[L113]" in capsys.readouterr().err
    assert files(repository) == before


def test_a_state_that_is_missing_is_not_taken_for_a_new_board(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "leaderboard" / "tables" / "board.json").unlink()
    before = files(repository)
    assert build(repository) == 1
    assert "error[L113]" in capsys.readouterr().err
    assert files(repository) == before


def test_what_a_paper_prints_does_not_change_unseen(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published, history = (repository / "leaderboard" / name for name in ("published", "HISTORY.md"))
    (published / "tao-cvpr-2025-table-3.toml").unlink()
    path = published / "tao-cvpr-2025-table-1.toml"
    text = path.read_text(encoding="utf-8")
    cell = 'pixel_auroc = "51.02"'
    assert cell in text
    path.write_text(text.replace(cell, 'pixel_auroc = "53.02"', 1), encoding="utf-8")
    before = files(repository)
    assert build(repository) == 1
    error = capsys.readouterr().err
    names = re.findall(r"--accept (\S+)", error)
    assert names == ["tao-cvpr-2025-table-1/adaclip-zero-shot", "tao-cvpr-2025-table-3"]
    assert files(repository) == before
    accepted = [word for name in names for word in ("--accept", name)]
    assert build(repository, *DAY, "--reason", "looked up", *accepted) == 0
    lines = history.read_text(encoding="utf-8").splitlines()
    assert any("table-1/adaclip-zero-shot`" in line and "51.02 → 53.02 (looked up)" in line for line in lines)
    assert any("`tao-cvpr-2025-table-3` gone: 6 rows" in line for line in lines)
    after = files(repository)
    assert build(repository) == 0
    assert files(repository) == after


def test_statistics_that_are_gone_stop_the_build(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "submissions" / "method-2" / "ucsd-ped2" / "statistics.json").unlink()
    assert build(repository) == 1
    assert "error[L128]" in capsys.readouterr().err
    assert build(repository, *DAY, "--accept", "method-2/ucsd-ped2") == 0
    table = (repository / "leaderboard" / "tables" / "ucsd-ped2-standard.md").read_text(encoding="utf-8")
    # Whoever reads a range that a row without statistics widened sees it there.
    assert len(re.findall(r"\d \(1 without a range\) \|$", table, re.MULTILINE)) == 2


def test_where_there_is_no_board_the_call_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert build(folder) == 2
        error = capsys.readouterr().err
        assert error.startswith("error[L129]")
        assert "hint" in error
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--date", "31.1.2026"], "L105"),
        (["--reason", "two\nlines"], "L106"),
        (["--workers", "0"], "L107"),
        (["--overlays", "nowhere"], "L109"),
        (["--accept", "method-7/ucsd-ped2"], "L104"),
        (["--acept", "method-1/ucsd-ped2"], "L103"),
    ],
)
def test_a_wrong_call_is_one_block(
    repository: Path, arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(repository)
    assert build(repository, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error[{code}]")
    assert files(repository) == before


def test_the_site_takes_the_place_of_no_other_folder(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(repository)
    assert build(repository, "--out", str(repository / "submissions"), site=True) == 2
    assert "error[L108]" in capsys.readouterr().err
    assert files(repository) == before


def test_the_program_runs_as_people_call_it(repository: Path) -> None:
    command = [sys.executable, "-m", "leaderboard"]
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert subprocess.run(command, capture_output=True, cwd=REPOSITORY, check=False).returncode == 2
    wrong = subprocess.run([*command, "bild"], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert wrong.returncode == 2
    assert 'did you mean "build"' in wrong.stderr
    done = subprocess.run(
        [*command, "build", "--repository", str(repository), "--no-site"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=True,
    )
    assert done.stdout.startswith("board     3 rows, 1 ranking, 4 published tables\nchanged   nothing\n")
    assert done.stderr == ""

"""`vadbench submit-check` as a person and a workflow see it, and the five-minute path of submissions/README.md."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from small_submission import write_submission

from vadbench.cli import main
from vadbench.entries import sandbox
from vadbench.entries.claimed_rows import ClaimedRows
from vadbench.entries.entry import check_entry
from vadbench.entries.entry_process import LIMITS, check_entry_within_limits
from vadbench.submission.problems import problem
from vadbench.submission.schema import read_metadata

ROOT = Path(__file__).parents[2]
SUBMISSIONS = ROOT / "submissions"
COMMITTED = SUBMISSIONS / "tao-cpu" / "ucsd-ped2"


@pytest.fixture
def entry(tmp_path, monkeypatch):
    """A right entry, seen from the root of its repository."""
    shutil.copytree(COMMITTED, tmp_path / "submissions" / "tao-cpu" / "ucsd-ped2")
    monkeypatch.chdir(tmp_path)
    return Path("submissions/tao-cpu/ucsd-ped2")


def check(capsys, *words):
    status = main(["submit-check", *map(str, words)])
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    return status, captured.out, captured.err


def test_a_right_entry(entry, capsys):
    status, output, errors = check(capsys, entry)
    assert (status, errors) == (0, "")
    assert str(entry) in output
    assert "S190" in output


def test_all_entries_are_what_is_checked_without_a_path(entry, capsys):
    assert check(capsys)[:2] == check(capsys, "submissions")[:2]


def test_a_wrong_entry(entry, capsys):
    path = entry / "report.json"
    path.write_text(path.read_text().replace("0.7751946880375141", "NaN"))
    status, output, _ = check(capsys, entry)
    assert status == 1
    assert "S183" in output
    assert "NaN" in output


def test_json_is_strict_whatever_is_sent(entry, capsys):
    (entry / "report.json").write_bytes(b"\xff\x1b[31m" * 1000)
    (entry / "a\x1b]0;x\x07\u202e.txt").touch()
    status, output, _ = check(capsys, "--format", "json")
    content = json.loads(output, parse_constant=pytest.fail)
    assert status == content["exit_code"] == 1
    assert content["format"] == "vadbench.submit-check/1"
    assert [result["kind"] for result in content["results"]] == ["entry"]
    codes = {group["code"] for group in content["results"][0]["validation"]["groups"]}
    assert codes == {"S181", "S183", "S190"}


def test_what_was_looked_at_is_counted_in_words(entry, data, tmp_path, capsys):
    assert check(capsys, entry)[1].endswith("\n\nok: 0 errors, 1 warning\n\n1 entry: nothing wrong, 1 warning\n")
    path = write_submission(tmp_path / "sketch", data)
    output = check(capsys, entry, "--predictions", path)[1]
    assert output.splitlines()[-1].startswith("1 entry and 1 file of predictions: 1 wrong, ")
    assert 'expected  "ucsd-ped2", as in the entry\'s submission.toml' in output


def test_json_has_a_name_of_its_own(entry, capsys):
    assert check(capsys, "--json") == check(capsys, "--format", "json")
    status, output, errors = check(capsys, "--json", "--format", "github")
    assert (status, output, errors[:11]) == (2, "", "error[U230]")
    assert "submissions/METHOD/DATASET" in check(capsys, "none")[2]


def test_annotations_for_github(entry, capsys):
    (entry / "run.py").touch()
    status, output, _ = check(capsys, "--format", "github")
    assert status == 1
    assert re.search(rf"^::error file={entry}/submission.toml,[^\n]*S181", output, flags=re.MULTILINE)


def test_a_crash_of_the_check_is_a_problem_of_the_entry(entry, capsys, monkeypatch):
    monkeypatch.setattr(sandbox, "_BEGINNING", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    status, output, errors = check(capsys, entry, "--fetch")
    assert (status, errors) == (1, "")
    assert "S172" in output


def test_the_process_gives_what_the_check_gives(entry):
    others = {"shown": "e", "more": [problem("S195", where=("e", "verified.json"), got="x")], "predictions": "y"}
    within = check_entry_within_limits(entry, around=Path("submissions"), settled=["a/b\udcff"], **others)
    assert within == check_entry(entry, rows=ClaimedRows.of(Path("submissions")), **others)
    assert within.metadata.method.name == "TAO (classical, CPU)"
    late = check_entry_within_limits(entry, limits=replace(LIMITS, wall_seconds=0.0)).validation
    assert [group.code for group in late.groups] == ["S171"]


@pytest.fixture
def repository(entry, monkeypatch):
    """The entry on the branch main; git of this repository."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)

    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *words], check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "base")
    return git


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_row_that_the_base_has_is_taken(entry, repository, capsys):
    shutil.copytree(entry, "submissions/another/ucsd-ped2")
    status, output, _ = check(capsys, "--changed-since", "main")
    assert status == 1
    assert "error[S196]" in output
    assert "those of tao-cpu/ucsd-ped2" in output


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_what_is_not_judged_is_marked(entry, repository, capsys):
    Path("code.py").write_text("x")
    repository("add", "--all")
    status, output, _ = check(capsys, "--changed-since", "main", "--format", "github")
    assert (status, output.splitlines()[0][:8]) == (0, "::notice")
    shutil.rmtree(entry)
    status, output, _ = check(capsys, "--changed-since", "main", "--format", "github")
    assert status == 1
    obeyed = output.partition("::stop-commands::")[0]
    assert "::warning title=vadbench::1 entry is deleted" in obeyed
    assert "::warning title=vadbench::1 changed file was not judged" in obeyed
    assert "error[S197]" in output
    assert "1 folder around entries: 1 wrong, no warnings" in output


def test_lines_fit_a_narrow_terminal(entry, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    status, output, _ = check(capsys, entry)
    assert status == 0
    assert max(len(line) for line in output.splitlines()) <= 60


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["none"], "U240"),
        (["empty"], "U241"),
        (["submissions", "--changed-since", "HEAD"], "U238"),
        (["--changed-since", "-x"], "U100"),
        (["--changed-since=--output=x"], "U237"),
        (["submissions", "--fetch", "--predictions", "x"], "U100"),
        (["submissions/tao-cpu/ucsd-ped2", "submissions", "--predictions", "x.zip"], "U239"),
        (["submissions/tao-cpu/ucsd-ped2", "--predictions", "../none.zip"], "U130"),
        (["--format", "html"], "U100"),
    ],
)
def test_wrong_calls(entry, capsys, words, code):
    Path("empty").mkdir()
    status, output, errors = check(capsys, *words)
    assert (status, output) == (2, "")
    assert errors.startswith(f"error[{code}]")


def test_a_submission_is_checked_in_a_process_of_its_own(tmp_path, data, capsys):
    path = write_submission(tmp_path / "sketch", data)
    status, output, _ = check(capsys, path, "--format", "json")
    (result,) = json.loads(output)["results"]
    assert status == 0
    assert result["kind"] == "submission"
    assert re.fullmatch(r"[0-9a-f]{64}", result["validation"]["fingerprint"])
    (path / "predictions.zarr" / "01" / "score_maps" / "zarr.json").write_text("{")
    status, output, _ = check(capsys, path)
    assert status == 1
    assert "S130" in output


# The template and the page beside the entries


def filled(text: str, values: dict[str, str]) -> str:
    """The template with its empty keys filled in."""
    for key, value in values.items():
        text, n = re.subn(rf"^{key} = \S+", f"{key} = {value}", text, count=1, flags=re.MULTILINE)
        assert n == 1
    return text


FILLED = {
    "dataset": '"ucsd-ped2"',
    "predictions": '["score_maps"]',
    "name": '"My Method"',
    "year": "2026",
    "code": '"https://example.org/"',
    "supervision": '"one-class"',
    "url": '"https://example.org/a.zip"',
    "sha256": f'"{"0" * 64}"',
}


def test_the_template_asks_for_what_is_empty(capsys, tmp_path, monkeypatch):
    folder = tmp_path / "submissions" / "my-method" / "ucsd-ped2"
    folder.mkdir(parents=True)
    shutil.copy(SUBMISSIONS / "_template" / "submission.toml", folder)
    monkeypatch.chdir(tmp_path)
    status, output, _ = check(capsys, "submissions")
    assert status == 1
    keys = ("dataset", "predictions", "method.name", "method.year", "method.code", "training.supervision", "files.url")
    assert all(f"{key}: " in output for key in keys)


def test_the_filled_in_template_is_valid():
    text = (SUBMISSIONS / "_template" / "submission.toml").read_text("utf-8")
    metadata = read_metadata(filled(text, FILLED).encode(), ("t",))
    assert metadata.method.name == "My Method"
    assert metadata.files is not None


def test_what_the_template_has_in_comments_is_valid_too():
    text = (SUBMISSIONS / "_template" / "submission.toml").read_text("utf-8")
    wanted = re.sub(r"^# (?=\[score_maps\]|[a-z_]+ = )", "", text, flags=re.MULTILINE)
    assert len(tomllib.loads(wanted)["method"]) == 10
    wanted = wanted.replace("https://…", "https://example.org/").replace('chosen_on = "none"', 'chosen_on = "training"')
    metadata = read_metadata(filled(wanted, FILLED).encode(), ("t",))
    assert metadata.threshold == 32768


def test_the_five_minute_path(tmp_path, data, monkeypatch, capsys):
    """Every command of the page up to git, on the synthetic set; what is uploaded stays here."""
    page = (SUBMISSIONS / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```(sh|toml)\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in blocks] == ["sh", "toml", "sh", "sh"]
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    write_submission(Path("out/my-method"), data)
    for number, (kind, text) in enumerate(blocks[:3]):
        block = text.replace("data/UCSDped2", str(data)).replace("ucsd-ped2", "synthetic")
        if kind == "toml":
            digest = hashlib.sha256(Path("out/my-method.zip").read_bytes()).hexdigest()
            with Path("submissions/my-method/synthetic/submission.toml").open("a") as file:
                file.write("\n" + block.replace("0" * 64, digest))
            continue
        for line in filter(None, block.splitlines()):
            program, *words = shlex.split(line)
            if program != "vadbench":
                subprocess.run([program, *words], check=True)
            elif "--fetch" not in words:
                # Nothing is there at the URL of the page.
                assert main(words) == 0, (number, line, capsys.readouterr())
    assert "S190" not in capsys.readouterr().out
    assert sorted(path.name for path in Path("submissions/my-method/synthetic").iterdir()) == [
        "report.json",
        "statistics.json",
        "submission.toml",
    ]

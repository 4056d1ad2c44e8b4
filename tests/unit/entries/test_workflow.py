"""The workflow of pull requests: what it may do, and that its check is the command that everybody has."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess

import pytest
from made_entries import COMMITTED, ROOT, copied_entry

from vadbench.cli import main

yaml = pytest.importorskip("yaml")

PATH = ROOT / ".github" / "workflows" / "submission.yml"
TEXT = PATH.read_text("utf-8")
WORKFLOW = yaml.safe_load(TEXT)
(JOB,) = WORKFLOW["jobs"].values()
STEPS = JOB["steps"]


def test_it_runs_on_every_pull_request():
    # YAML 1.1 reads the key `on` as true. A filter of paths would look at the first 300 changed files only.
    assert WORKFLOW[True] == {"pull_request": None}


def test_it_may_read_and_nothing_else():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in JOB
    assert "secrets" not in TEXT.replace("no secrets", "").replace("without secrets", "")
    assert "pull_request_target:" not in TEXT


def test_it_ends():
    assert JOB["timeout-minutes"] <= 120
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is True


def test_actions_are_pinned_by_commit():
    used = re.findall(r"uses: (\S+)(.*)", TEXT)
    assert len(used) == sum("uses" in step for step in STEPS) == 3
    for action, comment in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)


def test_the_checker_is_the_base_branch_and_what_was_sent_is_data():
    checkouts = {step["with"]["path"]: step["with"] for step in STEPS if "checkout" in step.get("uses", "")}
    assert checkouts["checker"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert checkouts["sent"]["ref"] == "${{ github.event.pull_request.head.sha }}"
    assert checkouts["sent"]["fetch-depth"] == 0
    assert [options["persist-credentials"] for options in checkouts.values()] == [False, False]
    (install,) = (step["run"] for step in STEPS if "pip" in step.get("run", ""))
    assert "sent" not in install
    assert {word for word in install.split() if "/" in word} == {"checker/constraints.txt", "./checker"}


def test_no_text_of_a_pull_request_is_part_of_a_script():
    for step in STEPS:
        assert "${{" not in step.get("run", "")


def check_step():
    (step,) = (step for step in STEPS if "submit-check" in step.get("run", ""))
    return step


def test_the_command_is_the_one_of_the_pages():
    command = check_step()["run"].replace('"$BASE"', "origin/main").removesuffix(" --format github")
    assert command == "vadbench submit-check --changed-since origin/main --fetch"
    assert command in (ROOT / "docs/board-entries.md").read_text("utf-8")
    # In a fork origin is the fork.
    assert command.replace("origin", "upstream") in (ROOT / "submissions/README.md").read_text("utf-8")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("spoiled", [False, True])
def test_its_step_runs_in_a_repository(tmp_path, monkeypatch, capsys, spoiled):
    """The step of the check, on two commits of a repository made here; the checkouts are what GitHub does."""
    sent = tmp_path / check_step()["working-directory"]
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for name, value in quiet.items():
        monkeypatch.setenv(name, value)

    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(["git", *who, *words], cwd=sent, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    sent.mkdir()
    git("init", "--quiet", "--initial-branch=main")
    git("commit", "--quiet", "--allow-empty", "--message", "base")
    assert set(check_step()["env"]) == {"BASE"}
    monkeypatch.setenv("BASE", git("rev-parse", "HEAD"))
    entry = copied_entry(COMMITTED, sent)
    if spoiled:
        (entry / "::error::x\n::add-mask::y").write_text("x")
    git("add", "--all")
    git("commit", "--quiet", "--message", "an entry")
    git("checkout", "--quiet", "--detach")

    monkeypatch.chdir(sent)
    program, *words = shlex.split(os.path.expandvars(check_step()["run"]))
    assert program == "vadbench"
    assert main(words) == (1 if spoiled else 0)
    output = capsys.readouterr().out
    assert "::warning file=submissions/tao-cpu/ucsd-ped2/submission.toml" in output
    assert ("S181" in output) == spoiled
    # Every line that GitHub would obey is one of ours.
    obeyed = [line for line in output.partition("::stop-commands::")[0].splitlines() if line.lstrip().startswith("::")]
    assert all(re.match(r"::(error|warning|notice) file=submissions/tao-cpu", line) for line in obeyed)
    assert not any(line.startswith("::add-mask") for line in output.splitlines())
    assert re.search(r"^::stop-commands::([0-9a-f]{32})\n.*^::\1::\n\Z", output, flags=re.MULTILINE | re.DOTALL)

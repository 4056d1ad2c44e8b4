"""What a branch changes, in a repository that the test makes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from vadbench.entries.changed_entries import changed_entries, sorted_out
from vadbench.entries.finding_entries import MOST_ENTRIES, JobKind, jobs_at, jobs_of_changes
from vadbench.errors import UsageError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose branch ``main`` has two entries; ``work`` is checked out and equal."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    write(tmp_path, "README.md", "submissions/README.md", "submissions/_template/submission.toml")
    write(tmp_path, "submissions/one/ucsd-ped2/report.json", "submissions/two/avenue/report.json")
    commit(tmp_path)
    git(tmp_path, "switch", "--quiet", "--create", "work")
    return tmp_path


def git(folder, *words):
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def write(folder, *names, text="x"):
    for name in names:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "more")


def shown(paths):
    return [str(path) for path in paths]


def test_nothing_was_changed(repository):
    changes = changed_entries("main", repository)
    assert (changes.entries, changes.deleted, changes.misplaced, changes.not_judged) == ((), (), (), ())


def test_what_was_changed_is_sorted_out(repository):
    write(repository, "submissions/one/ucsd-ped2/report.json", text="y")
    write(repository, "submissions/three/avenue/deep/inside.txt", "submissions/stray.txt", "submissions/one/stray.txt")
    write(repository, "vadbench/x.py", "submissions/README.md", "submissions/_template/new", text="y")
    shutil.rmtree(repository / "submissions" / "two")
    commit(repository)
    write(repository, "submissions/four/not yet\nknown/report.json")
    changes = changed_entries("main", repository / "submissions")
    assert shown(changes.entries) == [
        "submissions/four/not yet\nknown",
        "submissions/one/ucsd-ped2",
        "submissions/three/avenue",
    ]
    assert shown(changes.deleted) == ["submissions/two/avenue"]
    assert shown(changes.misplaced) == ["submissions/one/stray.txt", "submissions/stray.txt"]
    assert shown(changes.not_judged) == ["submissions/README.md", "submissions/_template/new", "vadbench/x.py"]
    kinds = [job.kind for job in jobs_of_changes(changes)]
    assert kinds == [JobKind.ENTRY, JobKind.ENTRY, JobKind.ENTRY, JobKind.FOLDER]
    assert all(job.shown.isprintable() for job in jobs_of_changes(changes))


def test_what_others_changed_meanwhile_does_not_count(repository):
    git(repository, "switch", "--quiet", "main")
    write(repository, "submissions/two/avenue/report.json", text="theirs")
    commit(repository)
    git(repository, "switch", "--quiet", "work")
    write(repository, "submissions/one/ucsd-ped2/report.json", text="ours")
    commit(repository)
    assert shown(changed_entries("main", repository).entries) == ["submissions/one/ucsd-ped2"]


def test_links_are_found_as_what_they_replace(repository):
    (repository / "submissions" / "linked").symlink_to("/etc")
    (repository / "submissions" / "one" / "avenue").symlink_to("/nowhere")
    commit(repository)
    changes = changed_entries("main", repository)
    assert shown(changes.misplaced) == ["submissions/linked"]
    assert shown(changes.entries) == ["submissions/one/avenue"]


def test_a_verification_that_comes_along_is_a_problem(repository):
    write(repository, "submissions/one/ucsd-ped2/verified.json", "submissions/new/avenue/report.json")
    commit(repository)
    jobs = {
        job.shown: [error.code for error in job.problems]
        for job in jobs_of_changes(changed_entries("main", repository))
    }
    assert jobs == {"submissions/new/avenue": [], "submissions/one/ucsd-ped2": ["S195"]}


def problems_of(repository):
    """Codes and what is said of each thing that a branch changes."""
    commit(repository)
    jobs = jobs_of_changes(changed_entries("main", repository))
    return {job.shown: [(error.code, error.got) for error in job.problems] for job in jobs}


@pytest.mark.parametrize("kind", ["link", "submodule", "file"])
def test_the_folder_of_all_entries_is_one(repository, tmp_path, kind):
    folder = repository / "submissions"
    shutil.move(folder, repository / ".git" / "elsewhere")
    if kind == "link":
        folder.symlink_to(repository / ".git" / "elsewhere")
    elif kind == "file":
        folder.touch()
    else:
        git(tmp_path, "init", "--quiet", str(folder))
        git(folder, "commit", "--quiet", "--allow-empty", "--message", "inside")
    found = problems_of(repository)
    # Nothing that lies elsewhere is looked at.
    assert list(found) == ["submissions"]
    assert "S181" in [code for code, _ in found["submissions"]]


@pytest.mark.parametrize("name", ["submissions/README.md", "submissions/_template/submission.toml"])
def test_own_files_do_not_become_links(repository, name):
    (repository / name).unlink()
    (repository / name).symlink_to("/etc/passwd")
    assert [code for code, _ in problems_of(repository)["submissions"]] == ["S121"]


def test_the_template_does_not_become_a_link(repository):
    shutil.rmtree(repository / "submissions" / "_template")
    (repository / "submissions" / "_template").symlink_to("/etc")
    assert "S181" in [code for code, _ in problems_of(repository)["submissions"]]


def test_the_same_name_in_other_letters(repository):
    write(repository, "Submissions/one/avenue/report.json")
    assert problems_of(repository) == {"submissions": [("S181", "something outside of an entry")]}


@pytest.mark.parametrize(
    "name", [".gitattributes", "vadbench/x.py", ".github/workflows/x.yml", "submissions/README.md"]
)
def test_an_entry_comes_alone(repository, name):
    write(repository, name, text="* -text\n")
    commit(repository)
    assert jobs_of_changes(changed_entries("main", repository)) == []
    write(repository, "submissions/three/avenue/report.json")
    assert problems_of(repository)["submissions"] == [("S197", f'also "{name}"')]


def test_a_verified_entry_is_not_deleted(repository):
    write(repository, "submissions/one/ucsd-ped2/verified.json")
    commit(repository)
    git(repository, "branch", "--force", "main", "work")
    shutil.rmtree(repository / "submissions" / "one")
    assert [code for code, _ in problems_of(repository)["submissions"]] == ["S195"]


def test_a_branch_of_too_many_entries(repository):
    write(repository, *(f"submissions/m{number}/avenue/report.json" for number in range(MOST_ENTRIES + 1)))
    found = problems_of(repository)
    assert len(found) == MOST_ENTRIES + 1
    assert found["submissions"] == [("S197", str(MOST_ENTRIES + 1))]


def test_entries_whose_metadata_stay_are_settled(repository):
    write(repository, "submissions/one/ucsd-ped2/submission.toml", "submissions/two/avenue/submission.toml")
    commit(repository)
    git(repository, "branch", "--force", "main", "work")
    write(repository, "submissions/one/ucsd-ped2/report.json", "submissions/two/avenue/submission.toml", text="y")
    write(repository, "submissions/new/avenue/submission.toml")
    assert shown(changed_entries("main", repository).settled) == ["submissions/one/ucsd-ped2"]


@pytest.mark.parametrize(
    "reference", ["--output=x", "-h", "", "no such", "main\n", "x" * 300, "HEAD:README.md", "\x1b[31m"]
)
def test_a_reference_that_is_none(repository, reference):
    with pytest.raises(UsageError) as caught:
        changed_entries(reference, repository)
    assert caught.value.code == "U237"
    assert caught.value.got.isprintable()
    assert not (repository / "x").exists()


def test_a_branch_without_an_ancestor_in_common(repository):
    git(repository, "switch", "--quiet", "--orphan", "alone")
    write(repository, "x")
    commit(repository)
    with pytest.raises(UsageError) as caught:
        changed_entries("main", repository)
    assert caught.value.code == "U237"


def test_a_folder_that_is_in_no_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError) as caught:
        changed_entries("main", tmp_path)
    assert caught.value.code == "U236"


def test_without_git(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(UsageError) as caught:
        changed_entries("main", repository)
    assert caught.value.code == "U236"


def test_nothing_that_a_repository_configures_is_run(repository):
    # A program as driver of differences, as a hook, and as a monitor of files: none of them is started.
    program = repository / "program"
    program.write_text(f"#!/bin/sh\ntouch '{repository}/started'\n")
    program.chmod(0o755)
    write(repository, ".gitattributes", text="* diff=evil filter=evil\n")
    for key in ("diff.external", "diff.evil.textconv", "diff.evil.command", "core.fsmonitor"):
        git(repository, "config", key, str(program))
    commit(repository)
    write(repository, "submissions/one/ucsd-ped2/report.json", text="y")
    (repository / "started").unlink(missing_ok=True)
    assert changed_entries("main", repository).entries
    assert not (repository / "started").exists()


def test_a_repository_in_the_place_of_an_entry():
    changes = sorted_out(Path("/nonexistent"), [PurePosixPath("submissions/a/b")])
    assert shown(changes.deleted) == ["submissions/a/b"]


# What there is at a path


def test_the_entries_of_a_folder(repository):
    write(repository, "submissions/one/stray.txt", "submissions/stray.txt")
    jobs = jobs_at(repository / "submissions")
    found = [(str(job.path.relative_to(repository)), str(job.kind)) for job in jobs]
    assert found == [
        ("submissions/one/ucsd-ped2", "entry"),
        ("submissions/one", "folder"),
        ("submissions/two/avenue", "entry"),
        ("submissions", "folder"),
    ]
    assert jobs[1].validation().n_errors == 1
    assert [job.kind for job in jobs_at(repository / "submissions" / "two")] == [JobKind.ENTRY]
    assert [job.kind for job in jobs_at(repository / "submissions" / "two" / "avenue")] == [JobKind.ENTRY]


def test_a_submission_is_told_from_an_entry(tmp_path):
    write(tmp_path, "out/submission.toml", "submissions/m/d/submission.toml", "a.zip")
    assert [job.kind for job in jobs_at(tmp_path / "out")] == [JobKind.SUBMISSION]
    assert [job.kind for job in jobs_at(tmp_path / "a.zip")] == [JobKind.SUBMISSION]
    assert [job.kind for job in jobs_at(tmp_path / "submissions" / "m" / "d")] == [JobKind.ENTRY]


def test_paths_with_nothing_to_check(tmp_path):
    for path, code in ((tmp_path / "none", "U240"), (tmp_path, "U241")):
        with pytest.raises(UsageError) as caught:
            jobs_at(path)
        assert caught.value.code == code

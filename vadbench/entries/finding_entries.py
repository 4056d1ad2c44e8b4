"""What there is to check at a path, or in what a branch changed: entries, submissions, names in the wrong place.

Source: docs/board-entries.md, "What is judged".
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vadbench.datasets.findings import Severity
from vadbench.entries.changed_entries import FOLDER, OWN_FILES, TEMPLATE, ChangedEntries
from vadbench.entries.entry_files import FURTHER_REPORT, REPORT, VERIFIED, as_shown
from vadbench.errors import SubmissionError, UsageError, quoted, shortened
from vadbench.submission.problems import problem
from vadbench.submission.tree import METADATA, PREDICTIONS
from vadbench.validation.findings import Findings
from vadbench.validation.validation import Validation

MOST_ENTRIES = 50
"""In one branch; the check of one takes up to two minutes."""

_MOST_NAMES = 100_000
_LISTED = 12


class JobKind(StrEnum):
    """What something is."""

    ENTRY = "entry"
    SUBMISSION = "submission"
    FOLDER = "folder"


@dataclass(frozen=True)
class Job:
    """One thing to check.

    Parameters
    ----------
    kind : JobKind
        ``folder``: the folder around entries, of which all that is wrong is known already.
    path : Path
    shown : str
        How messages call it.
    problems : tuple of SubmissionError
        What is known already.
    """

    kind: JobKind
    path: Path
    shown: str
    problems: tuple[SubmissionError, ...] = ()

    def validation(self) -> Validation:
        """The problems that are known already, as a result."""
        findings = Findings(self.shown)
        for error in self.problems:
            findings.add(error)
        return Validation(submission=self.shown, groups=findings.groups(), n_errors=findings.number(Severity.ERROR))


def jobs_at(path: Path) -> list[Job]:
    """What is to be checked at a path: an entry, a submission, or a folder of entries or of those of one method.

    Raises
    ------
    UsageError
        U240 if there is nothing at the path, U241 if it holds no entry.
    """
    shown = as_shown(path)
    if path.is_file():
        return [Job(JobKind.SUBMISSION, path, shown)]
    if not path.is_dir():
        raise UsageError(
            "U240",
            "there is nothing to check at the path",
            got=quoted(path),
            hint="an entry is the folder submissions/METHOD/DATASET",
        )
    if _is_entry(path):
        return [Job(JobKind.ENTRY, path, shown)]
    if os.path.lexists(path / METADATA) or os.path.lexists(path / PREDICTIONS):
        return [Job(JobKind.SUBMISSION, path, shown)]
    folders = [child for child in _children(path) if child.is_dir() and not child.is_symlink()]
    jobs = list(_of_method(path, shown) if any(_is_entry(child) for child in folders) else _of_folder(path, shown))
    if not jobs:
        raise UsageError(
            "U241",
            "there is no entry in the folder",
            got=quoted(path),
            expected="submissions/METHOD/DATASET with submission.toml and report.json",
            hint="submissions/README.md has the way from predictions to an entry",
        )
    return jobs


def _is_entry(folder: Path) -> bool:
    """Whether a folder is meant as an entry: it has a report, or lies where entries do and has no predictions."""
    if any(name == REPORT or name.endswith(FURTHER_REPORT) for name in _names(folder)):
        return True
    return (
        folder.absolute().parent.parent.name == FOLDER
        and os.path.lexists(folder / METADATA)
        and not os.path.lexists(folder / PREDICTIONS)
    )


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as listing:
            return sorted(entry.name for entry, _ in zip(listing, range(_MOST_NAMES), strict=False))
    except OSError:
        return []


def _children(folder: Path) -> list[Path]:
    return [folder / name for name in _names(folder)]


def _of_folder(folder: Path, shown: str) -> Iterator[Job]:
    """Every entry in a folder of all entries, and what does not belong there."""
    misplaced = []
    for child in _children(folder):
        if child.name in {TEMPLATE, *OWN_FILES} and not child.is_symlink():
            continue
        if child.is_symlink() or not child.is_dir():
            misplaced.append(_misplaced(shown, child.name))
        else:
            yield from _of_method(child, as_shown(f"{shown}/{child.name}"))
    if misplaced:
        yield Job(JobKind.FOLDER, folder, shown, tuple(misplaced))


def _of_method(folder: Path, shown: str) -> Iterator[Job]:
    misplaced = []
    for child in _children(folder):
        if child.is_dir() or child.is_symlink():
            yield Job(JobKind.ENTRY, child, as_shown(f"{shown}/{child.name}"))
        else:
            misplaced.append(_misplaced(shown, child.name))
    if misplaced:
        yield Job(JobKind.FOLDER, folder, as_shown(shown), tuple(misplaced))


def _misplaced(shown: str, name: str) -> SubmissionError:
    return problem(
        "S181",
        where=(shown, quoted(name)),
        expected="submissions/METHOD/DATASET/ with the files of an entry",
        got="something outside of an entry",
        hint="move it into the folder of the entry, or take it out",
    )


def jobs_of_changes(changes: ChangedEntries) -> list[Job]:
    """Entries that a branch changed, and what is wrong with the branch as a whole.

    Notes
    -----
    A verification is what maintainers found when they scored an entry again. A branch that brings, changes or
    removes one, alone or with its entry, is refused, for else it would be the stranger's own word (S195). So is one
    that changes an entry and anything else: what is merged is then no mere entry, and settings such as
    ``.gitattributes`` may make it another than the one that was looked at (S197).
    """
    errors = [_misplaced(FOLDER, str(file)) for file in changes.misplaced]
    errors += [_own_link(file) for file in changes.own_links]
    errors += [_verification(entry) for entry in changes.deleted if entry / VERIFIED in changes.files]
    if changes.not_judged and (changes.entries or changes.deleted or changes.misplaced):
        errors.append(_mixed(changes))
    if len(changes.entries) > MOST_ENTRIES:
        errors.append(
            problem(
                "S197",
                where=(FOLDER,),
                expected=f"at most {MOST_ENTRIES} entries in a branch",
                got=str(len(changes.entries)),
                hint="send the others in a branch of their own",
            )
        )
    jobs = []
    for entry in changes.entries[:MOST_ENTRIES]:
        brought = entry / VERIFIED in changes.files
        jobs.append(
            Job(JobKind.ENTRY, changes.root / entry, as_shown(entry), (_verification(entry),) if brought else ())
        )
    if errors:
        jobs.append(Job(JobKind.FOLDER, changes.root / FOLDER, FOLDER, tuple(errors)))
    return jobs


def _mixed(changes: ChangedEntries) -> SubmissionError:
    names = shortened([quoted(file) for file in changes.not_judged], _LISTED, between=", ")
    return problem(
        "S197",
        where=(FOLDER,),
        expected="a branch that changes entries and nothing else",
        got=f"also {names}",
        hint="send entries alone, and everything else in a branch of its own",
    )


def _own_link(file: object) -> SubmissionError:
    return problem(
        "S121",
        where=(as_shown(file),),
        expected="a plain file",
        got="a link or something else",
        hint="put the file itself there",
    )


def _verification(entry: object) -> SubmissionError:
    return problem(
        "S195",
        where=(as_shown(entry), VERIFIED),
        expected="as the base branch has it, or none",
        got="one that is new, changed or taken away",
        hint="maintainers write it, not the pull request of an entry: leave it as it was",
    )

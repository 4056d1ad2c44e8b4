"""``vadbench submit-check``: entries for the board, as the check of a pull request judges them."""

from __future__ import annotations

import argparse
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from vadbench.cli.output import print_paragraph, standard_output
from vadbench.command_line import CommandParser
from vadbench.entries.changed_entries import FOLDER, ChangedEntries, changed_entries
from vadbench.entries.entry import CheckedEntry
from vadbench.entries.entry_files import as_shown
from vadbench.entries.entry_predictions import fetched_predictions, given_predictions
from vadbench.entries.entry_process import check_entry_within_limits
from vadbench.entries.finding_entries import Job, JobKind, jobs_at, jobs_of_changes
from vadbench.entries.sandbox import run_limited
from vadbench.errors import UsageError, shortened
from vadbench.submission.tree import METADATA
from vadbench.validation.presentation import github_lines, text_lines
from vadbench.validation.validation import Validation

FORMAT = "vadbench.submit-check/1"
_FORMATS = ("text", "json", "github")
_LISTED = 12
_READABLE_WIDTH = 100
_NOUNS = {
    "entry": ("entry", "entries"),
    "predictions": ("file of predictions", "files of predictions"),
    "submission": ("submission", "submissions"),
    "folder": ("folder around entries", "folders around entries"),
}


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench submit-check",
        "Check entries for the board, exactly as the check of a pull request does; nothing of them is trusted.",
        "vadbench submit-check submissions",
    )
    parser.add_argument(
        "paths",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="an entry (submissions/METHOD/DATASET), a folder of entries, or a submission with its predictions, folder "
        "or zip (default: the folder submissions)",
    )
    parser.add_argument(
        "--changed-since", metavar="REF", help="the entries that this branch changed since it left REF: upstream/main"
    )
    predictions = parser.add_mutually_exclusive_group()
    predictions.add_argument(
        "--fetch", action="store_true", help="download the predictions that entries name, and check them too"
    )
    predictions.add_argument(
        "--predictions", type=Path, metavar="FILE", help="the packed zip, or the folder, that belongs to one entry"
    )
    parser.add_argument("--format", choices=_FORMATS, help="text, json, or annotations for GitHub (default text)")
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    return parser


@dataclass
class _Outcome:
    """Everything that a call found."""

    results: list[tuple[str, str, Validation]] = field(default_factory=list)
    """What it is (entry, predictions, submission, folder), where it lies, and what was found."""

    changes: ChangedEntries | None = None

    @property
    def exit_code(self) -> int:
        """1 if there is an error anywhere."""
        return max((validation.exit_code for _, _, validation in self.results), default=0)


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    if options.json and options.format not in {None, "json"}:
        raise UsageError("U230", "--json and another --format exclude each other", got=f"--format {options.format}")
    outcome = _Outcome()
    for job in _jobs(options, outcome):
        outcome.results += _checked(job, options, outcome.changes)
    printed = {"text": _print_text, "json": _print_json, "github": _print_github}
    printed["json" if options.json else options.format or "text"](outcome)
    return outcome.exit_code


def _jobs(options: argparse.Namespace, outcome: _Outcome) -> list[Job]:
    """What is to be checked."""
    if options.changed_since is not None:
        if options.paths:
            raise UsageError(
                "U238",
                "--changed-since finds the entries itself",
                got=str(options.paths[0]),
                hint="leave the paths out",
            )
        outcome.changes = changed_entries(options.changed_since, Path.cwd())
        jobs = jobs_of_changes(outcome.changes)
    else:
        jobs = [job for path in options.paths or [Path(FOLDER)] for job in jobs_at(path)]
    n_entries = sum(job.kind is JobKind.ENTRY for job in jobs)
    if options.predictions is not None and (n_entries != 1 or len(jobs) != 1):
        raise UsageError("U239", "--predictions is for one entry", got=f"{n_entries} entries")
    return jobs


def _checked(
    job: Job, options: argparse.Namespace, changes: ChangedEntries | None
) -> Iterator[tuple[str, str, Validation]]:
    """Results about one job."""
    if job.kind is JobKind.SUBMISSION:
        yield "submission", job.shown, run_limited(job.path)
        return
    if job.kind is JobKind.FOLDER:
        yield "folder", job.shown, job.validation()
        return
    wanted = options.fetch or options.predictions is not None
    remark = "" if wanted else "not looked at without --fetch or --predictions FILE"
    around = job.path.absolute().parent.parent
    entry = check_entry_within_limits(
        job.path,
        shown=job.shown,
        more=job.problems,
        around=around if around.name == FOLDER else None,
        settled=[] if changes is None else [f"{own.parent.name}/{own.name}" for own in changes.settled],
        predictions=remark,
    )
    yield "entry", job.shown, entry.validation
    predictions = _predictions(entry, options)
    if predictions is not None:
        yield "predictions", job.shown, predictions


def _predictions(entry: CheckedEntry, options: argparse.Namespace) -> Validation | None:
    if options.predictions is not None:
        return given_predictions(entry, options.predictions)
    return fetched_predictions(entry) if options.fetch else None


def _print_text(outcome: _Outcome) -> None:
    """One block for each thing that was looked at, then what was not, then a line that sums it up."""
    console = standard_output()
    width = min(console.width, _READABLE_WIDTH)
    for kind, _, validation in outcome.results:
        *lines, verdict = text_lines(validation, width, label=kind)
        console.print("\n".join([*lines, "", verdict]), markup=False, soft_wrap=True)
        console.print()
    if outcome.changes is not None:
        _print_changes(console, outcome.changes)
    n_wrong = sum(validation.exit_code for _, _, validation in outcome.results)
    n_warnings = sum(validation.n_warnings for _, _, validation in outcome.results)
    warnings = f"{n_warnings or 'no'} warning{'' if n_warnings == 1 else 's'}"
    summary = f"{_counted(outcome)}: {n_wrong or 'nothing'} wrong, {warnings}"
    print_paragraph(console, summary if outcome.results else "no entry was changed: there is nothing to check")


def _counted(outcome: _Outcome) -> str:
    """What was looked at, in words: ``1 entry and 1 file of predictions``."""
    counts = Counter(kind for kind, _, _ in outcome.results)
    parts = [f"{counts[kind]} {_NOUNS[kind][counts[kind] > 1]}" for kind in _NOUNS if counts[kind]]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def _print_changes(console: Console, changes: ChangedEntries) -> None:
    for title, paths in (("deleted", changes.deleted), ("not judged", changes.not_judged)):
        if paths:
            names = shortened([as_shown(path) for path in paths], _LISTED, between=", ")
            print_paragraph(console, names, first=f"{title:<11}", rest=" " * 11)
    if changes.not_judged:
        remark = "what is not judged is not part of an entry: somebody has to read it before anything is merged"
        print_paragraph(console, remark, first=" " * 11, rest=" " * 11)
    if changes.deleted or changes.not_judged:
        console.print()


def _print_json(outcome: _Outcome) -> None:
    changes = outcome.changes
    content: dict[str, Any] = {
        "format": FORMAT,
        "exit_code": outcome.exit_code,
        "results": [
            {"kind": kind, "path": shown, "validation": validation.model_dump(mode="json")}
            for kind, shown, validation in outcome.results
        ],
        "deleted": [] if changes is None else [as_shown(path) for path in changes.deleted],
        "not_judged": [] if changes is None else [as_shown(path) for path in changes.not_judged],
    }
    print(json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False))


def _print_github(outcome: _Outcome) -> None:
    """Commands of GitHub's runner, then the text, which is its log."""
    for kind, shown, validation in outcome.results:
        print("\n".join(github_lines(validation, file=_annotated(kind, shown))))
    for line in _remarks(outcome.changes):
        print(line)
    # A line of the log that begins like a command would be one, whoever wrote the words that stand there.
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}")
    _print_text(outcome)
    print(f"::{token}::")


def _remarks(changes: ChangedEntries | None) -> Iterator[str]:
    """Annotations about what was not judged, and what goes: no name of a stranger's is part of one."""
    if changes is None:
        return
    if changes.deleted:
        gone = "1 entry is" if len(changes.deleted) == 1 else f"{len(changes.deleted)} entries are"
        yield f"::warning title=vadbench::{gone} deleted; the log names them"
    if changes.not_judged:
        # Of a branch without entries nothing else is expected.
        own = any(file.parts[0] == FOLDER for file in changes.not_judged)
        kind = "warning" if changes.entries or changes.deleted or own else "notice"
        n = len(changes.not_judged)
        files = "1 changed file was" if n == 1 else f"{n} changed files were"
        yield f"::{kind} title=vadbench::{files} not judged; the log names them"


def _annotated(kind: str, shown: str) -> str:
    """The file that an annotation is put beside."""
    return f"{shown}/{METADATA}" if kind in {"entry", "predictions"} else shown

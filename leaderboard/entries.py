"""Reading of entries: every folder ``submissions/METHOD/DATASET``, checked, with its reports and what lies beside them.

Source: docs/board-entries.md; docs/leaderboard.md, "What is read".
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leaderboard.board import row_key
from leaderboard.cache import BoardCache, key_of
from leaderboard.choices import Status
from leaderboard.errors import LeaderboardError, SeveralProblemsError
from leaderboard.verification import verified_status
from vadbench import Report, SubmissionError, UsageError, Validation
from vadbench.entries import DEFINITIONS, Job, JobKind, check_entry, jobs_at, read_entry_files, read_sent_report
from vadbench.errors import VadbenchError, quoted

METADATA = "submission.toml"
STANDARD = "standard"
_REPORT, _STATISTICS, _VERIFIED = "report.json", "statistics.json", "verified.json"
_CLIP_DIFFERS = "S103"
_ABSENT = "S180"

Progress = Callable[[str, int, int], None]
"""What is done, how much of it, and of how many."""


@dataclass(frozen=True)
class EntryReport:
    """One report of an entry.

    Parameters
    ----------
    protocol : str
        As the name of the file says.
    report : Report
    sha256 : str
        Of the file.
    statistics : Path or None
        Beside it.
    statistics_sha256 : str
        Empty without statistics.
    outdated : bool
        Of an older version of the definitions: its signature may be one that cannot be parsed.
    """

    protocol: str
    report: Report
    sha256: str
    statistics: Path | None
    statistics_sha256: str
    outdated: bool


@dataclass(frozen=True)
class Entry:
    """One entry that may stand on the board.

    Parameters
    ----------
    method, dataset : str
        Names of its folders.
    folder : Path
    metadata : mapping
        ``submission.toml``.
    status : Status
    reports : tuple of EntryReport
        ``standard`` first.
    clips_differ : bool
        A report has not the clips of its data set, and nothing else is wrong with it.
    """

    method: str
    dataset: str
    folder: Path
    metadata: Mapping[str, Any]
    status: Status
    reports: tuple[EntryReport, ...]
    clips_differ: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of its rows."""
        return tuple(row_key(self.method, self.dataset, own.protocol) for own in self.reports)


def read_entries(submissions: Path, cache: BoardCache, progress: Progress | None = None) -> tuple[Entry, ...]:
    """Read every entry of a folder, sorted by method and data set.

    Raises
    ------
    SeveralProblemsError
        With every problem of every entry.
    UsageError
        U240 if there is no such folder.
    """
    try:
        jobs = jobs_at(submissions)
    except UsageError as error:
        if error.code != "U241":
            raise
        jobs = []
    problems: list[VadbenchError] = []
    entries: list[Entry] = []
    for number, job in enumerate(jobs):
        if progress is not None:
            progress("reading entries", number, len(jobs))
        if job.kind is JobKind.ENTRY:
            try:
                entries.append(_entry(job, cache))
            except SeveralProblemsError as error:
                problems += error.problems
        else:
            problems += _found(job.validation())
    problems += _claimed_twice(entries)
    if problems:
        raise SeveralProblemsError(problems)
    return tuple(sorted(entries, key=lambda entry: (entry.method, entry.dataset)))


def _entry(job: Job, cache: BoardCache) -> Entry:
    """Read one entry; raises `SeveralProblemsError` with all its problems."""
    folder = job.path
    files = read_entry_files(folder, job.shown)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.contents.items()}
    key = key_of("entry", folder.parent.name, folder.name, json.dumps(digests, sort_keys=True))
    # What is wrong with the folder itself, such as a link, is in no digest.
    kept = None if files.problems or job.problems else cache.read(key)
    if kept is None:
        check = _checked(job, files.contents)
        if not files.problems and not job.problems:
            cache.write(key, json.dumps(check).encode())
    else:
        check = json.loads(kept)
    outdated = set(check["outdated"])
    try:
        reports = tuple(_reports(folder, files.contents, digests, outdated))
        metadata = tomllib.loads(files.contents[METADATA].decode())
        status = verified_status(files.contents, {own.protocol: own.report for own in reports}, job.shown)
    except VadbenchError as error:
        raise SeveralProblemsError([error]) from error
    return Entry(folder.parent.name, folder.name, folder, metadata, status, reports, check["clips_differ"])


def _checked(job: Job, contents: Mapping[str, bytes]) -> dict[str, Any]:
    """Check an entry; gives the names of its outdated reports, and whether its clips alone are others."""
    outdated = sorted(name for name, data in contents.items() if _is_report(name) and _is_outdated(data))
    if outdated:
        errors = list(_errors_of_the_rest(job, contents, outdated))
    else:
        errors = list(_found(check_entry(job.path, shown=job.shown, more=job.problems).validation))
    wrong = [error for error in errors if error.code != _CLIP_DIFFERS]
    if wrong:
        raise SeveralProblemsError(errors)
    return {"outdated": outdated, "clips_differ": bool(errors)}


def _is_report(name: str) -> bool:
    return name == _REPORT or name.endswith(f".{_REPORT}")


def _is_outdated(data: bytes) -> bool:
    """Whether a report says that it is of older definitions; False where it cannot be read at all."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return False
    signature = content.get("signature") if isinstance(content, dict) else None
    name, _, rest = str(signature).partition("|")[0].partition("/")
    # Few digits only: a number of thousands of them cannot even be read.
    return name == "vadbench" and rest.isascii() and rest.isdigit() and len(rest) < 6 and int(rest) < DEFINITIONS


def _errors_of_the_rest(job: Job, contents: Mapping[str, bytes], outdated: Sequence[str]) -> Iterator[VadbenchError]:
    """Problems of an entry some of whose reports are of older definitions, which today's check cannot judge.

    These reports are read as strictly as others; the rest is checked as an entry without them.
    """
    for name in outdated:
        try:
            read_sent_report(contents[name], (job.shown, name))
        except SubmissionError as error:
            yield error
    left_out = {*outdated, *(_statistics_name(name) for name in outdated), _VERIFIED}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / job.path.parent.name / job.path.name
        folder.mkdir(parents=True)
        for name in contents.keys() - left_out:
            (folder / name).write_bytes(contents[name])
        for found in _found(check_entry(folder, shown=job.shown, more=job.problems).validation):
            if not (found.code == _ABSENT and _REPORT in outdated):
                yield found


def _statistics_name(report: str) -> str:
    return report.removesuffix(_REPORT) + _STATISTICS


def _found(validation: Validation) -> Iterator[VadbenchError]:
    """Errors of a check as they are printed."""
    for group in validation.groups:
        if str(group.severity) == "error":
            more = f" ({group.count} places)" if group.count > 1 else ""
            where = (validation.submission, *group.where[:1])
            yield SubmissionError(
                group.code, group.message + more, where=where, expected=group.expected, got=group.got, hint=group.hint
            )


def _reports(
    folder: Path, contents: Mapping[str, bytes], digests: Mapping[str, str], outdated: set[str]
) -> Iterator[EntryReport]:
    names = sorted((name for name in contents if _is_report(name)), key=lambda name: (name != _REPORT, name))
    for name in names:
        beside = _statistics_name(name)
        yield EntryReport(
            protocol=name.removesuffix(_REPORT).removesuffix(".") or STANDARD,
            # It has been read strictly when it was checked.
            report=Report.model_validate_json(contents[name]),
            sha256=digests[name],
            statistics=folder / beside if beside in contents else None,
            statistics_sha256=digests.get(beside, ""),
            outdated=name in outdated,
        )


def _claimed_twice(entries: Sequence[Entry]) -> Iterator[VadbenchError]:
    """Entries that call themselves the same as another one: readers could not tell the rows apart."""
    claims: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        method = entry.metadata["method"]
        words = (str(method["name"]), str(method.get("version", "")))
        plain = [" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in words]
        claims.setdefault((entry.dataset, *plain), []).append(entry)
    for claimed in claims.values():
        if len(claimed) > 1:
            yield LeaderboardError(
                "L110",
                "several entries claim one row: data set, name and version are the same",
                where=[f"{entry.method}/{entry.dataset}" for entry in claimed],
                got=quoted(claimed[0].metadata["method"]["name"]),
                hint="give one of them another name, or a version",
            )

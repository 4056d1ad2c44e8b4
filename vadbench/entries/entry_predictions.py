"""The predictions of an entry: fetched from where it says or given as a file, and checked in a process with limits.

Source: docs/board-entries.md, "Predictions".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vadbench.datasets.findings import Severity
from vadbench.entries.entry import CheckedEntry
from vadbench.entries.fetching import FetchLimits, fetched
from vadbench.entries.sandbox import run_limited
from vadbench.errors import SubmissionError, quoted
from vadbench.submission.problems import problem
from vadbench.submission.reader import Submission
from vadbench.submission.schema import Metadata
from vadbench.submission.tree import METADATA
from vadbench.validation.findings import Findings
from vadbench.validation.validation import Check as MadeCheck
from vadbench.validation.validation import Validation

Check = Callable[[Path], Validation]
"""Checks a submission with its predictions, whatever they hold."""


def fetched_predictions(
    entry: CheckedEntry, *, limits: FetchLimits | None = None, check: Check = run_limited
) -> Validation | None:
    """Fetch the predictions from where the entry says that they are, and check them.

    Parameters
    ----------
    entry : CheckedEntry
        Whose metadata could be read.
    limits : FetchLimits, optional
    check : callable

    Returns
    -------
    Validation or None
        None if the entry does not say where its predictions are.

    Raises
    ------
    UsageError
        U235 if there is no room for the download.
    """
    if entry.metadata is None or entry.metadata.files is None:
        return None
    files, where = entry.metadata.files, (entry.validation.submission, METADATA, "files.url")
    try:
        with fetched(files.url, files.sha256, where=where, limits=limits) as path:
            return _with_digest(_judged(entry, path, check, shown=files.url), made=True)
    except SubmissionError as error:
        return Validation.of_error(files.url, error, dataset=entry.metadata.dataset)


def given_predictions(entry: CheckedEntry, path: Path, *, check: Check = run_limited) -> Validation:
    """Check a submission with its predictions, and whether it is the one that the entry names and its report is of.

    Parameters
    ----------
    entry : CheckedEntry
    path : Path
        Packed zip, which must have the SHA-256 that the entry declares; or a folder, which has none.
    check : callable
        What checks the submission; its result is taken as it is.

    Raises
    ------
    UsageError
        U130 if there is nothing at the path.
    """
    validation = _judged(entry, path, check)
    if entry.metadata is None or entry.metadata.files is None:
        return validation
    if path.is_dir():
        return _with_digest(validation, made=False, remark="a folder was given, and it is of the packed zip")
    differs = _digest_differs(path, entry.metadata.files.sha256.lower(), validation.submission)
    return _with_errors(_with_digest(validation, made=True), differs)


def _with_digest(validation: Validation, *, made: bool, remark: str = "") -> Validation:
    """The result with one check more, of the digest that the entry declares."""
    own = MadeCheck(name="sha256 of [files]", made=made, remark=remark)
    return validation.model_copy(update={"checks": (*validation.checks, own)})


def _digest_differs(path: Path, declared: str, shown: str) -> list[SubmissionError]:
    try:
        with path.open("rb") as file:
            got = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return [problem("S124", where=(shown,), got=error.strerror or type(error).__name__)]
    if got == declared:
        return []
    return [
        problem(
            "S191",
            where=(shown,),
            expected=f"SHA-256 {declared}, as [files] in the entry's {METADATA} says",
            got=got,
            hint="declare the digest that `vadbench pack` printed, of the very zip that you upload",
        )
    ]


def _judged(entry: CheckedEntry, path: Path, check: Check, *, shown: str | None = None) -> Validation:
    """The result of the check, and in what right predictions are not those of the entry."""
    validation = check(path)
    if shown is not None:
        validation = validation.model_copy(update={"submission": shown})
    if validation.exit_code:
        return validation
    return _with_errors(validation, _differences(entry, validation, path))


def _differences(entry: CheckedEntry, validation: Validation, path: Path) -> list[SubmissionError]:
    """In what predictions that are right in themselves are not those of the entry."""
    where = (validation.submission,)
    errors = []
    if entry.fingerprint is not None and validation.fingerprint != entry.fingerprint:
        errors.append(
            problem(
                "S194",
                where=where,
                expected=f"fingerprint {quoted(entry.fingerprint)}, as in report.json",
                got=quoted(validation.fingerprint) if validation.fingerprint else "none",
                hint="the report is of other predictions, or submission.toml was changed after scoring: score the zip "
                "and send that report. The table [files] stands in the entry's submission.toml only",
            )
        )
    if entry.metadata is not None:
        # Read here only after the process with limits has read the same and found nothing wrong with it.
        packed = Submission.open(path).metadata
        errors += _metadata_differences(entry.metadata, packed, where)
    return errors


def _metadata_differences(sent: Metadata, packed: Metadata, where: tuple[str, ...]) -> list[SubmissionError]:
    one, other = (own.model_dump(mode="json", exclude_none=True, exclude={"files"}) for own in (sent, packed))
    theirs, ours = (dict(_values(own)) for own in (one, other))
    return [
        problem(
            "S194",
            where=(*where, METADATA, key),
            expected=f"{_shown(theirs.get(key))}, as in the entry's {METADATA}",
            got=f"{_shown(ours.get(key))} in the predictions",
            hint="both files say the same, but for the table [files]",
        )
        for key in sorted(theirs.keys() | ours.keys())
        if theirs.get(key) != ours.get(key)
    ]


def _values(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (key, value) of metadata; keys of a table stand behind its name: ``method.name``."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _values(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _shown(value: object) -> str:
    """A value of metadata, short and safe to print."""
    if value is None:
        return "no such key"
    return quoted(value) if isinstance(value, str) else quoted(value)[1:-1]


def _with_errors(validation: Validation, errors: Sequence[SubmissionError]) -> Validation:
    """The result with some errors more, which stand first."""
    if not errors:
        return validation
    findings = Findings(validation.submission)
    for error in errors:
        findings.add(error)
    return validation.model_copy(
        update={
            "fingerprint": None,
            "groups": (*findings.groups(), *validation.groups),
            "n_errors": validation.n_errors + findings.number(Severity.ERROR),
        }
    )

"""The predictions of an entry: fetched from where it says or given as a file, and checked in a process with limits.

Source: docs/board-entries.md, "Predictions".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

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
            return given_predictions(entry, path, shown=files.url, check=check)
    except SubmissionError as error:
        return Validation.of_error(files.url, error, dataset=entry.metadata.dataset)


def given_predictions(
    entry: CheckedEntry, path: Path, *, shown: str | None = None, check: Check = run_limited
) -> Validation:
    """Check a submission with its predictions, and whether it is the one that the entry's report is of.

    Parameters
    ----------
    entry : CheckedEntry
    path : Path
        Packed zip, or folder.
    shown : str, optional
        How messages call it; the path if absent.
    check : callable
        What checks the submission; its result is taken as it is.

    Raises
    ------
    UsageError
        U130 if there is nothing at the path.
    """
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
    return [
        problem(
            "S194",
            where=(*where, METADATA, key),
            expected="what the entry's submission.toml says",
            got="something else",
            hint="both files say the same, but for the table [files]",
        )
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    ]


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

"""Score again and compare with a report that somebody sent: the same numbers, bit for bit, or which one moved.

Source: architecture, "A report"; docs/sending.md, "Verify a report".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vadbench.datasets.base import Dataset
from vadbench.errors import DataError, quoted
from vadbench.evaluation.evaluate import evaluate
from vadbench.evaluation.executors import Progress
from vadbench.evaluation.report import Report
from vadbench.protocol.explanation import explain_difference
from vadbench.protocol.signature import DEFINITIONS
from vadbench.protocol.titles import METRICS
from vadbench.submission import Submission

FORMAT = "vadbench.verification/1"
"""Name and version of the comparison as JSON."""

CLOSE = 1e-9
"""How far numbers without units may be apart, as a share of the larger one where that is above 1, and be close."""

_MOST_LISTED = 1_000
_IDENTITY = ("dataset", "submission.fingerprint")
_LONGEST_TEXT = 200


class Verdict(StrEnum):
    """What came of the comparison."""

    EQUAL = "equal"
    CLOSE = "close"
    DIFFERENT = "different"
    NOT_COMPARED = "not-compared"


@dataclass(frozen=True)
class Difference:
    """One place in which two reports differ.

    Parameters
    ----------
    where : str
        Such as ``scores.pixel_auroc.value``.
    theirs, ours : number, str or None
        None where there is none; text is shortened.
    moved : float or None
        Ours less theirs, where both are numbers.
    is_close : bool
        Whether it lies in the last digits only.
    """

    where: str
    theirs: Any
    ours: Any
    moved: float | None = None
    is_close: bool = False


@dataclass(frozen=True)
class Verification:
    """What came of scoring again.

    Parameters
    ----------
    verdict : Verdict
    n_numbers : int
        Numbers that were compared.
    n_equal, n_close : int
        Those that are equal bit for bit, and those that differ in their last digits only.
    reasons : tuple of str
        In words, why the two need not have the same numbers: another data set, submission or protocol; first of all.
    differences : tuple of Difference
        Identities first, then scores, clips, curves; at most a thousand, those in the last digits last.
    n_differences : int
        All of them.
    notes : tuple of str
        What differs and is no fault: the program's version, words that another version may put otherwise.
    metrics, missing_metrics : tuple of str
        Keys of the metrics that the report has, and that it has not: nothing is said of those.
    new_warnings : tuple of str
        Warnings of the new report that are not, in these words, in the one that was sent.
    ours : Report or None
        The new report; None where nothing was scored.
    """

    verdict: Verdict
    n_numbers: int = 0
    n_equal: int = 0
    n_close: int = 0
    reasons: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    n_differences: int = 0
    notes: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    missing_metrics: tuple[str, ...] = ()
    new_warnings: tuple[str, ...] = ()
    ours: Report | None = field(default=None, repr=False)

    @property
    def exit_code(self) -> int:
        """0 where the report is verified, to the bit or to 1e-9; 1 where it is not."""
        return 0 if self.verdict in (Verdict.EQUAL, Verdict.CLOSE) else 1

    def to_json(self) -> str:
        """Give the comparison as JSON text."""
        content = {
            "format": FORMAT,
            "verdict": str(self.verdict),
            "numbers": self.n_numbers,
            "equal": self.n_equal,
            "close": self.n_close,
            "reasons": list(self.reasons),
            "differences": [
                {
                    "where": own.where,
                    "theirs": own.theirs,
                    "ours": own.ours,
                    "moved": own.moved,
                    "close": own.is_close,
                }
                for own in self.differences
            ],
            "n_differences": self.n_differences,
            "notes": list(self.notes),
            "metrics": list(self.metrics),
            "missing_metrics": list(self.missing_metrics),
            "new_warnings": list(self.new_warnings),
        }
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def verify(
    submission: Submission,
    dataset: Dataset,
    report: Report,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Score a submission as a report says that it was scored, and compare everything but the block of the run.

    Parameters
    ----------
    submission : Submission
    dataset : Dataset
        Its truth is read from its files, whatever the cache holds.
    report : Report
        Protocol and metrics are those of the report.
    executor : concurrent.futures.Executor, optional
    progress : callable, optional

    Returns
    -------
    Verification
        Not compared, and nothing scored, where the report is of another data set or other definitions.

    Raises
    ------
    DataError
        D362 if the report holds no score; those of `evaluate`.
    SubmissionError
        Those of `evaluate`.
    """
    reasons = reasons_not_to_compare(submission.metadata.dataset, report)
    if reasons:
        return Verification(Verdict.NOT_COMPARED, reasons=reasons)
    metrics = [key for key in METRICS if key in report.scores]
    if not metrics:
        raise DataError("D362", "the report holds no score that could be verified", expected=", ".join(METRICS))
    ours = evaluate(
        submission,
        dataset,
        report.parsed_signature.protocol,
        metrics,
        executor=executor,
        progress=progress,
        reads_again=True,
    )
    return compare_reports(report, ours)


def reasons_not_to_compare(dataset_id: str, report: Report) -> tuple[str, ...]:
    """Why no number of a report can be the one of a submission for that data set, in words; mostly empty."""
    signature = report.parsed_signature
    reasons = []
    for named in dict.fromkeys((report.dataset.id, signature.dataset)):
        if named != dataset_id:
            reasons.append(f"The report is on the data set {quoted(named)}, the submission for {dataset_id}.")
    if signature.definitions != DEFINITIONS:
        reasons.append(
            f"The report follows definitions {signature.definitions}, this program {DEFINITIONS}: numbers of the two "
            "are not the same quantities. Verify it with a program of its version, "
            f"{signature.version}."
        )
    return tuple(reasons)


def compare_reports(theirs: Report, ours: Report) -> Verification:
    """Compare two reports in everything but the block of the run.

    Parameters
    ----------
    theirs, ours : Report

    Returns
    -------
    Verification
        Numbers are equal bit for bit (whole numbers, thresholds and what is declared must be), or close, or different.
        The version of the program is noted only; so are warnings and reasons, which another version may word otherwise,
        if the versions differ and both reports have some.
    """
    signatures = theirs.parsed_signature, ours.parsed_signature
    same_release = signatures[0].version == signatures[1].version
    lines = explain_difference(*signatures)
    notes = []
    if not same_release:
        # The last line is the one about the program's versions.
        notes.append(lines.pop())
    reasons = [f"In the signatures, A the report's and B ours: {line}" for line in lines]
    if theirs.submission.get("fingerprint") != ours.submission.get("fingerprint"):
        reasons.insert(0, "The report is of other predictions: the fingerprints of the submissions differ.")
    first, second = (dict(_leaves(_compared(report))) for report in (theirs, ours))
    found: list[Difference] = []
    n_numbers = n_equal = n_close = 0
    for where in [*first, *(where for where in second if where not in first)]:
        a, b = first.get(where), second.get(where)
        is_number = _is_number(a) or _is_number(b)
        n_numbers += is_number
        if where in first and where in second and _same(a, b):
            n_equal += is_number
            continue
        if not same_release and _is_release_word(where, warned=bool(theirs.warnings)):
            what = "The warnings differ" if where.startswith("warnings") else f"The text at {where} differs"
            notes.append(f"{what}: another version may word things otherwise.")
            continue
        difference = _difference(where, a, b)
        n_close += difference.is_close
        found.append(difference)
    ordered = sorted(found, key=lambda own: (own.is_close, _rank(own.where)))
    verdict = Verdict.EQUAL
    if any(not own.is_close for own in found) or reasons:
        verdict = Verdict.DIFFERENT
    elif found:
        verdict = Verdict.CLOSE
    return Verification(
        verdict,
        n_numbers=n_numbers,
        n_equal=n_equal,
        n_close=n_close,
        reasons=tuple(reasons),
        differences=tuple(ordered[:_MOST_LISTED]),
        n_differences=len(found),
        notes=tuple(dict.fromkeys(notes)),
        metrics=tuple(key for key in METRICS if key in theirs.scores),
        missing_metrics=tuple(key for key in METRICS if key not in theirs.scores),
        new_warnings=tuple(text for text in ours.warnings if text not in theirs.warnings),
        ours=ours,
    )


def _compared(report: Report) -> dict[str, Any]:
    content = report.model_dump(mode="json", exclude={"run", "signature"})
    signature = report.parsed_signature
    # All of the signature but the version of the program, which is for the record only.
    content["signature"] = str(signature).removesuffix(f"|v={signature.version}")
    # By id: a clip that is left out does not move all that follow.
    content["clips"] = _by_id(content["clips"])
    return content


def _by_id(rows: list[dict[str, Any]]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for number, row in enumerate(rows):
        name = str(row["id"])
        named[f"{name} (row {number})" if name in named else name] = row
    return named


def _leaves(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (place, value) of everything that is neither an object nor a list; an empty one is a value."""
    parts: list[tuple[str, Any]]
    if isinstance(value, Mapping) and value:
        parts = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list) and value:
        parts = [(str(index), inner) for index, inner in enumerate(value)]
    elif value is None:
        # Absent and null are the same in a report.
        return
    else:
        yield where, value
        return
    for name, inner in parts:
        yield from _leaves(inner, f"{where}.{name}" if where else name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(a: Any, b: Any) -> bool:
    # The shortest text of a float tells every one from every other, 0.0 from -0.0 too.
    return type(a) is type(b) and repr(a) == repr(b)


def _difference(where: str, theirs: Any, ours: Any) -> Difference:
    if not (_is_number(theirs) and _is_number(ours)):
        return Difference(where, _shortened(theirs), _shortened(ours))
    if isinstance(theirs, int) and isinstance(ours, int):
        return Difference(where, theirs, ours, _moved(theirs, ours))
    moved = _moved(theirs, ours)
    is_close = (
        moved is not None
        and not _has_units(where)
        and abs(moved) <= CLOSE * max(1.0, abs(float(theirs)), abs(float(ours)))
    )
    return Difference(where, theirs, ours, moved, is_close)


def _moved(theirs: float, ours: float) -> float | None:
    """Ours less theirs; None where a float cannot say it."""
    try:
        moved = float(ours - theirs)
    except OverflowError:
        return None
    return moved if math.isfinite(moved) else None


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else value[: _LONGEST_TEXT - 1] + "…"
    if isinstance(value, dict | list):
        return "nothing"
    return value


def _has_units(where: str) -> bool:
    """Whether a number is in units of the method, of any scale: a threshold, or what the submission declares."""
    parts = where.split(".")
    return parts[-1] == "threshold" or parts[0] == "submission"


def _is_release_word(where: str, *, warned: bool) -> bool:
    """Whether a place holds words that another version may put otherwise; no version has none where ours has some."""
    parts = where.split(".")
    if parts[0] == "warnings":
        return warned
    return parts[0] in ("scores", "clips") and parts[-1] == "reason"


def _rank(where: str) -> int:
    order = ("signature", *_IDENTITY, "scores", "submission", "clips", "warnings", "curves")
    # Scores keep their order of tables: sorting is stable, and only the kind counts.
    return next((n for n, name in enumerate(order) if where.startswith(name)), len(order))

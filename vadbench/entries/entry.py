"""The check of one entry: its names, metadata and reports, and, where they are at hand, its predictions.

Nothing is raised about what a stranger has sent; all of it is in the result.

Source: docs/board-entries.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from vadbench.datasets.facts import load_facts
from vadbench.datasets.findings import Severity
from vadbench.datasets.registry import known_datasets
from vadbench.entries.claimed_rows import ClaimedRows
from vadbench.entries.entry_files import (
    FURTHER_REPORT,
    README,
    REPORT,
    STANDARD,
    VERIFIED,
    EntryFiles,
    as_shown,
    read_entry_files,
    report_beside,
)
from vadbench.entries.report_consistency import contradictions, differences, missing_metrics, signature_of
from vadbench.entries.sent_report import read_sent_report
from vadbench.entries.sent_statistics import read_sent_statistics, statistics_problems
from vadbench.entries.verified_files import verification_problems
from vadbench.errors import ProtocolError, SubmissionError, did_you_mean, quoted, shortened
from vadbench.evaluation.report import Report
from vadbench.submission.agreement import clip_differences, frame_count_differs
from vadbench.submission.metadata_values import text_fault
from vadbench.submission.problems import problem
from vadbench.submission.schema import Metadata, check_provenance, scan_metadata
from vadbench.submission.tree import METADATA, PROVENANCE
from vadbench.validation.findings import Findings
from vadbench.validation.remarks import all_remarks
from vadbench.validation.validation import Check, Validation

_T = TypeVar("_T")
_METHOD = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LONGEST_LINE = 4_000


@dataclass(frozen=True)
class CheckedEntry:
    """What was found, and what is known of the entry as far as it could be read.

    Parameters
    ----------
    validation : Validation
    metadata : Metadata or None
    fingerprint : str or None
        Of the predictions, as the report of the protocol ``standard`` has it.
    """

    validation: Validation
    metadata: Metadata | None
    fingerprint: str | None


def check_entry(
    folder: Path,
    *,
    shown: str | None = None,
    more: Iterable[SubmissionError] = (),
    rows: ClaimedRows | None = None,
    settled: Collection[str] = (),
    predictions: str = "",
) -> CheckedEntry:
    """Check an entry without its predictions; every problem in one pass.

    Parameters
    ----------
    folder : Path
        ``METHOD/DATASET`` with ``submission.toml`` and ``report.json``.
    shown : str, optional
        How messages call it; the path if absent.
    more : iterable of SubmissionError
        What the caller has found about it already.
    rows : ClaimedRows, optional
        Of all entries around it: whether another one claims the same row is then checked, too.
    settled : collection of str
        METHOD/DATASET of entries whose rows were there before: to claim one of these is an error, no warning.
    predictions : str
        What is said of the predictions among the checks that were not made; empty if they are checked elsewhere.
    """
    name = as_shown(folder if shown is None else shown)
    return _EntryCheck(folder, name, Findings(name)).run(more, rows, settled, predictions)


class _EntryCheck:
    """One pass over an entry."""

    def __init__(self, folder: Path, shown: str, findings: Findings) -> None:
        self._folder = folder.absolute()
        self._shown = shown
        self._findings = findings

    def run(
        self,
        more: Iterable[SubmissionError],
        rows: ClaimedRows | None,
        settled: Collection[str],
        predictions: str,
    ) -> CheckedEntry:
        for error in more:
            self._findings.add(error)
        files = read_entry_files(self._folder, self._shown)
        for error in files.problems:
            self._findings.add(error)
        metadata = self._metadata(files)
        self._check_names(metadata)
        if metadata is not None and rows is not None:
            self._check_row(metadata, rows, settled)
        report = self._standard_report(files, metadata)
        reports = {REPORT: report, **self._further_reports(files, metadata, report)}
        self._check_statistics(files, {name: own for name, own in reports.items() if own is not None})
        self._check_texts(files)
        known = metadata is not None and metadata.dataset in known_datasets()
        clips_known = metadata is not None and known and bool(load_facts(metadata.dataset).clips)
        unread = f"{METADATA} is not right" if metadata is None else ""
        no_report = "" if report is not None else f"there is no {REPORT} that can be read"
        checks = [
            Check(name="files: names, sizes, no links", made=bool(files.contents)),
            Check(name="metadata", made=METADATA in files.contents),
            Check(
                name="reports: what is possible, and agreement with each other", made=not no_report, remark=no_report
            ),
            *self._statistics_check(files),
            Check(name=f"reports against {METADATA}", made=not (unread or no_report), remark=unread or no_report),
            Check(
                name="clips and frame counts",
                made=clips_known and not no_report,
                remark=no_report or ("" if clips_known else "those of the data set are not known here"),
            ),
            *([Check(name="predictions", made=False, remark=predictions)] if predictions else []),
            Check(
                name="that the numbers are true", made=False, remark="`vadbench score --verify` says so, with the data"
            ),
        ]
        findings = self._findings
        validation = Validation(
            submission=self._shown,
            dataset=metadata.dataset if metadata is not None and known else None,
            checks=tuple(checks),
            groups=findings.groups(),
            n_errors=findings.number(Severity.ERROR),
            n_warnings=findings.number(Severity.WARNING),
        )
        fingerprint = None if report is None else report.submission.get("fingerprint")
        return CheckedEntry(validation, metadata, fingerprint if isinstance(fingerprint, str) else None)

    def _statistics_check(self, files: EntryFiles) -> list[Check]:
        if not any(report_beside(name) for name in files.contents):
            return []
        return [Check(name="statistics: what is possible, and agreement with the report beside them", made=True)]

    def _tried(self, make: Callable[[], _T]) -> _T | None:
        """What is made; None where an error is raised about the entry, which is one finding more."""
        try:
            return make()
        except SubmissionError as error:
            self._findings.add(error)
            return None

    def _add(self, errors: Iterable[SubmissionError]) -> None:
        for error in errors:
            clip_id = next((part.removeprefix("clip ") for part in error.where if part.startswith("clip ")), None)
            self._findings.add(error, clip_id=clip_id)

    def _metadata(self, files: EntryFiles) -> Metadata | None:
        if METADATA not in files.contents:
            return None
        where = (self._shown, METADATA)
        scan = scan_metadata(files.contents[METADATA], where)
        self._findings.add_faults(scan.faults)
        for remark in all_remarks(scan, {}):
            warning = problem(remark.code, where=(self._shown, *remark.where), got=remark.sentence, hint=remark.hint)
            self._findings.add(warning, count=remark.count, warn=True)
        metadata = scan.metadata
        if metadata is not None and metadata.files is None:
            warning = problem(
                "S190",
                where=where,
                expected="a table [files] with url and sha256 of the packed zip",
                got="none",
                hint="upload the zip of `vadbench pack` where anybody can download it, and name it there",
            )
            self._findings.add(warning, warn=True)
        elif metadata is not None and metadata.files is not None and not metadata.files.sha256.strip("0"):
            self._findings.add(
                problem(
                    "S190",
                    where=(*where, "files.sha256"),
                    expected="the SHA-256 of the packed zip, as `vadbench pack` printed it",
                    got="zeros, as in the example",
                    hint="put the printed digest in their place",
                )
            )
        return metadata

    def _check_names(self, metadata: Metadata | None) -> None:
        method, dataset = self._folder.parent.name, self._folder.name
        if not _METHOD.fullmatch(method):
            self._findings.add(
                problem(
                    "S182",
                    where=(self._shown,),
                    expected="a folder of the method, named with small letters, digits and dashes (at most 64)",
                    got=quoted(method),
                    hint="entries are submissions/METHOD/DATASET, such as submissions/my-method/ucsd-ped2",
                )
            )
        if metadata is not None and metadata.dataset != dataset:
            self._findings.add(
                problem(
                    "S182",
                    where=(self._shown,),
                    expected=f"a folder {quoted(metadata.dataset)}, as {METADATA} names the data set",
                    got=quoted(dataset),
                    hint="entries are submissions/METHOD/DATASET, such as submissions/my-method/ucsd-ped2",
                )
            )
        if metadata is not None and metadata.dataset not in known_datasets():
            self._findings.add(
                problem(
                    "S109",
                    where=(self._shown, METADATA, "dataset"),
                    got=quoted(metadata.dataset),
                    hint=did_you_mean(metadata.dataset, known_datasets()),
                )
            )

    def _check_row(self, metadata: Metadata, rows: ClaimedRows, settled: Collection[str]) -> None:
        others = rows.others(metadata, self._folder)
        own = f"{self._folder.parent.name}/{self._folder.name}"
        taken = own not in settled and any(other in settled for other in others)
        if others:
            error = problem(
                "S196",
                where=(self._shown, METADATA, "method"),
                expected="a name and version that no other entry has for the data set",
                got=f"those of {shortened([as_shown(other) for other in others], between=', ')}",
                hint="with the data set they identify a row; give another name, or a version",
            )
            self._findings.add(error, warn=not taken)

    def _standard_report(self, files: EntryFiles, metadata: Metadata | None) -> Report | None:
        if REPORT not in files.contents:
            return None
        where = (self._shown, REPORT)
        report = self._report(files.contents[REPORT], STANDARD, metadata, where)
        if report is not None:
            threshold = metadata is not None and metadata.threshold is not None
            self._add(missing_metrics(report, threshold=threshold, where=where))
        return report

    def _report(self, data: bytes, protocol: str, metadata: Metadata | None, where: tuple[str, ...]) -> Report | None:
        """Check all that is to be said of one report."""
        report = self._tried(lambda: read_sent_report(data, where))
        if report is None:
            return None
        self._check_clips(report, where)
        self._check_truth(report, where)
        signature = self._tried(lambda: signature_of(report, where))
        if signature is not None:
            if str(signature.protocol) != protocol:
                self._findings.add(
                    problem(
                        "S185",
                        where=(*where, "signature"),
                        expected=f"protocol={protocol}",
                        got=f"protocol={signature.protocol}",
                        hint=f"report.json is of the protocol {STANDARD}, PROTOCOL.report.json of the one it names",
                    )
                )
            self._add(contradictions(report, signature, where))
            if metadata is not None:
                self._add(differences(report, metadata, signature.protocol, where))
        return report

    def _check_clips(self, report: Report, where: tuple[str, ...]) -> None:
        data = report.dataset
        known = load_facts(data.id).clips if data.id in known_datasets() else {}
        if not known:
            return
        given = {row.id: row.frames for row in report.clips}
        self._add(clip_differences(where, sorted(given), sorted(known)))
        for clip_id in sorted(given.keys() & known.keys()):
            if given[clip_id] != known[clip_id]:
                place = (*where, f"clip {clip_id}")
                self._add([frame_count_differs(place, known[clip_id], given[clip_id], f"data set {data.id}")])

    def _check_truth(self, report: Report, where: tuple[str, ...]) -> None:
        """Whether truth and tracks are the published ones, as far as any are known."""
        data = report.dataset
        if data.id not in known_datasets():
            return
        facts = load_facts(data.id)
        for key, given, published in (
            ("dataset.fingerprint", data.fingerprint, facts.fingerprint),
            ("dataset.tracks_fingerprint", data.tracks_fingerprint, facts.tracks_fingerprints.get(data.tracks)),
        ):
            if given is None or given == published:
                continue
            error = problem(
                "S187" if published is None else "S186",
                where=(*where, key),
                expected=published or f"no fingerprint is published for {data.id}",
                got=quoted(given),
                hint="`vadbench data verify` says what is wrong with a copy"
                if published
                else "whoever ranks it must look at the truth; reports of other truth are not compared with it",
            )
            self._findings.add(error, warn=published is None)

    def _further_reports(
        self, files: EntryFiles, metadata: Metadata | None, standard: Report | None
    ) -> dict[str, Report | None]:
        """Reports of further protocols by the name of their file, checked; None where one cannot be read."""
        reports: dict[str, Report | None] = {}
        for protocol, data in files.further_reports.items():
            name = f"{protocol}{FURTHER_REPORT}"
            where = (self._shown, name)
            report = reports[name] = self._report(data, protocol, metadata, where)
            if report is None or standard is None:
                continue
            for key, expected, got in (
                ("submission.fingerprint", _fingerprint(standard), _fingerprint(report)),
                ("dataset", standard.dataset.fingerprint, report.dataset.fingerprint),
            ):
                if expected != got:
                    self._findings.add(
                        problem(
                            "S189",
                            where=(*where, key),
                            expected=f"{quoted(expected)}, as in {REPORT}",
                            got=quoted(got),
                            hint="all reports of an entry are of the same predictions and truth",
                        )
                    )

        return reports

    def _check_statistics(self, files: EntryFiles, reports: Mapping[str, Report]) -> None:
        """Whether statistics can be read, and are those of the report beside them."""
        for name, data in files.contents.items():
            beside, where = report_beside(name), (self._shown, name)
            if beside is None:
                continue
            if beside not in files.contents:
                self._add([problem("S199", where=where, expected=f"a file {beside} beside them", got="none")])
            statistics = self._tried(partial(read_sent_statistics, data, where))
            report = reports.get(beside)
            if statistics is not None and report is not None and _has_signature(report):
                self._add(statistics_problems(statistics, report, where))

    def _check_texts(self, files: EntryFiles) -> None:
        if PROVENANCE in files.contents:
            self._tried(lambda: check_provenance(files.contents[PROVENANCE], (self._shown, PROVENANCE)))
        if README in files.contents:
            fault = _readme_fault(files.contents[README])
            if fault:
                self._findings.add(problem("S110", where=(self._shown, README), got=fault))
        if VERIFIED in files.contents:
            self._add(verification_problems(files.contents, (self._shown, VERIFIED)))


def _has_signature(report: Report) -> bool:
    """Whether the signature of a report can be read, which is said of the report where it cannot."""
    try:
        report.parsed_signature  # noqa: B018 (raises where there is none)
    except ProtocolError:
        return False
    return True


def _fingerprint(report: Report) -> str:
    return str(report.submission.get("fingerprint"))


def _readme_fault(data: bytes) -> str | None:
    """What is wrong with a text for people; it is never shown by anything here."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8"
    for number, line in enumerate(text.splitlines(), start=1):
        fault = text_fault(f"_{line}", longest=_LONGEST_LINE, line_breaks=True)
        if fault:
            return f"line {number}: {fault}"
    return None

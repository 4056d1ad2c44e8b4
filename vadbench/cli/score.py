"""``vadbench score``: a submission and a data set become a table, a signature and a report."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from vadbench.cli.output import print_paragraph, standard_output, thousands
from vadbench.cli.parser import CommandParser, add_dataset_options
from vadbench.cli.progress import clip_progress
from vadbench.datasets.base import Dataset
from vadbench.datasets.registry import known_datasets, open_dataset
from vadbench.errors import DataError, SubmissionError, UsageError, did_you_mean, quoted
from vadbench.evaluation.evaluate import evaluate
from vadbench.evaluation.report import Report, check_replaceable
from vadbench.protocol.protocol import Protocol
from vadbench.protocol.titles import METRICS, chosen_metrics
from vadbench.submission import Submission
from vadbench.tables import clip_table, score_notes, score_sources, score_table


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench score",
        "Score submissions, print a table and the signature, and write a report of each.",
        "vadbench score demo/background --root demo/data",
    )
    parser.add_argument("submissions", type=Path, nargs="+", metavar="SUBMISSION", help="folder or packed zip")
    add_dataset_options(parser)
    parser.add_argument("--dataset", metavar="ID", help="checked against the submission, which names its data set")
    parser.add_argument(
        "--protocol",
        default="standard",
        help="preset or variant, standard+pixel.fpr_limit=0.05; see vadbench protocols",
    )
    parser.add_argument(
        "--metrics", default="all", metavar="KEYS", help=f"all, or some with commas between: {', '.join(METRICS)}"
    )
    parser.add_argument(
        "--report", type=Path, metavar="PATH", help="where the report of one submission goes (SUBMISSION.report.json)"
    )
    parser.add_argument("--per-clip", action="store_true", help="print a row for each clip as well")
    parser.add_argument("--json", action="store_true", help="print the report of one submission instead of the table")
    return parser


@dataclass(frozen=True)
class _Job:
    """One submission to be scored, and where its report goes."""

    submission: Submission
    report: Path


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    # Everything that can be wrong with the call is found before the first mask is read.
    protocol = Protocol.parse(options.protocol)
    metrics = chosen_metrics([name.strip() for name in options.metrics.split(",")])
    if len(options.submissions) > 1 and (options.json or options.report):
        raise UsageError("U145", "--json and --report are for one submission", got=f"{len(options.submissions)}")
    ending = _report_ending(protocol, metrics)
    jobs = []
    for path in options.submissions:
        submission = Submission.open(path)
        jobs.append(_Job(submission, options.report or _beside(path, ending)))
        _check_writable(jobs[-1])
    dataset = _dataset(jobs, options)
    for job in jobs:
        _check_apart(job.report, dataset.root, "the data set")
    reports = {}
    for job in jobs:
        with clip_progress(dataset.id) as progress:
            report = evaluate(job.submission, dataset, protocol, metrics, progress=progress)
        replaced = job.report.exists()
        report.write(job.report)
        reports[job] = (report, replaced)
    if options.json:
        print(reports[jobs[0]][0].to_json(), end="")
    else:
        _print(standard_output(), reports, per_clip=options.per_clip)
    return 0


def _dataset(jobs: Sequence[_Job], options: argparse.Namespace) -> Dataset:
    """Open the data set that the submissions name; they must name one and the same."""
    named = jobs[0].submission.metadata.dataset
    for job in jobs:
        own = job.submission.metadata.dataset
        if own != (options.dataset or named):
            raise SubmissionError(
                "S102",
                "the submission is for another data set",
                where=str(job.submission.path),
                expected=options.dataset or f"{named}, as the first submission",
                got=own,
            )
    where = (str(jobs[0].submission.path), "submission.toml", "dataset")
    if named not in known_datasets():
        raise SubmissionError(
            "S109",
            "the submission names a data set that does not exist",
            where=where,
            got=quoted(named),
            hint=did_you_mean(named, known_datasets()),
        )
    try:
        return open_dataset(named, options.root, masks=options.masks, tracks=options.tracks)
    except DataError as error:
        named_by = f"{named} is named by {' · '.join(where)}"
        hint = f"{error.hint}\n{named_by}" if error.hint else named_by
        raise DataError(
            error.code, error.message, where=error.where, expected=error.expected, got=error.got, hint=hint
        ) from error


def _print(console: Console, reports: dict[_Job, tuple[Report, bool]], *, per_clip: bool) -> None:
    first = next(iter(reports.values()))[0]
    data, seconds = first.dataset, sum(report.run.seconds for report, _ in reports.values() if report.run)
    console.print(f"{data.id} · {data.clips} clips · {thousands(data.frames)} frames · {seconds:.1f} s", markup=False)
    if per_clip:
        for report, _ in reports.values():
            console.print()
            if len(reports) > 1:
                console.print(_method_name(report), markup=False)
            console.print(clip_table(report))
    console.print()
    console.print(score_table(_by_name(reports)))
    console.print()
    for job, (report, _) in reports.items():
        name = f"{job.submission.path}: " if len(reports) > 1 else ""
        for note in score_notes(report):
            print_paragraph(console, name + note, first="note       ", rest=" " * 11)
        console.print(f"sources    {name}{score_sources(report)}", markup=False, soft_wrap=True)
    console.print(f"signature  {first.signature}", markup=False, soft_wrap=True)
    for job, (_, replaced) in reports.items():
        console.print(f"report     {job.report}{' (replaced)' if replaced else ''}", markup=False, soft_wrap=True)


def _by_name(reports: dict[_Job, tuple[Report, bool]]) -> dict[str, Report]:
    """Reports by the method's name, and by path where two methods have the same."""
    names = [_method_name(report) for report, _ in reports.values()]
    return {
        name if names.count(name) == 1 else str(job.submission.path): report
        for name, (job, (report, _)) in zip(names, reports.items(), strict=True)
    }


def _method_name(report: Report) -> str:
    method = report.submission.get("method", {})
    return " ".join(str(method[key]) for key in ("name", "version") if key in method) or "in memory"


def _report_ending(protocol: Protocol, metrics: Sequence[str]) -> str:
    """Ending of the report's name: another protocol or fewer metrics do not replace the full standard report."""
    name = "" if str(protocol) == "standard" else f".{protocol}"
    return f"{name}{'' if tuple(metrics) == METRICS else '.partial'}.report.json"


def _beside(submission: Path, ending: str) -> Path:
    resolved = submission.resolve()
    name = resolved.stem if resolved.suffix == ".zip" else resolved.name
    return (submission.parent if submission.name else resolved.parent) / f"{name}{ending}"


def _check_apart(report: Path, other: Path | None, what: str) -> None:
    """Raise `UsageError` U140 where a report would lie inside of what it was made from."""
    if other is not None and report.resolve().is_relative_to(other.resolve()):
        raise UsageError(
            "U140",
            f"the report would lie inside {what}",
            where=str(report),
            hint="choose another place with --report PATH",
        )


def _check_writable(job: _Job) -> None:
    report = job.report
    _check_apart(report, job.submission.path, "the submission")
    check_replaceable(report.resolve())
    folder = report.parent
    while not folder.exists():
        folder = folder.parent
    if report.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(
            "U140",
            "the report cannot be written",
            where=str(report),
            hint="choose another place with --report PATH",
        )

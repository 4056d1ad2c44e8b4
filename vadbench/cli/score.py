"""``vadbench score``: a submission and a data set become a table, a signature and a report."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from rich.console import Console

from vadbench.cli.output import print_paragraph, standard_output, thousands
from vadbench.cli.progress import ClipCount, Interrupted, clip_progress, tell_retry
from vadbench.cli.shared_options import add_dataset_options, path_or_url
from vadbench.command_line import CommandParser
from vadbench.datasets.base import Dataset
from vadbench.datasets.registry import known_datasets, open_dataset
from vadbench.errors import DataError, SubmissionError, UsageError, did_you_mean, quoted
from vadbench.evaluation.evaluate import evaluation_of
from vadbench.evaluation.executors import Progress
from vadbench.evaluation.kept_results import KeptResults
from vadbench.evaluation.processes import ProcessWorkers
from vadbench.evaluation.report import Report, check_replaceable
from vadbench.evaluation.report_statistics import ReportStatistics, check_statistics_replaceable, statistics_place
from vadbench.evaluation.statistics_pass import first_of_two, statistics_of
from vadbench.inert_text import inert_text
from vadbench.protocol.protocol import Protocol
from vadbench.protocol.signature import Signature
from vadbench.protocol.titles import METRICS, chosen_metrics, metric_titles
from vadbench.submission import Submission
from vadbench.tables import clip_table, score_notes, score_sources, score_table

_NOT_IN_NAMES = '/\\:*?"<>|'
_LONGEST_NAME = 100
"""Bytes of the name of a report of what is behind a URL, without its ending."""


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench score",
        "Score submissions, print a table and the signature, and\nwrite a report of each.",
        "vadbench score demo/background --root demo/data",
    )
    parser.add_argument(
        "submissions", type=path_or_url, nargs="+", metavar="SUBMISSION", help="folder or packed zip, or the URL of one"
    )
    add_dataset_options(parser)
    parser.add_argument("--dataset", metavar="ID", help="checked against the submission, which names its data set")
    parser.add_argument(
        "--protocol", help="preset or variant, standard+pixel.fpr_limit=0.05; see vadbench protocols (standard)"
    )
    parser.add_argument(
        "--metrics", metavar="KEYS", help=f"all, or some with commas between: {', '.join(METRICS)} (all)"
    )
    parser.add_argument(
        "--report", type=Path, metavar="PATH", help="where the report of one submission goes (SUBMISSION.report.json)"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, metavar="N", help="processes that work on clips (else this one does)")
    where.add_argument(
        "--dask", metavar="ADDRESS", help="scheduler of a Dask cluster whose workers do, tcp://HOST:8786"
    )
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="DIR",
        help="keep what was computed of each clip in DIR; after an interruption the same command goes on from there",
    )
    parser.add_argument(
        "--statistics",
        action="store_true",
        help="also write what comparisons need of each clip beside the report (SUBMISSION.statistics.json); goes "
        "through the predictions once more",
    )
    parser.add_argument("--per-clip", action="store_true", help="print a row for each clip as well")
    parser.add_argument("--json", action="store_true", help="print the report of one submission instead of the table")
    parser.add_argument(
        "--verify",
        type=Path,
        metavar="REPORT",
        help="score one submission as this report says, compare every number with it, and write nothing; --json prints "
        "the comparison",
    )
    return parser


@dataclass(frozen=True)
class _Job:
    """One submission to be scored, and where its report goes, and statistics beside it, where they are wanted."""

    submission: Submission
    report: Path
    statistics: Path | None


@dataclass(frozen=True)
class _Written:
    """What was written of a submission, and whether there was an earlier report."""

    report: Report
    replaced: bool
    statistics: ReportStatistics | None


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    # Everything that can be wrong with the call is found before the first mask is read.
    if options.verify is not None:
        from vadbench.cli.verify_report import run_verification

        return run_verification(options)
    protocol = Protocol.parse(options.protocol or "standard")
    metrics = chosen_metrics([name.strip() for name in (options.metrics or "all").split(",")])
    if len(options.submissions) > 1 and (options.json or options.report):
        raise UsageError("U145", "--json and --report are for one submission", got=f"{len(options.submissions)}")
    ending = _report_ending(protocol, metrics)
    jobs = []
    for path in options.submissions:
        submission = Submission.open(path)
        place = options.report or _beside(path, ending)
        jobs.append(_Job(submission, place, statistics_place(place) if options.statistics else None))
        _check_writable(jobs[-1])
    _check_distinct(jobs)
    dataset = open_named_dataset([job.submission for job in jobs], options)
    for job in jobs:
        _check_apart(job.report, dataset.root, "the data set")
    kept = _kept(options.resume, jobs, dataset)
    reports: dict[_Job, _Written] = {}
    job, count, before = jobs[0], ClipCount(len(dataset.clips)), _file_number(jobs[0].report)
    try:
        with chosen_workers(options) as executor:
            for following in jobs:
                job, count, before = following, ClipCount(len(dataset.clips)), _file_number(following.report)
                with clip_progress(dataset.id, len(dataset.clips)) as shown:
                    report, statistics = _scored(job, dataset, protocol, metrics, executor, kept, count, shown)
                replaced = job.report.exists()
                if job.statistics is not None and statistics is not None:
                    statistics.write(job.statistics)
                report.write(job.report)
                reports[job] = _Written(report, replaced, statistics)
        if options.json:
            print(reports[jobs[0]].report.to_json(), end="")
        else:
            _print(standard_output(), reports, per_clip=options.per_clip)
    except KeyboardInterrupt:
        # The interruption may come between the writing of a report and its entry in `reports`.
        written = len(reports) + (job not in reports and _file_number(job.report) != before)
        if written == len(jobs):
            raise Interrupted(f"interrupted; {_reports_written(written)}") from None
        raise Interrupted(_what_is_left(job, written, count, kept)) from None
    return 0


def _scored(
    job: _Job,
    dataset: Dataset,
    protocol: Protocol,
    metrics: Sequence[str],
    executor: Executor | None,
    kept: KeptResults | None,
    count: ClipCount,
    shown: Progress | None,
) -> tuple[Report, ReportStatistics | None]:
    more_rounds = job.statistics is not None
    first = first_of_two(shown, len(dataset.clips)) if more_rounds else shown
    evaluation = evaluation_of(
        job.submission, dataset, protocol, metrics, executor=executor, progress=count.and_tell(first), kept=kept
    )
    if not more_rounds:
        return evaluation.report, None
    return evaluation.report, statistics_of(evaluation, executor=executor, progress=shown)


def _file_number(path: Path) -> tuple[int, int] | None:
    """What tells a file from the one that it replaced."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _reports_written(number: int) -> str:
    return f"{number} {'report was' if number == 1 else 'reports were'} written"


def chosen_workers(options: argparse.Namespace) -> AbstractContextManager[Executor | None]:
    """Who works on the clips of all submissions."""
    if options.workers is not None:
        return ProcessWorkers(options.workers, on_retry=tell_retry)
    if options.dask is not None:
        from vadbench.evaluation.dask_workers import DaskWorkers

        return DaskWorkers(options.dask)
    return nullcontext()


def _kept(folder: Path | None, jobs: Sequence[_Job], dataset: Dataset) -> KeptResults | None:
    if folder is None:
        return None
    places = [(job.submission.path, "the submission") for job in jobs] + [(dataset.root, "the data set")]
    for place, what in places:
        if _is_inside(folder, place):
            raise UsageError(
                "U181",
                f"results would be kept inside {what}",
                where=str(folder),
                hint="choose another folder with --resume DIR",
            )
    return KeptResults(folder)


def _what_is_left(job: _Job, n_reports: int, count: ClipCount, kept: KeptResults | None) -> str:
    """What an interruption leaves, and how to go on."""
    written = _reports_written(n_reports) if n_reports else ""
    if kept is None:
        return (
            f"interrupted; {written or 'nothing was written'}\n"
            "with --resume DIR the clips that are done are kept, and the same command goes on with the rest"
        )
    return (
        f"interrupted; {written or 'no report was written'}\n"
        f"{count.done} of {count.total} clips of {job.submission.shown} are kept in {kept.path}; "
        "the same command goes on with the rest"
    )


def open_named_dataset(submissions: Sequence[Submission], options: argparse.Namespace) -> Dataset:
    """Open the data set that the submissions name; they must name one and the same."""
    named = submissions[0].metadata.dataset
    for submission in submissions:
        own = submission.metadata.dataset
        if own != (options.dataset or named):
            raise SubmissionError(
                "S102",
                "the submission is for another data set",
                where=submission.shown,
                expected=options.dataset or f"{named}, as the first submission",
                got=own,
            )
    where = (submissions[0].shown, "submission.toml", "dataset")
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
        hint = f"{error.hint};\n{named_by}" if error.hint else named_by
        raise DataError(
            error.code, error.message, where=error.where, expected=error.expected, got=error.got, hint=hint
        ) from error


def _print(console: Console, reports: dict[_Job, _Written], *, per_clip: bool) -> None:
    first = next(iter(reports.values())).report
    data, seconds = first.dataset, sum(own.report.run.seconds for own in reports.values() if own.report.run)
    console.print(f"{data.id} · {data.clips} clips · {thousands(data.frames)} frames · {seconds:.1f} s", markup=False)
    if per_clip:
        for written in reports.values():
            console.print()
            if len(reports) > 1:
                console.print(inert_text(_method_name(written.report)), markup=False)
            console.print(clip_table(written.report))
    console.print()
    console.print(score_table(_by_name(reports)))
    console.print()
    for job, written in reports.items():
        name = f"{job.submission.shown}: " if len(reports) > 1 else ""
        for note in score_notes(written.report):
            print_paragraph(console, name + note, first="note       ", rest=" " * 11)
        print_paragraph(console, name + score_sources(written.report), first="sources    ", rest=" " * 11)
    console.print(f"signature  {first.signature}", markup=False, soft_wrap=True)
    for job, written in reports.items():
        replaced = " (replaced)" if written.replaced else ""
        console.print(f"report     {job.report}{replaced}", markup=False, soft_wrap=True)
        if job.statistics is not None and written.statistics is not None:
            console.print(f"statistics {job.statistics}", markup=False, soft_wrap=True)
            print_paragraph(console, _words_on_levels(written.statistics), first=" " * 11, rest=" " * 11)


def _words_on_levels(statistics: ReportStatistics) -> str:
    """How far values from the statistics are from those of the report."""
    effect = statistics.effect or {}
    if not effect:
        return "for comparisons; no metric has a value"
    worst = max(effect, key=lambda key: abs(effect[key]))
    if not round(effect[worst], 6):
        return "for comparisons; every value is that of the report"
    title = metric_titles(Signature.parse(statistics.signature).protocol)[worst]
    points = 100 * effect[worst]
    moved = f"{title} by {points:+.2f} points, others by no more" if abs(points) >= 0.005 else "nothing by 0.01 points"
    return f"for comparisons; scores on levels move {moved}"


def _by_name(reports: dict[_Job, _Written]) -> dict[str, Report]:
    """Reports by the method's name, and by path where two methods have the same."""
    names = [_method_name(written.report) for written in reports.values()]
    return {
        name if names.count(name) == 1 else job.submission.shown: written.report
        for name, (job, written) in zip(names, reports.items(), strict=True)
    }


def _method_name(report: Report) -> str:
    method = report.submission.get("method", {})
    return " ".join(str(method[key]) for key in ("name", "version") if key in method) or "in memory"


def _report_ending(protocol: Protocol, metrics: Sequence[str]) -> str:
    """Ending of the report's name: another protocol or fewer metrics do not replace the full standard report."""
    name = "" if str(protocol) == "standard" else f".{protocol}"
    return f"{name}{'' if tuple(metrics) == METRICS else '.partial'}.report.json"


def _beside(submission: Path | str, ending: str) -> Path:
    """Path of the report: beside the submission; of one behind a URL, in the current folder."""
    if isinstance(submission, str):
        return Path(f"{_safe_name(submission)}{ending}")
    resolved = submission.resolve()
    name = resolved.stem if resolved.suffix == ".zip" else resolved.name
    return (submission.parent if submission.name else resolved.parent) / f"{name}{ending}"


def _safe_name(url: str) -> str:
    """Name of what is behind a URL, as far as any system takes it for the name of a file."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name.removesuffix(".zip")
    kept = "".join(sign for sign in name if sign.isprintable() and sign not in _NOT_IN_NAMES)
    # Bytes, of which file systems allow some 255 in a name; the ending of the report comes to it.
    return kept.encode()[:_LONGEST_NAME].decode(errors="ignore").strip(" .") or "submission"


def _check_distinct(jobs: Sequence[_Job]) -> None:
    """Raise `UsageError` U140 where the report of one submission would replace that of another one."""
    taken: dict[Path, _Job] = {}
    for job in jobs:
        place = job.report.resolve()
        if place in taken:
            raise UsageError(
                "U140",
                "two submissions would have their report in one place",
                where=(taken[place].submission.shown, job.submission.shown),
                got=str(job.report),
                hint="score them one after the other, each with its own --report PATH",
            )
        taken[place] = job


def _check_apart(report: Path, other: Path | None, what: str) -> None:
    """Raise `UsageError` U140 where a report would lie inside of what it was made from."""
    if _is_inside(report, other):
        raise UsageError(
            "U140",
            f"the report would lie inside {what}",
            where=str(report),
            hint="choose another place with --report PATH",
        )


def _is_inside(path: Path, other: Path | None) -> bool:
    return other is not None and path.resolve().is_relative_to(other.resolve())


def _check_writable(job: _Job) -> None:
    report = job.report
    _check_apart(report, job.submission.path, "the submission")
    check_replaceable(report.resolve())
    if job.statistics is not None:
        check_statistics_replaceable(job.statistics.resolve())
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

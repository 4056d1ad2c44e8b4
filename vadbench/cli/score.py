"""``vadbench score``: a submission and a data set become a table, a signature and a report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from vadbench.cli.output import standard_output, thousands
from vadbench.cli.parser import CommandParser, add_dataset_options
from vadbench.cli.progress import clip_progress
from vadbench.datasets.registry import open_dataset
from vadbench.errors import SubmissionError, UsageError
from vadbench.evaluation.evaluate import evaluate
from vadbench.evaluation.report import Report
from vadbench.protocol.protocol import Protocol
from vadbench.protocol.titles import chosen_metrics
from vadbench.submission import Submission
from vadbench.tables import clip_table, score_notes, score_table


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench score",
        "Score a submission, print a table and the signature, and write a report.",
        "vadbench score demo/background --root demo/data",
    )
    parser.add_argument("submission", type=Path, help="folder or packed zip")
    add_dataset_options(parser)
    parser.add_argument("--dataset", metavar="ID", help="checked against the submission, which names its data set")
    parser.add_argument(
        "--protocol", default="standard", help="preset or variant, such as tao-release+object.track_boxes=as-is"
    )
    parser.add_argument("--metrics", default="all", help="all, or keys with commas between: pixel_auroc,rbdc")
    parser.add_argument("--report", type=Path, metavar="PATH", help="where the report goes (SUBMISSION.report.json)")
    parser.add_argument("--per-clip", action="store_true", help="print a row for each clip as well")
    parser.add_argument("--json", action="store_true", help="print the report instead of the table")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    # Everything that can be wrong with the call is found before the first mask is read.
    protocol = Protocol.parse(options.protocol)
    metrics = chosen_metrics([name.strip() for name in options.metrics.split(",")])
    submission = Submission.open(options.submission)
    report_path = options.report or _beside(options.submission)
    _check_writable(report_path)
    named = submission.metadata.dataset
    if options.dataset is not None and options.dataset != named:
        raise SubmissionError(
            "S102",
            "the submission is for another data set",
            where=str(options.submission),
            expected=options.dataset,
            got=named,
        )
    dataset = open_dataset(named, options.root, masks=options.masks, tracks=options.tracks)
    with clip_progress(named) as progress:
        report = evaluate(submission, dataset, protocol, metrics, progress=progress)
    report.write(report_path)
    if options.json:
        print(report.to_json(), end="")
        return 0
    _print(standard_output(), report, report_path, per_clip=options.per_clip)
    return 0


def _print(console: Console, report: Report, path: Path, *, per_clip: bool) -> None:
    data = report.dataset
    seconds = "" if report.run is None else f" · {report.run.seconds:.1f} s"
    console.print(f"{data.id} · {data.clips} clips · {thousands(data.frames)} frames{seconds}", markup=False)
    if per_clip:
        console.print()
        console.print(clip_table(report))
    console.print()
    console.print(score_table({_method_name(report): report}))
    console.print()
    for note in score_notes(report):
        console.print(f"note       {note}", markup=False)
    console.print(f"signature  {report.signature}", markup=False, soft_wrap=True)
    console.print(f"report     {path}", markup=False, soft_wrap=True)


def _method_name(report: Report) -> str:
    method = report.submission.get("method", {})
    return " ".join(str(method[key]) for key in ("name", "version") if key in method) or "in memory"


def _beside(submission: Path) -> Path:
    resolved = submission.resolve()
    name = resolved.stem if resolved.suffix == ".zip" else resolved.name
    return submission.parent / f"{name}.report.json" if submission.name else resolved.parent / f"{name}.report.json"


def _check_writable(report: Path) -> None:
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

"""``vadbench compare``: how sure the scores of several reports are, and what their differences show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from vadbench.cli.output import counted, print_paragraph, standard_output
from vadbench.cli.progress import clip_progress
from vadbench.command_line import CommandParser
from vadbench.comparison import Comparison, Difference, Interval, ScoreEstimate, compare, p_text
from vadbench.errors import UsageError, did_you_mean, printable, quoted
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import ReportStatistics, statistics_place
from vadbench.protocol.titles import METRICS
from vadbench.tables import NOT_AVAILABLE, inert_text, percent, plain_table

_ENDING = ".report.json"

_MANY_PAIRS = 10
"""Of more, a comparison with one baseline is suggested."""


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench compare",
        "Say how sure the scores of reports are, and which\n"
        "differences they show: bootstrap intervals over clips and\n"
        "scenes, paired differences, a sign-flip test of per-clip\n"
        "values with Holm's correction, ranges of ranks. Reads each\n"
        "report and the statistics beside it, never predictions.",
        "vadbench score demo/background demo/constant --root demo/data --statistics\n"
        "  vadbench compare demo/background.report.json demo/constant.report.json",
    )
    parser.add_argument("reports", type=Path, nargs="+", metavar="REPORT", help="reports of one data set and protocol")
    parser.add_argument(
        "--metrics", metavar="KEYS", default="all", help=f"all, or some with commas between: {', '.join(METRICS)} (all)"
    )
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help="resamples of the bootstrap (1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of resamples and random signs (0)")
    parser.add_argument("--confidence", type=float, default=0.95, metavar="SHARE", help="of the intervals (0.95)")
    parser.add_argument("--baseline", metavar="REPORT", help="compare every other report with this one, not all pairs")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    names = _names(options.reports)
    baseline = None if options.baseline is None else _baseline(options.baseline, options.reports, names)
    named = {name: _read(path) for name, path in zip(names, options.reports, strict=True)}
    with clip_progress("comparing", unit="steps") as shown:
        comparison = compare(
            named,
            metrics=[name.strip() for name in options.metrics.split(",")],
            resamples=options.resamples,
            seed=options.seed,
            confidence=options.confidence,
            baseline=baseline,
            progress=shown,
        )
    if options.json:
        print(comparison.to_json(), end="")
    else:
        _print(standard_output(), comparison, named)
    return 0


def _names(paths: Sequence[Path]) -> list[str]:
    """A name for each report: its file's, its folder's in an entry for the board, its path where two have one name."""
    short = [
        str(path.parent) if path.name == "report.json" and path.parent.name else path.name.removesuffix(_ENDING)
        for path in paths
    ]
    if len(set(short)) < len(short):
        short = [str(path) for path in paths]
    if len(set(short)) < len(short):
        twice = next(name for name in short if short.count(name) > 1)
        raise UsageError("U268", "a report is given twice", got=quoted(twice))
    return [printable(name) for name in short]


def _baseline(given: str, paths: Sequence[Path], names: Sequence[str]) -> str:
    """Name of the report that is meant, by its name or its path."""
    for name, path in zip(names, paths, strict=True):
        if given == name or Path(given) == path:
            return name
    raise UsageError(
        "U268", f"the baseline {quoted(given)} is none of the reports", hint=did_you_mean(given, [*map(str, paths)])
    )


def _read(path: Path) -> tuple[Report, ReportStatistics]:
    report = Report.read(path)
    place = statistics_place(path)
    if not place.is_file():
        protocol = report.parsed_signature.protocol
        submission = str(path).removesuffix(_ENDING) if path.name.endswith(_ENDING) else "SUBMISSION"
        chosen = "" if str(protocol) == "standard" else f" --protocol {protocol}"
        raise UsageError(
            "U269",
            "a report has no statistics beside it",
            where=str(path),
            expected=str(place),
            hint=f"vadbench score {submission}{chosen} --statistics writes both",
        )
    return report, ReportStatistics.read(place)


def _print(console: Console, comparison: Comparison, named: Mapping[str, tuple[Report, ReportStatistics]]) -> None:
    letters = {name: _letter(index) for index, name in enumerate(comparison.names)}
    scenes = f" from {comparison.n_scenes} scenes" if comparison.no_scenes is None else ""
    console.print(f"{comparison.dataset}: {counted(comparison.n_clips, 'clip')}{scenes}", markup=False)
    console.print(comparison.signature, markup=False, soft_wrap=True)
    console.print()
    for name, letter in letters.items():
        method = named[name][0].submission.get("method", {}).get("name", "")
        line = f"{letter}  {name}{f' · {inert_text(str(method))}' if method else ''}"
        console.print(line + ("  (baseline)" if name == comparison.baseline else ""), markup=False, soft_wrap=True)
    n_pairs = len(comparison.names) * (len(comparison.names) - 1) // 2
    if comparison.baseline is None and n_pairs > _MANY_PAIRS:
        console.print()
        print_paragraph(console, f"{n_pairs} pairs in each metric; --baseline REPORT compares all with one of them.")
    for key, title in comparison.titles.items():
        console.print(f"\n{title}, per cent\n", markup=False)
        console.print(_score_table(comparison, comparison.estimates[key], letters))
        differences = [own for own in comparison.differences if own.metric == key]
        for unit in (_units(comparison) or ["clips"]) if differences else ():
            console.print()
            console.print(_difference_table(comparison, differences, letters, unit))
    console.print()
    for remark in comparison.remarks:
        print_paragraph(console, remark, first="- ", rest="  ")


def _letter(index: int) -> str:
    """A to Z, then AA, AB, …."""
    return (_letter(index // 26 - 1) if index >= 26 else "") + chr(ord("A") + index % 26)


def _score_table(comparison: Comparison, estimates: Mapping[str, ScoreEstimate], letters: Mapping[str, str]) -> Table:
    table = plain_table()
    table.add_column("")
    table.add_column("score", justify="right", no_wrap=True)
    shown = _units(comparison)
    for unit in shown:
        table.add_column(_interval_title(comparison, unit), justify="right", no_wrap=True)
    ranked = len(comparison.names) > 1
    if ranked:
        table.add_column("ranks", no_wrap=True)
    for name, own in estimates.items():
        intervals = {"clips": own.clips, "scenes": own.scenes}
        ranks = [] if not ranked else [_range(own.ranks)]
        table.add_row(letters[name], percent(own.value), *(_interval(intervals[unit]) for unit in shown), *ranks)
    return table


def _difference_table(
    comparison: Comparison, differences: Sequence[Difference], letters: Mapping[str, str], unit: str
) -> Table:
    """Differences with what resampling and flipping clips, or scenes, says of them."""
    resampled = unit in _units(comparison)
    table = plain_table()
    table.add_column("pair", no_wrap=True)
    titles = ["diff.", *([_interval_title(comparison, unit)] if resampled else []), "per clip", "p", "Holm"]
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    for own in differences:
        found, test, adjusted = own.clips, own.test, own.adjusted_p
        if unit == "scenes":
            found, test, adjusted = own.scenes, own.scene_test, own.adjusted_scene_p
        table.add_row(
            f"{letters[own.first]}-{letters[own.second]}",
            _points(own.value),
            *([_interval(found, signed=True)] if resampled else []),
            _points(own.mean_of_clips),
            NOT_AVAILABLE if test is None else p_text(test.p),
            NOT_AVAILABLE if adjusted is None else p_text(adjusted),
        )
    return table


def _units(comparison: Comparison) -> list[str]:
    reasons = {"clips": comparison.no_clips, "scenes": comparison.no_scenes}
    return [unit for unit, reason in reasons.items() if reason is None]


def _interval_title(comparison: Comparison, unit: str) -> str:
    return f"{100 * comparison.confidence:g} %, {unit}"


def _interval(own: Interval | None, *, signed: bool = False) -> str:
    if own is None:
        return NOT_AVAILABLE
    return f"{_points(own.low)} to {_points(own.high)}" if signed else f"{percent(own.low)} to {percent(own.high)}"


def _points(value: float | None) -> str:
    """A difference in points of a per cent, with its sign."""
    return NOT_AVAILABLE if value is None else f"{100 * value + 0.0:+.2f}"


def _range(ranks: tuple[int, int] | None) -> str:
    if ranks is None:
        return NOT_AVAILABLE
    return str(ranks[0]) if ranks[0] == ranks[1] else f"{ranks[0]} to {ranks[1]}"

"""``vadbench plot``: curves, bars, timelines, sensitivity and intervals of reports as PNG, SVG or PDF."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vadbench.choices import Choice
from vadbench.cli.report_paths import REPORT, report_paths
from vadbench.command_line import CommandParser
from vadbench.errors import UsageError, did_you_mean, printable, quoted
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import ReportStatistics, statistics_place
from vadbench.plots.shown_names import plain_text
from vadbench.protocol.titles import METRICS, chosen_metrics

if TYPE_CHECKING:
    from vadbench.plots import Display

_EXAMPLE = """\
python -m baselines demo --out demo/
  vadbench plot curves demo/background.report.json \\
    demo/random.report.json \\
    --out curves.png --out curves.svg"""

_ENDING = ".report.json"


class PlotKind(Choice):
    """What is drawn."""

    CURVES = "curves"
    CLIPS = "clips"
    TIMELINE = "timeline"
    BARS = "bars"
    SENSITIVITY = "sensitivity"
    INTERVALS = "intervals"


_DEFAULT_METRICS = {
    PlotKind.CLIPS: ("pixel_ap",),
    PlotKind.BARS: ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "rbdc", "tbdc"),
    PlotKind.SENSITIVITY: ("pixel_auroc", "pixel_ap", "rbdc", "tbdc"),
    PlotKind.INTERVALS: ("pixel_auroc", "pixel_ap", "rbdc", "tbdc"),
}

_OPTIONS_OF = {
    "metrics": tuple(_DEFAULT_METRICS),
    "curves": (PlotKind.CURVES,),
    "clip": (PlotKind.TIMELINE,),
    "parameter": (PlotKind.SENSITIVITY,),
    "chosen": (PlotKind.SENSITIVITY,),
    "resamples": (PlotKind.INTERVALS,),
    "seed": (PlotKind.INTERVALS,),
    "confidence": (PlotKind.INTERVALS,),
}
"""Options that only some kinds have."""


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench plot",
        "Draw reports, of one data set under one protocol:\n"
        "  curves       ROC, PR, PRO, RBDC and TBDC\n"
        "  clips        one metric clip by clip, as bars\n"
        "  timeline     one clip: Pixel-F1, frame scores and truth\n"
        "  bars         metrics side by side, a bar a method\n"
        "  sensitivity  metrics over a parameter (VALUE=REPORT)\n"
        "  intervals    bootstrap intervals and rank ranges\n"
        "timeline and intervals read the statistics beside each\n"
        "report (vadbench score --statistics).",
        _EXAMPLE,
    )
    parser.add_argument("kind", metavar="KIND", help=", ".join(PlotKind))
    parser.add_argument(
        "reports",
        nargs="+",
        metavar="REPORT",
        help="a report, NAME=REPORT to name it in the picture, an entry (METHOD/DATASET), or a folder of *.report.json",
    )
    parser.add_argument(
        "--out",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="ends in .png, .svg or .pdf; give it again for further formats; earlier plots there are replaced",
    )
    parser.add_argument("--metrics", metavar="KEYS", help=f"all, or some with commas between: {', '.join(METRICS)}")
    parser.add_argument("--curves", metavar="KINDS", help="curves: some of roc, pr, pro, rbdc, tbdc (all)")
    parser.add_argument("--clip", metavar="ID", help="timeline: id of the clip")
    parser.add_argument("--parameter", metavar="TEXT", help="sensitivity: what the values are, with their unit")
    parser.add_argument("--chosen", metavar="VALUE", help="sensitivity: the value that was chosen, which is marked")
    parser.add_argument("--resamples", type=int, metavar="N", help="intervals: resamples of the bootstrap (1000)")
    parser.add_argument("--seed", type=int, metavar="N", help="intervals: seed of the resamples (0)")
    parser.add_argument("--confidence", type=float, metavar="SHARE", help="intervals: their confidence (0.95)")
    parser.add_argument("--overwrite", action="store_true", help="replace what is at --out and is no plot")
    parser.add_argument("--title", default="", metavar="TEXT", help="above the picture; not for curves")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    from vadbench.plots.canvas import picture_format, require_matplotlib

    kind = _kind(options.kind)
    _check_options(kind, options)
    for path in options.out:
        picture_format(path)
        _check_place(path, overwrite=options.overwrite)
    require_matplotlib()
    given = list(dict.fromkeys(own for text in options.reports for own in report_paths(text)))
    if kind is PlotKind.CURVES:
        from vadbench.plots import curve_figure

        curves = None if options.curves is None else _listed(options.curves)
        reports = _by_name([(name, path, Report.read(path)) for name, path in given])
        for path in options.out:
            curve_figure(reports, path, kinds=curves)
    else:
        from vadbench.plots import write_displays

        displays = _MAKERS[kind](given, options)
        for path in options.out:
            write_displays(displays, path, title=options.title)
    for path in options.out:
        print(f"picture  {path}")
    return 0


def _check_place(path: Path, *, overwrite: bool) -> None:
    """Raise `UsageError` U296 where a picture would replace what is no plot."""
    from vadbench.plots.canvas import is_own_picture

    try:
        in_the_way = path.exists() and not (path.is_file() if overwrite else is_own_picture(path))
    except OSError as error:
        raise UsageError(
            "U155", "the picture cannot be written", where=str(path), got=error.strerror or str(error)
        ) from error
    if in_the_way:
        raise UsageError(
            "U296",
            "something is at the place of the picture that is no plot",
            where=str(path),
            hint="give another place, or --overwrite to replace the file",
        )


def _kind(text: str) -> PlotKind:
    if text not in list(PlotKind):
        raise UsageError("U284", f"there is no plot {quoted(text)}", hint=did_you_mean(text, list(PlotKind)))
    return PlotKind(text)


def _check_options(kind: PlotKind, options: argparse.Namespace) -> None:
    """Refuse an option that would have no effect."""
    for name, kinds in _OPTIONS_OF.items():
        if getattr(options, name) is not None and kind not in kinds:
            raise UsageError("U285", f"--{name} has no effect on {kind}", expected=f"it is for {', '.join(kinds)}")
    if options.title and kind is PlotKind.CURVES:
        raise UsageError("U285", "--title has no effect on curves", hint="name the methods with NAME=REPORT")
    if kind is PlotKind.TIMELINE and options.clip is None:
        raise UsageError("U285", "a timeline is one of a clip", expected="--clip ID")


def _by_name(read: Sequence[tuple[str, Path, Report]]) -> dict[str, Report]:
    """Reports by the name given, else that of the method, and the file's too where two methods have the same."""
    names = [name or _method_name(report, path) for name, path, report in read]
    shown = [
        f"{name} ({_file(path, report)})" if not given and names.count(name) > 1 else name
        for name, (given, path, report) in zip(names, read, strict=True)
    ]
    for place, name in enumerate(shown):
        if shown.index(name) != place:
            raise UsageError(
                "U286",
                "two reports have one name in the picture",
                where=(str(read[shown.index(name)][1]), str(read[place][1])),
                got=quoted(plain_text(name, 80)),
                hint="give names: NAME=REPORT",
            )
    return {name: report for name, (_, _, report) in zip(shown, read, strict=True)}


def _method_name(report: Report, path: Path) -> str:
    method = report.submission.get("method", {})
    return str(method.get("name", "")).strip() or path.name.removesuffix(_ENDING)


def _file(path: Path, report: Report) -> str:
    """What tells reports of one method apart: the file's name, or the entry's."""
    name = path.name.removesuffix(_ENDING)
    if path.name == REPORT:
        entry = path.parent.parent if path.parent.name == report.dataset.id else path.parent
        name = entry.name or path.stem
    return printable(name)


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _metrics(kind: PlotKind, options: argparse.Namespace) -> tuple[str, ...]:
    return _DEFAULT_METRICS[kind] if options.metrics is None else chosen_metrics(_listed(options.metrics))


def _clips(given: Sequence[tuple[str, Path]], options: argparse.Namespace) -> list[Display]:
    from vadbench.plots import ClipBarsDisplay

    reports = _by_name([(name, path, Report.read(path)) for name, path in given])
    metrics = _metrics(PlotKind.CLIPS, options)
    if len(metrics) > 1:
        # Of many metrics those that nobody has are left out, as they are in bars.
        metrics = tuple(key for key in metrics if any(report.value(key) is not None for report in reports.values()))
    return [ClipBarsDisplay.from_reports(reports, metric=key) for key in metrics or _metrics(PlotKind.CLIPS, options)]


def _bars(given: Sequence[tuple[str, Path]], options: argparse.Namespace) -> list[Display]:
    from vadbench.plots import GroupedBarsDisplay

    reports = _by_name([(name, path, Report.read(path)) for name, path in given])
    return [GroupedBarsDisplay.from_reports(reports, metrics=_metrics(PlotKind.BARS, options))]


def _timeline(given: Sequence[tuple[str, Path]], options: argparse.Namespace) -> list[Display]:
    from vadbench.plots import TimelineDisplay

    return [TimelineDisplay.from_statistics(_with_statistics(given), clip_id=options.clip)]


def _sensitivity(given: Sequence[tuple[str, Path]], options: argparse.Namespace) -> list[Display]:
    from vadbench.plots import SensitivityDisplay

    for name, path in given:
        if not name:
            raise UsageError(
                "U286",
                "a report of a sensitivity has no value",
                expected=f"VALUE=REPORT, such as 1.5={path}",
                got=quoted(path),
            )
    values = [_value(name) for name, _ in given]
    # Names, unless every value is a number.
    keys: list[float | str] = [name for name, _ in given]
    if all(value is not None for value in values):
        keys = [value for value in values if value is not None]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UsageError("U286", "a value of a sensitivity has two reports", got=quoted(twice))
    chosen = options.chosen
    if chosen is not None and isinstance(keys[0], float):
        chosen = _value(chosen) if _value(chosen) is not None else chosen
    reports = {key: Report.read(path) for key, (_, path) in zip(keys, given, strict=True)}
    display = SensitivityDisplay.from_reports(
        reports,  # type: ignore[arg-type]  # all keys are numbers, or all are texts
        parameter=options.parameter or "value of the parameter",
        metrics=_metrics(PlotKind.SENSITIVITY, options),
        chosen=chosen,
    )
    return [display]


def _intervals(given: Sequence[tuple[str, Path]], options: argparse.Namespace) -> list[Display]:
    from vadbench.comparison import compare
    from vadbench.plots import IntervalDisplay
    from vadbench.plots.comparable import check_comparable, protocol_title, shown_titles

    named = _with_statistics(given)
    reports = {name: report for name, (report, _) in named.items()}
    check_comparable(reports)
    titles = shown_titles(reports, _metrics(PlotKind.INTERVALS, options))
    found = compare(
        named,
        metrics=list(titles),
        resamples=1000 if options.resamples is None else options.resamples,
        seed=options.seed or 0,
        confidence=0.95 if options.confidence is None else options.confidence,
        # Pairs are not drawn: the least that they can cost.
        flips=1,
        baseline=next(iter(named)),
    )
    note = f"{100 * found.confidence:g} % intervals of {found.resamples} resamples with seed {found.seed}"
    note += f" of {found.n_clips} clips" if found.no_clips is None else f"; none: {found.no_clips}"
    note += f" and of {found.n_scenes} scenes" if found.no_scenes is None else f"\n{found.no_scenes}"
    displays: list[Display] = []
    for key, title in titles.items():
        estimates = found.estimates.get(key, {})
        displays.append(
            IntervalDisplay.from_values(
                {name: report.value(key) for name, report in reports.items()},
                metric=title,
                clips={name: own.clips for name, own in estimates.items()},
                scenes={name: own.scenes for name, own in estimates.items()},
                ranks={name: own.ranks for name, own in estimates.items()} if len(named) > 1 else None,
                title=f"{protocol_title(reports)} · {title}",
                # Once, under all of them.
                note=note if key == list(titles)[-1] else "",
            )
        )
    return displays


def _with_statistics(given: Sequence[tuple[str, Path]]) -> dict[str, tuple[Report, ReportStatistics]]:
    """Reports by name with the statistics beside them; raises `UsageError` U287 where these are not there."""
    read = [(name, path, Report.read(path)) for name, path in given]
    statistics = [_statistics(path) for _, path in given]
    return {name: (report, own) for (name, report), own in zip(_by_name(read).items(), statistics, strict=True)}


def _statistics(path: Path) -> ReportStatistics:
    place = statistics_place(path)
    if not place.is_file():
        raise UsageError(
            "U287",
            "a report has no statistics beside it",
            where=str(path),
            expected=str(place),
            hint="write them with the report: vadbench score SUBMISSION --statistics",
        )
    return ReportStatistics.read(place)


def _value(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


_MAKERS: Mapping[PlotKind, Callable[[Sequence[tuple[str, Path]], argparse.Namespace], list[Display]]] = {
    PlotKind.CLIPS: _clips,
    PlotKind.BARS: _bars,
    PlotKind.TIMELINE: _timeline,
    PlotKind.SENSITIVITY: _sensitivity,
    PlotKind.INTERVALS: _intervals,
}

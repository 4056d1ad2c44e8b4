"""``vadbench explain``: what a method does wrong, with the frames to look at."""

from __future__ import annotations

import argparse
import math
import os
import re
import shlex
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vadbench.cli.output import counted, standard_output, thousands
from vadbench.command_line import CommandParser
from vadbench.datasets.registry import ENVIRONMENT_VARIABLE
from vadbench.errors import UsageError
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import ReportStatistics, statistics_place
from vadbench.failures import (
    SEPARATION,
    ClipCosts,
    Failures,
    FalsePositives,
    FramePixels,
    NotAvailable,
    PixelFailures,
    TrackFailures,
    TrackProperty,
    failures,
)
from vadbench.failures.tracks import UNITS, shown
from vadbench.inert_text import inert_text
from vadbench.protocol.protocol import number_text
from vadbench.protocol.titles import METRICS, OBJECT_METRICS, PIXEL_METRICS
from vadbench.tables import NOT_AVAILABLE, percent, plain_table

_EXAMPLE = """\
python -m baselines demo --out demo/
  vadbench score demo/background --root demo/data --statistics
  vadbench explain demo/background.report.json --root demo/data"""

_ENDING = ".report.json"
_READABLE_WIDTH = 100
_IN_NUMBERS = re.compile(r"(?<=\d) (?=\d{3}(?!\d)|%|px)")
_NO_BREAK = "\u00a0"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_CLIP = 60
_LEVELS = (
    ({"pixel_ap"}, "0.05 for Pixel-AP"),
    ({*PIXEL_METRICS} - {"pixel_ap"}, "0.002 for other pixel metrics"),
    ({*OBJECT_METRICS}, "0.001 for RBDC and TBDC"),
)
"""Largest difference of a gain, in per cent, from that of scoring again; measured, see docs/explain.md."""


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench explain",
        "Say what a method does wrong: missed tracks, false positives, wrong pixels,\n"
        "and the clips that cost most; each case with the frame to look at.\n"
        "Needs the report and the statistics beside it, no predictions.",
        _EXAMPLE,
    )
    parser.add_argument("report", type=Path, metavar="REPORT", help="a report, with its statistics beside it")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="cases listed of each kind (5)")
    parser.add_argument(
        "--metrics",
        metavar="KEYS",
        help=f"the N clips that cost most of these, all or some with commas between: {', '.join(METRICS)} "
        "(else the worst clip of each)",
    )
    parser.add_argument(
        "--submission", type=Path, metavar="PATH", help="named in the command lines; else what lies beside the report"
    )
    parser.add_argument("--root", type=Path, metavar="DIR", help="folder of the data set, named in the command lines")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    if options.top < 1:
        raise UsageError("U302", "--top is a number of cases, at least 1", got=str(options.top))
    report = Report.read(options.report)
    place = statistics_place(options.report)
    submission = options.submission or _submission_beside(options.report, report)
    if not place.is_file():
        raise _no_statistics(place, report, submission)
    metrics = "all" if options.metrics is None else [name.strip() for name in options.metrics.split(",")]
    found = failures(report, ReportStatistics.read(place), metrics=metrics)
    if options.json:
        print(found.to_json(), end="")
        return 0
    overlay = _OverlayCommand(submission, options.root)
    _Account(standard_output(), found, overlay, options).print(report)
    return 0


def _no_statistics(place: Path, report: Report, submission: Path | None) -> UsageError:
    protocol = str(report.parsed_signature.protocol)
    command = ["vadbench", "score", str(submission or "SUBMISSION"), "--statistics"]
    command += [] if protocol == "standard" else ["--protocol", protocol]
    return UsageError(
        "U301",
        "there are no statistics beside the report",
        expected=str(place),
        hint=f"write both with `{shlex.join(command)}`",
    )


def _submission_beside(place: Path, report: Report) -> Path | None:
    """Folder or zip that the report is named after, if it is there."""
    if not place.name.endswith(_ENDING):
        return None
    name = place.name.removesuffix(_ENDING).removesuffix(".partial")
    name = name.removesuffix(f".{report.parsed_signature.protocol}")
    candidates = (place.parent / name, place.parent / f"{name}.zip")
    return next((path for path in candidates if name and path.exists()), None)


class _OverlayCommand:
    """Command lines that draw a frame; what nobody has said is a word in capitals."""

    def __init__(self, submission: Path | None, root: Path | None) -> None:
        self._words = ["vadbench", "overlay", "SUBMISSION" if submission is None else str(submission)]
        if root is not None or not os.environ.get(ENVIRONMENT_VARIABLE):
            self._words += ["--root", "DATA" if root is None else str(root)]

    def of(self, clip: str, frame: int, threshold: float | None = None) -> str:
        """The command for one frame, with the outline of what is flagged where there is a threshold."""
        # As one word: an id may begin with a dash.
        chosen = [f"--clip={clip}"] if clip.startswith("-") else ["--clip", clip]
        chosen += ["--frames", str(frame)]
        if threshold is not None and math.isfinite(threshold):
            chosen += (
                ["--threshold", number_text(threshold)] if threshold >= 0 else [f"--threshold={number_text(threshold)}"]
            )
        name = _NOT_IN_NAMES.sub("_", clip)[:_LONGEST_CLIP]
        return shlex.join([*self._words, *chosen, "--out", f"clip-{name}-frame-{frame}.png"])


class _Account:
    """The text: of each part a paragraph, tables, and the frames to look at."""

    def __init__(
        self, console: Console, found: Failures, overlay: _OverlayCommand, options: argparse.Namespace
    ) -> None:
        self._console = console
        self._found = found
        self._overlay = overlay
        self._top: int = options.top
        self._costs_of_clips: int = 1 if options.metrics is None else options.top

    def print(self, report: Report) -> None:
        """Print all parts."""
        data = report.dataset
        head = f"{data.id} · {counted(data.clips, 'clip')} · {counted(data.frames, 'frame')} · {_method(report)}"
        self._prose(head)
        self._title("Missed tracks")
        self._tracks(self._found.tracks)
        self._title("False positives")
        self._false_positives(self._found.false_positives)
        self._title("Pixels")
        self._pixels(self._found.pixels)
        self._title("Clips that cost most")
        self._clips(self._found.clips)
        self._console.print()
        self._prose(f"Of frames of one clip that are less than {SEPARATION} frames apart only the worst is listed.")
        self._console.print(f"\nsignature  {self._found.signature}", markup=False, soft_wrap=True)

    def _title(self, text: str) -> None:
        self._console.print(f"\n{text}\n{'-' * len(text)}", markup=False)

    def _prose(self, text: str, rest: str = "") -> None:
        """Print prose; a number stays in one piece."""
        width = min(self._console.width, _READABLE_WIDTH)
        kept = _IN_NUMBERS.sub(_NO_BREAK, text)
        lines = textwrap.wrap(kept, width, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False)
        self._console.print("\n".join(lines).replace(_NO_BREAK, " "), markup=False, soft_wrap=True)

    def _table(self, caption: str, columns: str, rows: Iterable[Sequence[str]]) -> None:
        """A table, if it has a row; columns whose title begins with ``<`` are aligned to the left."""
        table: Table = plain_table()
        for title in columns.split("|"):
            justify: Literal["left", "right"] = "left" if title.startswith("<") else "right"
            table.add_column(title.strip("<"), justify=justify, overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        if table.row_count:
            self._console.print()
            self._prose(f"{caption}:")
            self._console.print(table)

    def _commands(self, places: Iterable[tuple[str, int]], threshold: float | None = None) -> None:
        """The command lines, each once, in lines that stay whole so that they can be pasted."""
        commands = dict.fromkeys(self._overlay.of(clip, frame, threshold) for clip, frame in places)
        if commands:
            self._console.print()
        for command in commands:
            self._console.print(f"  {command}", markup=False, soft_wrap=True)

    def _tracks(self, part: TrackFailures | NotAvailable) -> None:
        self._prose(part.in_words)
        if isinstance(part, NotAvailable):
            return
        self._table(
            "All tracks by thirds",
            "<by|<third|from|to|found|missed|share",
            (
                (
                    f"{group.by}, {UNITS[group.by].replace(' a ', '/')}"
                    if place == 0 or part.groups[place - 1].by != group.by
                    else "",
                    group.name,
                    shown(group.by, group.low),
                    shown(group.by, group.high),
                    str(group.found),
                    str(group.missed),
                    f"{100 * group.missed_share:.0f} %",
                )
                for place, group in enumerate(part.groups)
            ),
        )
        listed = part.missed[: self._top]
        self._table(
            "Missed, largest first",
            "<clip|<track|frames|height|width|px a frame|look at",
            (
                (
                    missed.track.clip,
                    missed.track.track,
                    f"{missed.track.first_frame} – {missed.track.last_frame}",
                    f"{missed.track.height:.0f}",
                    f"{missed.track.width:.0f}",
                    shown(TrackProperty.SPEED, missed.track.speed) if missed.track.regions > 1 else NOT_AVAILABLE,
                    str(missed.look.frame),
                )
                for missed in listed
            ),
        )
        if len(part.missed) > self._top:
            self._prose(f"({counted(len(part.missed) - self._top, 'more track')}: --top {len(part.missed)})")
        self._commands((missed.look.clip, missed.look.frame) for missed in listed)

    def _false_positives(self, part: FalsePositives | NotAvailable) -> None:
        self._prose(part.in_words)
        if isinstance(part, NotAvailable):
            return
        listed = [clip for clip in part.clips if clip.in_all][: self._top]
        self._table(
            "Clips with most",
            "<clip|frames|at the limit|per frame|in all",
            (
                (
                    clip.clip,
                    thousands(clip.frames),
                    thousands(clip.at_limit),
                    f"{clip.per_frame:.2f}",
                    thousands(clip.in_all),
                )
                for clip in listed
            ),
        )
        cases = part.cases[: self._top]
        self._table(
            "Highest scores, all equal" if part.alike else "Highest scores",
            "<clip|look at|x1|y1|x2|y2|score",
            (
                (
                    case.clip,
                    str(case.frame),
                    *(f"{corner:.0f}" for corner in case.box),
                    f"{case.score:.6g}",
                )
                for case in cases
            ),
        )
        self._commands((case.clip, case.frame) for case in cases)

    def _pixels(self, part: PixelFailures | NotAvailable) -> None:
        self._prose(part.in_words)
        if isinstance(part, NotAvailable):
            return
        # An overlay draws the stored scores, which this threshold is none of.
        threshold = None if part.scaled else part.threshold
        for caption, frames in (
            ("Frames with most pixels wrongly flagged", part.most_false),
            ("Frames with most pixels missed", part.most_missed),
        ):
            self._table(caption, "<clip|look at|wrongly flagged|missed|anomalous", map(_pixel_row, frames[: self._top]))
            self._commands(((frame.clip, frame.frame) for frame in frames[: self._top]), threshold)

    def _clips(self, part: ClipCosts | NotAvailable) -> None:
        self._prose(part.in_words)
        if isinstance(part, NotAvailable):
            return
        rows = [(costs, cost) for costs in part.metrics for cost in costs.clips[: self._costs_of_clips] if cost.is_told]
        self._table(
            "Per cent, of all clips and without one",
            "<metric|<clip|all|without|gain|look at",
            (
                (
                    costs.title,
                    cost.clip,
                    percent(costs.value),
                    percent(costs.value + (cost.gain or 0.0)),
                    f"{100 * (cost.gain or 0.0):+.2f}",
                    NOT_AVAILABLE if cost.look is None else str(cost.look.frame),
                )
                for costs, cost in rows
            ),
        )
        on_levels = {costs.metric for costs, _ in rows if costs.on_levels}
        within = [words for metrics, words in _LEVELS if metrics & on_levels]
        if within:
            self._prose(
                "Some gains come of counts on levels of score. On UCSD Ped2 they are those of scoring again within "
                f"{', '.join(within)}."
            )
        looks = dict.fromkeys(cost.look for _, cost in rows if cost.look is not None)
        if looks:
            self._console.print()
        for look in looks:
            self._prose(f"clip {look.clip}, frame {look.frame}: {look.shows}", rest="  ")
        self._commands((look.clip, look.frame) for look in looks)


def _pixel_row(frame: FramePixels) -> tuple[str, ...]:
    counts = (frame.false_positives, frame.missed, frame.n_positive)
    return (frame.clip, str(frame.frame), *map(thousands, counts))


def _method(report: Report) -> str:
    method = report.submission.get("method", {})
    return inert_text(" ".join(str(method[key]) for key in ("name", "version") if key in method)) or "in memory"

"""Tables of scores for the terminal: per cent with two decimals, turned on their side where the terminal is narrow.

Source: protocols.md, "Names and printing"; architecture, "What a user sees".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from vadbench.inert_text import inert_text
from vadbench.protocol.titles import metric_titles
from vadbench.tables.titles import title_lines

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report, Score

NOT_AVAILABLE = "–"
_MOST_COLUMNS = 6


def percent(value: float | None) -> str:
    """Give a fraction in per cent with two decimals, a dash where there is none."""
    return NOT_AVAILABLE if value is None else f"{100 * value:.2f}"


def plain_table() -> Table:
    """Empty table in the style of all tables here: one line under the titles, two spaces between columns."""
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))


class ScoreTable:
    """One row a report and one column a metric, or the other way round where the terminal is too narrow.

    Parameters
    ----------
    rows : mapping from a row's name to its scores by metric
    titles : mapping from metric to title
        In the order of the columns; metrics that no row has are left out.
    corner : str
        Title of the column of names.
    """

    def __init__(self, rows: Mapping[str, Mapping[str, Score]], titles: Mapping[str, str], corner: str = "") -> None:
        self._rows = rows
        self._titles = {key: title for key, title in titles.items() if any(key in scores for scores in rows.values())}
        self._corner = corner

    def upright(self, keys: Iterable[str] | None = None) -> Table:
        """One row a report, with all metrics or some."""
        chosen = list(self._titles if keys is None else keys)
        table = plain_table()
        table.add_column(self._corner, no_wrap=True, overflow="ellipsis")
        for key in chosen:
            table.add_column("\n".join(title_lines(self._titles[key])), justify="right", no_wrap=True)
        for name, scores in self._rows.items():
            table.add_row(Text(inert_text(name)), *(_cell(scores, key) for key in chosen))
        return table

    def on_its_side(self) -> Table:
        """One row a metric."""
        table = plain_table()
        table.add_column("metric", no_wrap=True)
        for name in self._rows:
            table.add_column(Text(inert_text(name)), justify="right", overflow="fold")
        for key, title in self._titles.items():
            table.add_row(title, *(_cell(scores, key) for scores in self._rows.values()))
        return table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Choose the form that fits."""
        upright = self.upright()
        if _width(console, options, upright) <= options.max_width:
            yield upright
        elif len(self._rows) <= _MOST_COLUMNS:
            yield self.on_its_side()
        else:
            yield from self._stacked(console, options)

    def _stacked(self, console: Console, options: ConsoleOptions) -> Iterator[Table | Text]:
        """Several upright tables, each with as many metrics as fit: the way of many rows, such as clips."""
        waiting = list(self._titles)
        while waiting:
            n = len(waiting)
            while n > 1 and _width(console, options, self.upright(waiting[:n])) > options.max_width:
                n -= 1
            yield self.upright(waiting[:n])
            waiting = waiting[n:]
            if waiting:
                yield Text()


def _cell(scores: Mapping[str, Score], key: str) -> str:
    return percent(scores[key].value) if key in scores else ""


def _width(console: Console, options: ConsoleOptions, table: Table) -> int:
    return Measurement.get(console, options.update(max_width=10_000), table).maximum


def score_table(reports: Mapping[str, Report]) -> ScoreTable:
    """Table of several reports under one protocol, one row each, in the order given.

    Parameters
    ----------
    reports : mapping from the row's name to Report
        Their titles follow from the first one's protocol.
    """
    first = next(iter(reports.values()))
    titles = metric_titles(first.parsed_signature.protocol)
    return ScoreTable({name: report.scores for name, report in reports.items()}, titles, corner="method")


def clip_table(report: Report) -> ScoreTable:
    """Table of a report's clips, one row each; without the macro mean, which of one clip is the same as micro."""
    titles = metric_titles(report.parsed_signature.protocol)
    del titles["frame_auroc_macro"]
    return ScoreTable({clip.id: clip.scores for clip in report.clips}, titles, corner="clip")


def score_sources(report: Report) -> str:
    """What each family of metrics was computed from, such as ``Pixel from score-maps, RBDC from instances``."""
    families = {"pixel": ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1"), "objects": ("rbdc", "tbdc")}
    families["frames"] = ("frame_auroc_micro", "frame_auroc_macro")
    parts = []
    for family, keys in families.items():
        sources = [report.scores[key].source for key in keys if key in report.scores and report.scores[key].source]
        if sources:
            parts.append(f"{family} from {sources[0]}")
    return ", ".join(parts)


def score_notes(report: Report) -> list[str]:
    """What a reader must know of the scores beside their values: reasons, order bounds, numbers of clips."""
    titles = metric_titles(report.parsed_signature.protocol)
    notes = list(report.warnings)
    reasons: dict[str, list[str]] = {}
    for key, score in report.scores.items():
        if score.value is None and score.reason:
            reasons.setdefault(score.reason, []).append(titles[key])
    notes += [f"{', '.join(names)}: not available, because {reason}" for reason, names in reasons.items()]
    for key, score in report.scores.items():
        if score.order_bounds is not None:
            least, greatest = score.order_bounds
            notes.append(
                f"{titles[key]}: between {percent(least)} and {percent(greatest)}, by the order of detections with "
                "equal scores"
            )
        if score.skipped_clips:
            notes.append(
                f"{titles[key]}: mean of {score.clips} clips; {score.skipped_clips} have frames of one class only"
            )
        elif score.clips is not None and score.clips < report.dataset.clips:
            notes.append(f"{titles[key]}: {score.clips} of {report.dataset.clips} clips have the truth that it needs")
    return notes

"""Display of one metric clip by clip: a group of bars a clip, for one method or several."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from vadbench.errors import UsageError
from vadbench.plots.bar_rows import bar_places, draw_per_cent_axis, even_rows
from vadbench.plots.canvas import require_matplotlib
from vadbench.plots.comparable import check_comparable, check_told_apart, protocol_title, shown_titles
from vadbench.plots.curves import check_named
from vadbench.plots.legend_table import BELOW_INCHES, BESIDE, MOST_BESIDE, LegendRow, draw_legend_table, table_height
from vadbench.plots.line_styles import BAR_STYLES, bar_style, line_style
from vadbench.plots.shown_names import legend_text, plain_text

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report

_BAR_SHARE = 0.84
"""Part of a clip's place that its bars take."""

_MOST_BARS = 84
"""Bars in a row of the picture that can be told apart."""

_LEAST_CLIPS = 4
_MOST_LINES = MOST_BESIDE
"""Methods up to which a line for all clips together helps."""

_ROW_INCHES = 2.3
_GREY = "#444444"


@dataclass
class ClipBarsDisplay:
    """One metric of single clips; made by `from_reports`, drawn by `plot`.

    Parameters
    ----------
    methods : tuple of str
        As in the legend.
    clip_ids : tuple of str
        In the order of the reports.
    scores : tuple of tuple of float or None
        For each method one fraction in [0, 1] a clip; None where the clip has no value.
    together : tuple of float or None
        For each method the value of all clips together.
    metric : str
        Title of the metric.
    title : str
        Data set and protocol.
    reasons : mapping from reason to number of clips
        Why clips have no value, as the reports say.

    Attributes
    ----------
    figure_, axes_, bars_
        Matplotlib's objects, after `plot`; `bars_` has for each method a list of containers, one a row.

    Examples
    --------
    ::

        display = ClipBarsDisplay.from_reports({"mine": report, "other": other}, metric="pixel_ap").plot()
        display.figure_.savefig("clips.png")
    """

    methods: tuple[str, ...]
    clip_ids: tuple[str, ...]
    scores: tuple[tuple[float | None, ...], ...]
    together: tuple[float | None, ...]
    metric: str
    title: str
    reasons: Mapping[str, int] = field(default_factory=dict)
    figure_: Any = field(default=None, init=False, repr=False, compare=False)
    axes_: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)
    bars_: list[list[Any]] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def from_reports(cls, reports: Mapping[str, Report], *, metric: str) -> Self:
        """Display of one metric of some reports, by their names in the legend.

        Parameters
        ----------
        reports : mapping from name to Report
            Of one data set under one protocol.
        metric : str
            Key of the metric.

        Raises
        ------
        UsageError
            U120 for an unknown metric, U156 if the reports are not comparable, U158 if they have no names, U159 if no
            report has a value of the metric, U280 if no clip has one by itself, U295 for more methods than bars can
            tell apart.
        """
        check_named(reports)
        check_comparable(reports)
        check_told_apart(reports, BAR_STYLES)
        titles = shown_titles(reports, (metric,))
        rows = [{clip.id: clip.scores.get(metric) for clip in report.clips} for report in reports.values()]
        clip_ids = tuple(dict.fromkeys(clip_id for own in rows for clip_id in own))
        values: list[tuple[float | None, ...]] = []
        reasons: dict[str, set[str]] = {}
        for own in rows:
            cells = [own.get(clip_id) for clip_id in clip_ids]
            values.append(tuple(None if cell is None else cell.value for cell in cells))
            for clip_id, cell in zip(clip_ids, cells, strict=True):
                if cell is None or cell.value is None:
                    reason = "not in the report" if cell is None else cell.reason or "no reason given"
                    reasons.setdefault(reason, set()).add(clip_id)
        if all(value is None for own in values for value in own):
            raise UsageError(
                "U280",
                f"no clip has a value of {titles[metric]} by itself",
                got="; ".join(sorted(reasons)) or "no clips",
                hint="choose another metric, or draw `bars` of all clips together",
            )
        return cls(
            tuple(reports),
            clip_ids,
            tuple(values),
            tuple(report.value(metric) for report in reports.values()),
            titles[metric],
            protocol_title(reports),
            {reason: len(clips) for reason, clips in sorted(reasons.items())},
        )

    @property
    def _clips_of_row(self) -> list[range]:
        return even_rows(len(self.clip_ids), max(_LEAST_CLIPS, _MOST_BARS // len(self.methods)))

    @property
    def panels(self) -> tuple[float, ...]:
        """Heights of the rows in inches, for `write_displays`; of more than six methods the last is the legend."""
        rows = len(self._clips_of_row)
        heights = (_ROW_INCHES + 0.2,) * rows if rows > 1 else (_ROW_INCHES + 0.4,)
        if not self._legend_is_below:
            return heights
        return (*heights, table_height(len(self.methods), BELOW_INCHES, 1))

    @property
    def _legend_is_below(self) -> bool:
        return len(self.methods) > MOST_BESIDE

    def plot_on(self, axes: Sequence[Any]) -> Self:
        """Draw on one axes a row; for `write_displays`."""
        return self.plot(axes)

    def plot(self, axes: Any = None, **bar_options: Any) -> Self:
        """Draw the bars, a line for all clips together, and the legend.

        Parameters
        ----------
        axes : sequence of matplotlib.axes.Axes, optional
            As many as `panels` says; a new figure, unknown to pyplot, if absent.
        **bar_options
            For every bar, such as ``linewidth``; they go to ``Axes.bar``.

        Returns
        -------
        ClipBarsDisplay
            Itself, with `axes_`, `figure_` and `bars_` set.

        Raises
        ------
        UsageError
            U153 if matplotlib is not installed.

        Notes
        -----
        Where a clip has no value there is a dash, and below the last row stands why. The value of all clips together
        is a number in the legend and, of six methods at most, a thin line: it need not be the mean of the bars, since
        a pooled metric has one scale of scores for all clips.
        """
        require_matplotlib()
        if axes is None:
            from matplotlib.figure import Figure

            figure = Figure(figsize=(8.0, sum(self.panels)), layout="constrained")
            axes = figure.subplots(len(self.panels), 1, squeeze=False, height_ratios=self.panels).ravel()
        self.axes_ = list(axes)
        self.figure_, self.bars_ = self.axes_[0].figure, [[] for _ in self.methods]
        rows = self._clips_of_row
        for ax, clips in zip(self.axes_, rows, strict=False):
            self._plot_row(ax, clips, longest=len(rows[0]), options=bar_options)
        self.axes_[0].set_title(self.title, parse_math=False)
        if self._legend_is_below:
            draw_legend_table(self.axes_[-1], self._legend_rows, ("all clips together, per cent",), width=BELOW_INCHES)
        else:
            self._draw_legend(self.axes_[0])
        last = self.axes_[len(rows) - 1]
        text = "clip"
        if self.reasons:
            parts = [
                f"{reason} ({number} {'clip' if number == 1 else 'clips'})" for reason, number in self.reasons.items()
            ]
            text += "\n" + textwrap.fill(plain_text(f"– no value: {'; '.join(parts)}", 400), 110)
        last.set_xlabel(text, parse_math=False)
        return self

    def _plot_row(self, ax: Any, clips: range, *, longest: int, options: Mapping[str, Any]) -> None:
        width = _BAR_SHARE / len(self.methods)
        for number, method in enumerate(self.methods):
            places = bar_places(number, len(self.methods), len(clips), width)
            scores = [self.scores[number][clip] for clip in clips]
            style = {**bar_style(number), "label": legend_text(method), **options}
            heights = [0.0 if score is None else 100.0 * score for score in scores]
            self.bars_[number].append(ax.bar(places, heights, 0.94 * width, **style))
            for clip, place, score in zip(clips, places, scores, strict=True):
                if score is None and any(own[clip] is not None for own in self.scores):
                    ax.text(place, 1.0, "–", ha="center", va="bottom", fontsize=6.5, color=_GREY)
            together = self.together[number]
            if together is not None and self._lines_are_drawn:
                ax.axhline(100.0 * together, linewidth=0.8, zorder=0.9, **line_style(number))
        for place, clip in enumerate(clips):
            if all(own[clip] is None for own in self.scores):
                # Once for all of them: a row of dashes would look like a line.
                ax.text(place, 1.0, "–", ha="center", va="bottom", fontsize=11, color=_GREY)
        ids = [plain_text(self.clip_ids[clip], 16) for clip in clips]
        crowded = sum(map(len, ids)) + 2 * len(ids) > 90
        ax.set_xticks(range(len(clips)), ids, rotation=90 if crowded else 0, fontsize="x-small", parse_math=False)
        ax.set_xlim(-0.6, longest - 0.4)
        draw_per_cent_axis(ax, f"{self.metric}\n(per cent)", 104)

    @property
    def _legend_rows(self) -> list[LegendRow]:
        values = ["–" if value is None else f"{100 * value:.2f}" for value in self.together]
        return [
            LegendRow(method, bar_style(number), (value,), is_bar=True)
            for number, (method, value) in enumerate(zip(self.methods, values, strict=True))
        ]

    @property
    def _lines_are_drawn(self) -> bool:
        return len(self.methods) <= _MOST_LINES

    def _draw_legend(self, ax: Any) -> None:
        from matplotlib.lines import Line2D

        handles = [bars[0] for bars in self.bars_]
        labels = [
            legend_text(method) + ("" if value is None else f"  {100 * value:.2f}")
            for method, value in zip(self.methods, self.together, strict=True)
        ]
        if any(value is not None for value in self.together):
            line = {"color": _GREY, "linewidth": 0.8} if self._lines_are_drawn else {"linestyle": "none"}
            handles.append(Line2D([], [], **line))
            what = "line, number above" if self._lines_are_drawn else "number above"
            labels.append(f"{what}:\nall clips together, per cent")
        ax.legend(handles, labels, **BESIDE)

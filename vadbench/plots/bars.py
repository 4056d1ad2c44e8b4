"""Display of several methods side by side: a group of bars a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from vadbench.errors import UsageError, quoted
from vadbench.plots.bar_rows import bar_places, draw_per_cent_axis, even_rows
from vadbench.plots.canvas import require_matplotlib
from vadbench.plots.comparable import check_comparable, check_told_apart, protocol_title, shown_titles
from vadbench.plots.curves import check_named
from vadbench.plots.legend_table import BELOW_INCHES, BESIDE, MOST_BESIDE, LegendRow, draw_legend_table, table_height
from vadbench.plots.line_styles import BAR_STYLES, bar_style
from vadbench.plots.shown_names import legend_text

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report

_BAR_SHARE = 0.82
"""Part of a group's place that its bars take."""

_ROOM_FOR_NUMBERS = 118
_MOST_BARS = 40
"""Bars of a row whose numbers have room above them."""

_PUBLISHED: dict[str, Any] = {"color": "black", "linewidth": 1.6}


@dataclass
class GroupedBarsDisplay:
    """Methods and metrics; made by `from_reports`, drawn by `plot`.

    Parameters
    ----------
    methods : tuple of str
        As in the legend.
    titles : mapping from metric to title
        In the order of tables.
    scores : mapping from metric to tuple of float or None
        Fractions in [0, 1], one a method; None where its report has none.
    title : str
        Data set and protocol.
    published : mapping from method to mapping from metric to text
        Scores of the same method as somebody has printed them, in per cent; drawn as a line across the bar.
    publisher : str
        Whose they are, for the legend.

    Attributes
    ----------
    figure_, ax_, bars_
        Matplotlib's objects, after `plot`; `bars_` has a container of bars for each method, row by row.

    Examples
    --------
    ::

        display = GroupedBarsDisplay.from_reports({"mine": report, "other": other}).plot()
        display.figure_.savefig("bars.png")
    """

    methods: tuple[str, ...]
    titles: dict[str, str]
    scores: dict[str, tuple[float | None, ...]]
    title: str
    published: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    publisher: str = ""
    figure_: Any = field(default=None, init=False, repr=False, compare=False)
    ax_: Any = field(default=None, init=False, repr=False, compare=False)
    bars_: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def from_reports(
        cls,
        reports: Mapping[str, Report],
        *,
        metrics: Sequence[str] = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "rbdc", "tbdc"),
        published: Mapping[str, Mapping[str, str]] | None = None,
        publisher: str = "as published",
    ) -> Self:
        """Display of several reports, by their names in the legend.

        Parameters
        ----------
        reports : mapping from name to Report
        metrics : sequence of str
            Keys of metrics; those that no report has a value of are left out.
        published : mapping from name to mapping from metric to text, optional
            Printed scores in per cent, such as ``"41.72"``.
        publisher : str
            Whose they are.

        Raises
        ------
        UsageError
            U120 for an unknown metric, U156 if the reports are not comparable, U158 if they have no names, U159 if
            there is nothing to draw, U162 if something is published of a method that is not there, U295 for more
            methods than bars can tell apart.
        """
        check_named(reports)
        check_comparable(reports)
        check_told_apart(reports, BAR_STYLES)
        printed = dict(published or {})
        if strangers := [name for name in printed if name not in reports]:
            raise UsageError(
                "U162",
                "published scores go with methods that are drawn",
                expected=", ".join(map(quoted, reports)),
                got=", ".join(map(quoted, strangers)),
            )
        titles = shown_titles(reports, metrics)
        scores = {key: tuple(report.value(key) for report in reports.values()) for key in titles}
        return cls(tuple(reports), titles, scores, protocol_title(reports), printed, publisher)

    @property
    def _rows(self) -> list[list[str]]:
        """Keys of the metrics of each row, so that numbers above bars do not run into each other."""
        keys, most = list(self.titles), max(1, _MOST_BARS // len(self.methods))
        return [keys[row.start : row.stop] for row in even_rows(len(keys), most)]

    @property
    def panels(self) -> tuple[float, ...]:
        """Heights of the rows in inches, for `write_displays`; of few methods there is one.

        Of more than six methods the last panel is the legend, a table.
        """
        rows = (2.9,) * len(self._rows)
        return (*rows, table_height(len(self._legend_rows), BELOW_INCHES, 0)) if self._legend_is_below else rows

    def plot_on(self, axes: Sequence[Any]) -> Self:
        """Draw on one axes a row, and the legend of many methods on the last; for `write_displays`."""
        self.ax_, self.figure_, self.bars_ = axes[0], axes[0].figure, []
        for ax, keys in zip(axes, self._rows, strict=False):
            self._plot_row(ax, keys, {})
        axes[0].set_title(self.title, parse_math=False)
        if self._legend_is_below:
            draw_legend_table(axes[-1], self._legend_rows, (), width=BELOW_INCHES)
        else:
            self._draw_legend(axes[0])
        return self

    def plot(self, ax: Any = None, **bar_options: Any) -> Self:
        """Draw the bars with their numbers, the published scores, and the legend.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            A new figure, unknown to pyplot, if absent.
        **bar_options
            For every bar, such as ``linewidth``; they go to ``Axes.bar``.

        Returns
        -------
        GroupedBarsDisplay
            Itself, with `ax_`, `figure_` and `bars_` set.

        Raises
        ------
        UsageError
            U153 if matplotlib is not installed.

        Notes
        -----
        Where a method has no value there is a dash in the place of its bar.
        """
        require_matplotlib()
        if ax is None:
            from matplotlib.figure import Figure

            height = max(3.2, 0.17 * (len(self.methods) + 3))
            ax = Figure(figsize=(8.0, height), layout="constrained").subplots()
        self.ax_, self.figure_, self.bars_ = ax, ax.figure, []
        self._plot_row(ax, list(self.titles), bar_options)
        ax.set_title(self.title, parse_math=False)
        self._draw_legend(ax)
        return self

    @property
    def _legend_is_below(self) -> bool:
        return len(self.methods) > MOST_BESIDE

    @property
    def _legend_rows(self) -> list[LegendRow]:
        rows = [LegendRow(method, bar_style(number), is_bar=True) for number, method in enumerate(self.methods)]
        return [*rows, LegendRow(self.publisher, _PUBLISHED)] if self.published else rows

    def _plot_row(self, ax: Any, keys: Sequence[str], options: Mapping[str, Any]) -> None:
        width = _BAR_SHARE / len(self.methods)
        for number, method in enumerate(self.methods):
            style = {**bar_style(number), "label": legend_text(method), **options}
            places = bar_places(number, len(self.methods), len(keys), width)
            self.bars_.append(ax.bar(places, [self._height(key, number) for key in keys], 0.94 * width, **style))
            for key, place in zip(keys, places, strict=True):
                self._write_number(ax, key, number, place)
                self._draw_published(ax, key, method, (place, width))
        ax.set_xticks(range(len(keys)), [self.titles[key] for key in keys])
        ax.set_xlim(-0.55, len(keys) - 0.45)
        draw_per_cent_axis(ax, "score (per cent)", _ROOM_FOR_NUMBERS)

    def _draw_legend(self, ax: Any) -> None:
        handles, labels = ax.get_legend_handles_labels()
        if self.published:
            from matplotlib.lines import Line2D

            handles.append(Line2D([], [], **_PUBLISHED))
            labels.append(legend_text(self.publisher))
        ax.legend(handles, labels, **BESIDE)

    def _height(self, key: str, number: int) -> float:
        score = self.scores[key][number]
        return 0.0 if score is None else 100.0 * score

    def _write_number(self, ax: Any, key: str, number: int, place: float) -> None:
        score = self.scores[key][number]
        # Above the published line too, which would run through the number otherwise.
        top = max(self._height(key, number), float(self.published.get(self.methods[number], {}).get(key, 0.0)))
        text = "–" if score is None else f"{100 * score:.1f}"
        ax.text(place, top + 1.5, text, rotation=90, ha="center", va="bottom", fontsize=6.5, color="#333333")

    def _draw_published(self, ax: Any, key: str, method: str, bar: tuple[float, float]) -> None:
        printed = self.published.get(method, {}).get(key)
        if printed is None:
            return
        (place, width), height = bar, float(printed)
        for colour, line_width in (("white", 3.0), ("black", 1.6)):
            ends = [place - width / 2, place + width / 2]
            ax.plot(ends, [height, height], color=colour, linewidth=line_width, solid_capstyle="butt")

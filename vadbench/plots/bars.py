"""Display of several methods side by side: a group of bars a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from vadbench.errors import UsageError, quoted
from vadbench.plots.canvas import require_matplotlib
from vadbench.plots.comparable import check_comparable, protocol_title, shown_titles
from vadbench.plots.curves import COLOURS, check_named

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report

HATCHES = ("", "////", "....", r"\\\\", "xx", "--", "oo")
"""Patterns go along with the colours, so that a print in grey can be read too."""

_BAR_SHARE = 0.82
"""Part of a group's place that its bars take."""

_ROOM_FOR_NUMBERS = 118


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
        Matplotlib's objects, after `plot`; `bars_` has a container of bars for each method.

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
            there is nothing to draw, U162 if something is published of a method that is not there.
        """
        check_named(reports)
        check_comparable(reports)
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
    def panels(self) -> tuple[float, ...]:
        """Height of the panel in inches, for `write_displays`."""
        return (2.9,)

    def plot_on(self, axes: Sequence[Any]) -> Self:
        """Draw on the one axes; for `write_displays`."""
        return self.plot(axes[0])

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

            ax = Figure(figsize=(8.0, 3.2), layout="constrained").subplots()
        self.ax_, self.figure_, self.bars_ = ax, ax.figure, []
        width = _BAR_SHARE / len(self.methods)
        for number, method in enumerate(self.methods):
            shift = (number - (len(self.methods) - 1) / 2) * width
            style = {
                "color": COLOURS[number % len(COLOURS)],
                "hatch": HATCHES[number % len(HATCHES)],
                "edgecolor": "white",
                "linewidth": 0.0,
                "label": method.replace("$", r"\$"),
                **bar_options,
            }
            places = [group + shift for group in range(len(self.titles))]
            self.bars_.append(ax.bar(places, [self._height(key, number) for key in self.titles], 0.94 * width, **style))
            for key, place in zip(self.titles, places, strict=True):
                self._write_number(ax, key, number, place)
                self._draw_published(ax, key, method, (place, width))
        ax.set_xticks(range(len(self.titles)), list(self.titles.values()))
        ax.tick_params(axis="x", length=0)
        ax.set_xlim(-0.55, len(self.titles) - 0.45)
        ax.set_ylim(0, _ROOM_FOR_NUMBERS)
        ax.set_yticks(range(0, 101, 20))
        ax.set_ylabel("score (per cent)")
        ax.set_title(self.title, parse_math=False)
        ax.grid(axis="y", color="#dddddd", linewidth=0.5)
        ax.set_axisbelow(True)
        handles, labels = ax.get_legend_handles_labels()
        if self.published:
            from matplotlib.lines import Line2D

            handles.append(Line2D([], [], color="black", linewidth=1.6))
            labels.append(self.publisher.replace("$", r"\$"))
        ax.legend(
            handles,
            labels,
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            borderaxespad=0.0,
            fontsize="small",
            frameon=False,
        )
        return self

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

"""Display of metrics over a parameter: one line a metric, one report a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from vadbench.errors import UsageError, quoted
from vadbench.plots.canvas import require_matplotlib
from vadbench.plots.comparable import check_comparable, protocol_title, shown_titles
from vadbench.plots.curves import check_named
from vadbench.plots.legend_table import BESIDE
from vadbench.plots.line_styles import MARKERS, line_style
from vadbench.plots.shown_names import legend_text, plain_text

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report

_CHOSEN_GREY = "#555555"


@dataclass
class SensitivityDisplay:
    """Metrics over a parameter; made by `from_reports`, drawn by `plot`.

    Parameters
    ----------
    parameter : str
        What the parameter is called, with its unit if it has one; label of the axis.
    values : tuple of float, or of str
        Of the parameter: numbers ascending, names in the order given.
    titles : mapping from metric to title
        In the order of tables.
    scores : mapping from metric to tuple of float or None
        Fractions in [0, 1], one a value; None where a report has none.
    title : str
        Data set and protocol.
    chosen : float or str, optional
        The value that was chosen; it is marked, and the legend gives the scores there.

    Attributes
    ----------
    figure_, ax_, lines_
        Matplotlib's objects, after `plot`.

    Examples
    --------
    ::

        display = SensitivityDisplay.from_reports({1.0: a, 1.5: b}, parameter="threshold τ", chosen=1.5).plot()
        display.figure_.savefig("tau.png")
    """

    parameter: str
    values: tuple[float, ...] | tuple[str, ...]
    titles: dict[str, str]
    scores: dict[str, tuple[float | None, ...]]
    title: str
    chosen: float | str | None = None
    figure_: Any = field(default=None, init=False, repr=False, compare=False)
    ax_: Any = field(default=None, init=False, repr=False, compare=False)
    lines_: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def from_reports(
        cls,
        reports: Mapping[float, Report] | Mapping[str, Report],
        *,
        parameter: str,
        metrics: Sequence[str] = ("pixel_auroc", "pixel_ap", "rbdc", "tbdc"),
        chosen: float | str | None = None,
    ) -> Self:
        """Display of several reports, by the value of the parameter.

        Parameters
        ----------
        reports : mapping from the value to Report
            Values are numbers, shown to scale, or all of them names.
        parameter : str
        metrics : sequence of str
            Keys of metrics; those that no report has a value of are left out.
        chosen : float or str, optional
            One of the values.

        Raises
        ------
        UsageError
            U120 for an unknown metric, U156 if the reports are not comparable, U158 if there are none, U159 if there
            is nothing to draw, U161 if values are of several kinds or the chosen one is none of them.
        """
        by_value: Mapping[Any, Report] = reports
        check_named(by_value)
        check_comparable(by_value)
        values = _ordered(list(by_value), chosen)
        titles = shown_titles(by_value, metrics)
        scores = {key: tuple(by_value[value].value(key) for value in values) for key in titles}
        return cls(parameter, values, titles, scores, protocol_title(by_value), chosen)

    @property
    def panels(self) -> tuple[float, ...]:
        """Height of the panel in inches, for `write_displays`."""
        return (2.9,)

    def plot_on(self, axes: Sequence[Any]) -> Self:
        """Draw on the one axes; for `write_displays`."""
        return self.plot(axes[0])

    def plot(self, ax: Any = None, **line_options: Any) -> Self:
        """Draw a line for each metric, with legend, and the chosen value.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            A new figure, unknown to pyplot, if absent.
        **line_options
            For every line, such as ``linewidth``; they go to ``Axes.plot``.

        Returns
        -------
        SensitivityDisplay
            Itself, with `ax_`, `figure_` and `lines_` set.

        Raises
        ------
        UsageError
            U153 if matplotlib is not installed.
        """
        require_matplotlib()
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(7.0, 3.2), layout="constrained").subplots()
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, []
        named = isinstance(self.values[0], str)
        places = list(range(len(self.values))) if named else list(self.values)
        for number, key in enumerate(self.titles):
            heights = [np.nan if score is None else 100.0 * score for score in self.scores[key]]
            style = {
                **line_style(number),
                "marker": MARKERS[number % len(MARKERS)],
                "markersize": 4.5,
                "linewidth": 1.5,
                "label": self._label(key),
                **line_options,
            }
            self.lines_ += ax.plot(places, heights, **style)
        if self.chosen is not None:
            place = places[list(self.values).index(self.chosen)]
            label = f"chosen: {_texts([self.chosen])[0]}"
            ax.axvline(place, color=_CHOSEN_GREY, linewidth=0.9, linestyle=(0, (2, 2)), label=label, zorder=0)
        ax.set_xticks(places, _texts(self.values))
        ax.set_ylim(-2, 102)
        ax.set_xlabel(plain_text(self.parameter, 80), parse_math=False)
        ax.set_ylabel("score (per cent)")
        ax.set_title(self.title, parse_math=False)
        ax.grid(color="#dddddd", linewidth=0.5)
        ax.set_axisbelow(True)
        heading = None if self.chosen is None else "per cent at the chosen value"
        # Beside the panel: inside, some line always runs through it.
        legend = ax.legend(handlelength=4.5, title=heading, **BESIDE)
        legend.get_title().set_fontsize("small")
        return self

    def _label(self, key: str) -> str:
        if self.chosen is None:
            return self.titles[key]
        score = self.scores[key][list(self.values).index(self.chosen)]
        return f"{self.titles[key]}  {'–' if score is None else f'{100 * score:.2f}'}"


def _ordered(values: list[Any], chosen: float | str | None) -> tuple[Any, ...]:
    words = [value for value in values if isinstance(value, str)]
    if words and len(words) < len(values):
        raise UsageError(
            "U161",
            "a parameter has numbers or names, not both",
            got=", ".join(map(quoted, values)),
            hint="draw them as two pictures",
        )
    if chosen is not None and chosen not in values:
        raise UsageError(
            "U161",
            "the chosen value of a parameter is none of those that were tried",
            expected=", ".join(map(quoted, values)),
            got=quoted(chosen),
        )
    return tuple(values) if words else tuple(sorted(values))


def _texts(values: Sequence[float | str]) -> list[str]:
    """Values as they stand at the axis: numbers all with as many decimals as one of them needs."""
    texts = [legend_text(value, 24) if isinstance(value, str) else f"{value:.6g}" for value in values]
    decimals = max(len(text.partition(".")[2]) for text in texts)
    if any(isinstance(value, str) for value in values) or any("e" in text for text in texts):
        return texts
    return [f"{value:.{decimals}f}" for value in values]

"""Display of scores with their intervals: one row a method, highest first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeAlias

from vadbench.errors import UsageError, quoted
from vadbench.plots.canvas import require_matplotlib
from vadbench.plots.shown_names import distinct_names

_CLIPS_COLOUR = "#0072B2"
_SCENES_COLOUR = "#E69F00"
_ROW_INCHES = 0.24
_GREY = "#444444"
_LONGEST_NAME = 28
_VALUE_AT, _RANK_AT = 34, 58
"""Points to the right of the panel."""


class Bounds(Protocol):
    """An interval, such as `vadbench.comparison.Interval`."""

    @property
    def low(self) -> float:
        """Lower end, a fraction."""
        ...

    @property
    def high(self) -> float:
        """Upper end, a fraction."""
        ...


Ends: TypeAlias = Bounds | Sequence[float] | None


@dataclass(frozen=True)
class IntervalRow:
    """One method's value with what is known of how sure it is.

    Parameters
    ----------
    name : str
    value : float
        A fraction.
    clips, scenes : (low, high) or None
        Intervals from resampling clips, and scenes.
    ranks : (best, worst) or None
    """

    name: str
    value: float
    clips: tuple[float, float] | None = None
    scenes: tuple[float, float] | None = None
    ranks: tuple[int, int] | None = None


@dataclass
class IntervalDisplay:
    """Values, intervals and rank ranges; made by `from_values`, drawn by `plot`.

    Parameters
    ----------
    rows : tuple of IntervalRow
        Highest value first.
    metric : str
        Title of the metric.
    title : str
        Such as data set and protocol.
    note : str
        How the intervals were made: confidence, resamples, seed.
    missing : tuple of str
        Methods without a value, which have no row.

    Attributes
    ----------
    figure_, ax_, points_, clip_lines_, scene_lines_
        Matplotlib's objects, after `plot`.

    Examples
    --------
    ::

        display = IntervalDisplay.from_values(
            {"mine": 0.83, "other": 0.79},
            clips={"mine": (0.78, 0.87), "other": (0.70, 0.85)},
            metric="Pixel-AUROC",
            title="ucsd-ped2 · standard",
        ).plot()
        display.figure_.savefig("intervals.png")
    """

    rows: tuple[IntervalRow, ...]
    metric: str
    title: str = ""
    note: str = ""
    missing: tuple[str, ...] = ()
    figure_: Any = field(default=None, init=False, repr=False, compare=False)
    ax_: Any = field(default=None, init=False, repr=False, compare=False)
    points_: Any = field(default=None, init=False, repr=False, compare=False)
    clip_lines_: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)
    scene_lines_: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def from_values(
        cls,
        values: Mapping[str, float | None],
        *,
        metric: str,
        clips: Mapping[str, Ends] | None = None,
        scenes: Mapping[str, Ends] | None = None,
        ranks: Mapping[str, tuple[int, int] | None] | None = None,
        title: str = "",
        note: str = "",
    ) -> Self:
        """Display of values by the name of the method.

        Parameters
        ----------
        values : mapping from name to float or None
            Fractions in [0, 1]; a method with None has no row and is named below.
        metric : str
            Title of the metric.
        clips, scenes : mapping from name to (low, high), or to an interval of `vadbench.comparison`
            Resampled over clips, and over scenes; a method may lack one.
        ranks : mapping from name to (best, worst)
        title, note : str

        Raises
        ------
        UsageError
            U281 if no method has a value, an interval or rank range goes with no method, or the ends of an interval
            are no numbers or the wrong way round.
        """
        of_clips, of_scenes, ranges = dict(clips or {}), dict(scenes or {}), dict(ranks or {})
        if strangers := [name for name in (*of_clips, *of_scenes, *ranges) if name not in values]:
            raise UsageError(
                "U281",
                "intervals and ranks go with methods that have a value",
                expected=", ".join(map(quoted, values)),
                got=", ".join(map(quoted, dict.fromkeys(strangers))),
            )
        rows = [
            IntervalRow(
                name, value, _ends(name, of_clips.get(name)), _ends(name, of_scenes.get(name)), ranges.get(name)
            )
            for name, value in values.items()
            if value is not None and not math.isnan(value)
        ]
        if not rows:
            raise UsageError("U281", f"no method has a value of {metric}", got=f"{len(values)} methods")
        there = {row.name for row in rows}
        # Stable: methods with one value keep the order in which they were given.
        ordered = tuple(sorted(rows, key=lambda row: -row.value))
        return cls(ordered, metric, title, note, tuple(name for name in values if name not in there))

    @property
    def panels(self) -> tuple[float, ...]:
        """Height of the panel in inches, for `write_displays`."""
        lines = self._lines_below.count("\n")
        return (1.3 + _ROW_INCHES * len(self.rows) + 0.16 * lines,)

    @property
    def _lines_below(self) -> str:
        lines = [f"{self.metric} (per cent)", *([self.note] if self.note else [])]
        if self.missing:
            names = distinct_names(self.missing, 30)
            listed = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
            lines.append(f"no value: {listed}")
        return "\n".join(lines)

    def plot_on(self, axes: Sequence[Any]) -> Self:
        """Draw on the one axes; for `write_displays`."""
        return self.plot(axes[0])

    def plot(self, ax: Any = None, **point_options: Any) -> Self:
        """Draw a row for each method: its value as a dot, intervals as lines, rank range and numbers at the right.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            A new figure, unknown to pyplot, if absent.
        **point_options
            For the dots, such as ``markersize``; they go to ``Axes.plot``.

        Returns
        -------
        IntervalDisplay
            Itself, with `ax_`, `figure_` and the lists of lines set.

        Raises
        ------
        UsageError
            U153 if matplotlib is not installed.
        """
        require_matplotlib()
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(8.0, self.panels[0]), layout="constrained").subplots()
        self.ax_, self.figure_ = ax, ax.figure
        self.clip_lines_, self.scene_lines_ = [], []
        for place, row in enumerate(self.rows):
            # Told apart without colours: thin with caps, and thick.
            if row.scenes is not None:
                self.scene_lines_ += ax.plot(
                    [100 * end for end in row.scenes],
                    [place, place],
                    color=_SCENES_COLOUR,
                    linewidth=1.3,
                    marker="|",
                    markersize=9,
                    markeredgewidth=1.3,
                    label="scenes resampled",
                )
            if row.clips is not None:
                self.clip_lines_ += ax.plot(
                    [100 * end for end in row.clips],
                    [place, place],
                    color=_CLIPS_COLOUR,
                    linewidth=4.5,
                    solid_capstyle="butt",
                    label="clips resampled",
                )
        style = {"color": "black", "marker": "o", "markersize": 5.0, "linestyle": "none", **point_options}
        style |= {"markeredgecolor": "white", "markeredgewidth": 0.8, "label": "value", "zorder": 3}
        self.points_ = ax.plot([100 * row.value for row in self.rows], range(len(self.rows)), **style)[0]
        self._write_numbers(ax)
        ax.set_yticks(
            range(len(self.rows)), distinct_names((row.name for row in self.rows), _LONGEST_NAME), parse_math=False
        )
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(len(self.rows) - 0.4, -0.6)
        ax.set_xlabel(self._lines_below, parse_math=False)
        ax.set_title(self.title, parse_math=False)
        ax.grid(axis="both", color="#e4e4e4", linewidth=0.5)
        ax.set_axisbelow(True)
        self._draw_legend(ax)
        return self

    def _write_numbers(self, ax: Any) -> None:
        text: dict[str, Any] = {"fontsize": "small", "va": "center"}
        value_at, rank_at = (_right_of(ax, ax.get_yaxis_transform(), points) for points in (_VALUE_AT, _RANK_AT))
        ax.text(1.0, -0.95, "value", ha="right", color=_GREY, transform=value_at, **text)
        if self._has_ranks:
            ax.text(1.0, -0.95, "rank", ha="center", color=_GREY, transform=rank_at, **text)
        for place, row in enumerate(self.rows):
            ax.text(1.0, place, f"{100 * row.value:.2f}", ha="right", transform=value_at, **text)
            if row.ranks is not None:
                best, worst = row.ranks
                range_text = f"{best}" if best == worst else f"{best} – {worst}"
                ax.text(1.0, place, range_text, ha="center", transform=rank_at, **text)

    @property
    def _has_ranks(self) -> bool:
        return any(row.ranks is not None for row in self.rows)

    def _draw_legend(self, ax: Any) -> None:
        handles = [own[0] for own in ([self.points_], self.clip_lines_, self.scene_lines_) if own]
        ax.legend(
            handles,
            [handle.get_label() for handle in handles],
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            bbox_transform=_right_of(ax, ax.transAxes, _RANK_AT + 22 if self._has_ranks else _VALUE_AT + 8),
            borderaxespad=0.0,
            fontsize="small",
            frameon=False,
        )


def _right_of(ax: Any, transform: Any, points: float) -> Any:
    """A transform moved to the right by so many points, however wide the panel is."""
    from matplotlib.transforms import offset_copy

    return offset_copy(transform, fig=ax.figure, x=points, units="points")


def _ends(name: str, given: Ends) -> tuple[float, float] | None:
    """Ends of an interval in whatever form it comes; None for one that has none."""
    if given is None:
        return None
    low, high = (given[0], given[1]) if isinstance(given, Sequence) else (given.low, given.high)
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise UsageError(
            "U281",
            "the ends of an interval are no numbers, or the wrong way round",
            where=quoted(name),
            expected="low ≤ high",
            got=f"{low}, {high}",
        )
    return float(low), float(high)

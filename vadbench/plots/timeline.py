"""Display of one clip over time: Pixel-F1 and score of every frame for several methods, over the truth.

Source: TAO, figure 3.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import UsageError, quoted
from vadbench.plots.canvas import require_matplotlib
from vadbench.plots.clip_timeline import Timeline
from vadbench.plots.comparable import check_comparable, check_told_apart
from vadbench.plots.curves import check_named
from vadbench.plots.legend_table import BELOW_INCHES, BESIDE, MOST_BESIDE, LegendRow, draw_legend_table, table_height
from vadbench.plots.line_styles import LINE_STYLES, marked_line_style
from vadbench.plots.shown_names import plain_text
from vadbench.plots.timeline_predictions import timeline_of_predictions
from vadbench.plots.timeline_statistics import (
    RANK_LABEL,
    anomalous_frames,
    check_belongs,
    check_over_time,
    clip_place,
    timeline_of_statistics,
)
from vadbench.protocol.titles import metric_titles

if TYPE_CHECKING:
    from vadbench.datasets.base import Dataset
    from vadbench.evaluation.report import Report
    from vadbench.evaluation.report_statistics import ReportStatistics
    from vadbench.plots.timeline_predictions import Predictions

_TRUTH_BAND = "#d9d9d9"
_GREY = "#444444"
_MOST_REMARKS = 5
_MEAN = "mean of the anomalous frames, per cent"


@dataclass
class TimelineDisplay:
    """One clip over time; made by `from_reports` or `from_statistics`, drawn by `plot`.

    Parameters
    ----------
    title : str
        Data set, clip and protocol.
    metric : str
        Title of Pixel-F1 under the protocol.
    anomalous : (T,) bool
        Frames that the truth calls anomalous.
    timelines : tuple of Timeline
    score_label : str
        What `Timeline.frame_scores` are, with their unit; label of the axis.

    Attributes
    ----------
    figure_, ax_, score_ax_, lines_, score_lines_
        Matplotlib's objects, after `plot`; `score_ax_` is None where frame scores are not drawn.

    Examples
    --------
    ::

        display = TimelineDisplay.from_reports({"mine": report}, {"mine": "out/mine"}, dataset, clip_id="01").plot()
        display.figure_.savefig("timeline-01.png")
    """

    title: str
    metric: str
    anomalous: NDArray[np.bool_]
    timelines: tuple[Timeline, ...]
    score_label: str = "frame score\n(as submitted)"
    figure_: Any = field(default=None, init=False, repr=False, compare=False)
    ax_: Any = field(default=None, init=False, repr=False, compare=False)
    score_ax_: Any = field(default=None, init=False, repr=False, compare=False)
    lines_: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)
    score_lines_: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def from_reports(
        cls, reports: Mapping[str, Report], predictions: Mapping[str, Predictions], dataset: Dataset, *, clip_id: str
    ) -> Self:
        """Display of a clip, from what was predicted of it and the reports, which say how F1 is taken.

        Parameters
        ----------
        reports : mapping from name to Report
            Of one data set under one protocol. Where the protocol takes the best F1 of all clips, its threshold is
            that of the report.
        predictions : mapping from name to Submission, its path, or mapping from clip id to Prediction
            What the reports were made of, by the same names.
        dataset : Dataset
            Its truth is read; frames are not.
        clip_id : str

        Raises
        ------
        UsageError
            U110 for an unknown clip, U156 if the reports are not comparable, U158 if they have no names, U164 if the
            predictions have other names, or were not made for this data set, U165 if a report has no Pixel-F1 to take
            the threshold from, U295 for more methods than lines can tell apart.
        DataError
            D306 if the clip has no pixel masks.
        """
        check_named(reports)
        check_comparable(reports)
        check_told_apart(reports, LINE_STYLES)
        _check_names(reports, predictions, dataset)
        clip, truth = dataset.clip(clip_id), dataset.truth(clip_id)
        if truth.mask_runs is None:
            # Raises: without masks there is nothing to count.
            truth.masks()
        timelines = tuple(
            timeline_of_predictions(name, report, predictions[name], dataset, clip) for name, report in reports.items()
        )
        protocol = next(iter(reports.values())).parsed_signature.protocol
        labels = truth.labels
        if labels is None and truth.mask_runs is not None:
            labels = truth.mask_runs.anomalous_frames()
        anomalous = np.zeros(truth.frames, dtype=bool) if labels is None else labels
        title = f"{dataset.id} · clip {clip_id} · {protocol}"
        return cls(title, metric_titles(protocol)["pixel_f1"], anomalous, timelines)

    @classmethod
    def from_statistics(cls, named: Mapping[str, tuple[Report, ReportStatistics]], *, clip_id: str) -> Self:
        """Display of a clip from the statistics beside reports; neither predictions nor data set are needed.

        Parameters
        ----------
        named : mapping from name to (Report, ReportStatistics)
            Of one data set under one protocol.
        clip_id : str

        Raises
        ------
        UsageError
            U110 for an unknown clip, U156 if the reports are not comparable, U158 if they have no names, U282 if
            statistics belong to another report than the one beside them, or differ in the clip's length, U283 if they
            hold nothing over time, U295 for more methods than lines can tell apart.

        Notes
        -----
        Frame scores are ranks there: the axis has the share of the frames of all clips that score lower, so that
        methods with different scales of scores can be compared.
        """
        reports = {name: report for name, (report, _) in named.items()} if isinstance(named, Mapping) else named
        check_named(reports)
        check_comparable(reports)
        check_told_apart(reports, LINE_STYLES)
        for name, (report, statistics) in named.items():
            check_belongs(name, report, statistics)
        places = {name: clip_place(statistics, clip_id) for name, (_, statistics) in named.items()}
        timelines = tuple(
            timeline_of_statistics(name, statistics, places[name]) for name, (_, statistics) in named.items()
        )
        check_over_time(timelines, clip_id)
        known = [anomalous_frames(statistics, places[name]) for name, (_, statistics) in named.items()]
        anomalous = next((own for own in known if own is not None), None)
        if anomalous is None:
            anomalous = np.zeros(len(timelines[0].pixel_f1), dtype=np.bool_)
        first = next(iter(reports.values()))
        protocol = first.parsed_signature.protocol
        title = f"{first.dataset.id} · clip {clip_id} · {protocol}"
        return cls(title, metric_titles(protocol)["pixel_f1"], anomalous, timelines, RANK_LABEL)

    @property
    def panels(self) -> tuple[float, ...]:
        """Heights of the panels in inches, for `write_displays`: Pixel-F1, and frame scores where there are some.

        Of more than six methods the last one is the legend, a table.
        """
        if not self._legend_is_below:
            return (2.5, 1.7) if self._has_frame_scores else (2.5,)
        # Higher by the lines of remarks, which stand below here.
        lines = (3.2, 2.2) if self._has_frame_scores else (3.2,)
        below = 0.14 * len(self._notes(with_scores=self._has_frame_scores))
        return (*lines[:-1], lines[-1] + below, table_height(len(self._legend_rows), BELOW_INCHES, 1))

    @property
    def _legend_is_below(self) -> bool:
        return len(self.timelines) > MOST_BESIDE

    @property
    def _legend_rows(self) -> list[LegendRow]:
        rows = [
            LegendRow(own.name, marked_line_style(number), ("–" if own.mean is None else f"{100 * own.mean:.2f}",))
            for number, own in enumerate(self.timelines)
        ]
        truth = LegendRow("truth: anomalous", {"color": _TRUTH_BAND}, ("",), is_bar=True)
        return [*rows, truth] if self.anomalous.any() else rows

    @property
    def _has_frame_scores(self) -> bool:
        return any(own.frame_scores is not None for own in self.timelines)

    def plot_on(self, axes: Sequence[Any]) -> Self:
        """Draw on one axes or two, and the legend of many methods on the last; for `write_displays`."""
        return self._draw(axes, {})

    def plot(self, ax: Any = None, score_ax: Any = None, **line_options: Any) -> Self:
        """Draw Pixel-F1 over time, frame scores under it, and the truth as a band behind both.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            For Pixel-F1. A new figure with both panels, unknown to pyplot, if absent.
        score_ax : matplotlib.axes.Axes, optional
            For frame scores, which are left out where `ax` is given without it.
        **line_options
            For every line, such as ``linewidth``; they go to ``Axes.plot``.

        Returns
        -------
        TimelineDisplay
            Itself, with `ax_`, `score_ax_`, `figure_`, `lines_` and `score_lines_` set.

        Raises
        ------
        UsageError
            U153 if matplotlib is not installed.

        Notes
        -----
        Lines are broken where there is no value: Pixel-F1 in frames without an anomalous pixel, frame scores in
        frames without an instance.
        """
        require_matplotlib()
        if ax is None:
            from matplotlib.figure import Figure

            figure = Figure(figsize=(8.0, sum(self.panels)), layout="constrained")
            axes = figure.subplots(len(self.panels), 1, squeeze=False, height_ratios=self.panels).ravel()
            return self._draw(list(axes), line_options)
        self._plot_lines(ax, score_ax, line_options)
        self._explain_beside(ax, score_ax)
        return self

    def _draw(self, axes: Sequence[Any], line_options: Mapping[str, Any]) -> Self:
        """Draw on the axes that `panels` says."""
        score_ax = axes[1] if self._has_frame_scores else None
        self._plot_lines(axes[0], score_ax, line_options)
        if not self._legend_is_below:
            self._explain_beside(axes[0], score_ax)
            return self
        draw_legend_table(axes[-1], self._legend_rows, (_MEAN,), width=BELOW_INCHES)
        lowest = axes[-2]
        lines = [lowest.get_xlabel(), *self._notes(with_scores=self._has_frame_scores)]
        lowest.set_xlabel("\n".join(plain_text(line, 110) for line in lines), parse_math=False)
        return self

    def _plot_lines(self, ax: Any, score_ax: Any, line_options: Mapping[str, Any]) -> None:
        self.ax_, self.score_ax_, self.figure_ = ax, score_ax, ax.figure
        self.lines_, self.score_lines_ = [], []
        for number, own in enumerate(self.timelines):
            style = {**marked_line_style(number), "linewidth": 1.4, "label": own.label, **line_options}
            self.lines_ += _broken_line(ax, 100.0 * own.pixel_f1, style)
            if score_ax is not None and own.frame_scores is not None:
                scores = np.where(np.isfinite(own.frame_scores), own.frame_scores, np.nan)
                self.score_lines_ += _broken_line(score_ax, scores, style)
        ax.set_ylim(-3, 103)
        ax.set_ylabel(f"{self.metric} of the frame\n(per cent)")
        ax.set_title(plain_text(self.title, 90), parse_math=False)
        self._finish(ax)
        lowest = score_ax if score_ax is not None else ax
        if score_ax is not None:
            score_ax.set_ylabel(self.score_label)
            if self.score_label == RANK_LABEL:
                score_ax.set_ylim(-3, 103)
            self._finish(score_ax)
        lowest.set_xlabel("frame (0-based)")
        self._explain_empty(ax, score_ax)

    def _finish(self, ax: Any) -> None:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], self.anomalous, [False]])))
        for number, (begin, end) in enumerate(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)):
            label = {"label": "truth: anomalous"} if number == 0 else {}
            # A frame reaches half a frame to both sides of its number.
            ax.axvspan(begin - 0.5, end - 0.5, color=_TRUTH_BAND, linewidth=0, zorder=0, **label)
        ax.set_xlim(-0.5, len(self.anomalous) - 0.5)
        ax.xaxis.get_major_locator().set_params(integer=True)

    @property
    def _known_scores(self) -> list[NDArray[np.float64]]:
        return [own.frame_scores for own in self.timelines if own.frame_scores is not None]

    def _explain_empty(self, ax: Any, score_ax: Any) -> None:
        """Say why a panel is empty."""
        if not any(np.isfinite(own.pixel_f1).any() for own in self.timelines):
            reasons = dict.fromkeys(own.no_pixel_f1 for own in self.timelines)
            _write_in_the_middle(ax, "; ".join(filter(None, reasons)) or "no frame of this clip has an anomalous pixel")
        if score_ax is not None and not any(np.isfinite(own).any() for own in self._known_scores):
            _write_in_the_middle(score_ax, "nothing is predicted in this clip")

    def _notes(self, *, with_scores: bool) -> list[str]:
        """Say why a line is broken or not there."""
        notes = [remark for own in self.timelines for remark in own.remarks]
        finite = [np.isfinite(own) for own in self._known_scores]
        if with_scores and any(own.any() for own in finite) and not all(own.all() for own in finite):
            notes.insert(0, "no line: nothing is predicted in the frame")
        if len(notes) > _MOST_REMARKS:
            notes[_MOST_REMARKS:] = [f"and {len(notes) - _MOST_REMARKS} more such remarks"]
        return notes

    def _explain_beside(self, ax: Any, score_ax: Any) -> None:
        """Draw the legend beside the panel, and under it what the lines would leave to guess."""
        legend = ax.legend(
            handlelength=2.8,
            title=textwrap.fill(_MEAN, 30) if any(own.mean is not None for own in self.timelines) else None,
            **BESIDE,
        )
        legend.get_title().set_fontsize("small")
        notes = self._notes(with_scores=score_ax is not None)
        if not notes:
            return
        text = "\n".join(textwrap.fill(note, 34, subsequent_indent="  ") for note in notes)
        # Under the legend, where there is a panel beside which it does not stand.
        place, lowest, style = (1.0, score_ax, "top") if score_ax is not None else (0.0, ax, "bottom")
        lowest.text(
            1.01, place, text, transform=lowest.transAxes, fontsize="small", color=_GREY, va=style, parse_math=False
        )


def _write_in_the_middle(ax: Any, text: str) -> None:
    shown = textwrap.fill(text, 70)
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 4.0}
    ax.text(0.5, 0.5, shown, transform=ax.transAxes, ha="center", va="center", color=_GREY, bbox=box, parse_math=False)


def _broken_line(ax: Any, values: NDArray[np.float64], style: Mapping[str, Any]) -> list[Any]:
    """A line over the frames; a frame between two without a value is a dot, which a line would not show."""
    lines: list[Any] = ax.plot(np.arange(len(values)), values, **style)
    there = np.concatenate([[False], np.isfinite(values), [False]])
    alone = np.flatnonzero(there[1:-1] & ~there[:-2] & ~there[2:])
    dots = {key: style[key] for key in style.keys() & {"color", "linewidth", "alpha", "zorder"}}
    if alone.size:
        ax.plot(alone, values[alone], marker=".", linestyle="none", **dots)
    return lines


def _check_names(reports: Mapping[str, Report], predictions: Mapping[str, Predictions], dataset: Dataset) -> None:
    if set(reports) != set(predictions):
        raise UsageError(
            "U164",
            "reports and predictions go together by name",
            expected=", ".join(map(quoted, reports)),
            got=", ".join(map(quoted, predictions)),
        )
    own = next(iter(reports.values())).dataset.id
    if own != dataset.id:
        raise UsageError("U164", "the reports are of another data set", expected=own, got=dataset.id)

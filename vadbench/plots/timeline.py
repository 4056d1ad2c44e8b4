"""Display of one clip over time: Pixel-F1 and score of every frame for several methods, over the truth.

Source: TAO, figure 3.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import UsageError, quoted
from vadbench.evaluation.collectors import InstanceMaps
from vadbench.evaluation.predictions import MemoryPredictions, StoredPredictions
from vadbench.evaluation.sources import NotAvailable, Source, choose_sources
from vadbench.plots.canvas import require_matplotlib
from vadbench.plots.comparable import check_comparable
from vadbench.plots.curves import COLOURS, DASHES, check_named
from vadbench.plots.frame_f1 import frame_pixel_f1
from vadbench.prediction import Prediction
from vadbench.protocol.protocol import Protocol, SilentFrames
from vadbench.protocol.titles import metric_titles
from vadbench.statistics.frames import highest_by_frame

if TYPE_CHECKING:
    from vadbench.datasets.base import Clip, Dataset
    from vadbench.evaluation.predictions import PredictionSource
    from vadbench.evaluation.report import Report
    from vadbench.submission import Submission

    Predictions: TypeAlias = Submission | Mapping[str, Prediction] | str | os.PathLike[str]

_TRUTH_BAND = "#d9d9d9"


@dataclass(frozen=True)
class Timeline:
    """What one method says of the frames of a clip.

    Parameters
    ----------
    name : str
        As in the legend.
    pixel_f1 : (T,) float64
        Fractions in [0, 1]; NaN for a frame without an anomalous pixel.
    frame_scores : (T,) float64, or None
        Higher is more anomalous; −∞ for a frame without an instance. None where the method has no frame scores.
    """

    name: str
    pixel_f1: NDArray[np.float64]
    frame_scores: NDArray[np.float64] | None

    @property
    def mean(self) -> float | None:
        """Mean Pixel-F1 of the frames that have one; None without such a frame."""
        there = self.pixel_f1[~np.isnan(self.pixel_f1)]
        return float(there.mean()) if there.size else None

    @property
    def label(self) -> str:
        """Name, and the mean Pixel-F1 of the clip's frames in per cent with two decimals."""
        name = self.name.replace("$", r"\$")
        return name if self.mean is None else f"{name}  {100 * self.mean:.2f}"


@dataclass
class TimelineDisplay:
    """One clip over time; made by `from_reports`, drawn by `plot`.

    Parameters
    ----------
    title : str
        Data set, clip and protocol.
    metric : str
        Title of Pixel-F1 under the protocol.
    anomalous : (T,) bool
        Frames that the truth calls anomalous.
    timelines : tuple of Timeline

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
            the threshold from.
        DataError
            D306 if the clip has no pixel masks.
        """
        check_named(reports)
        check_comparable(reports)
        _check_names(reports, predictions, dataset)
        clip, truth = dataset.clip(clip_id), dataset.truth(clip_id)
        if truth.mask_runs is None:
            # Raises: without masks there is nothing to count.
            truth.masks()
        timelines = tuple(_timeline(name, report, predictions[name], dataset, clip) for name, report in reports.items())
        protocol = next(iter(reports.values())).parsed_signature.protocol
        labels = truth.labels
        if labels is None and truth.mask_runs is not None:
            labels = truth.mask_runs.anomalous_frames()
        anomalous = np.zeros(truth.frames, dtype=bool) if labels is None else labels
        title = f"{dataset.id} · clip {clip_id} · {protocol}"
        return cls(title, metric_titles(protocol)["pixel_f1"], anomalous, timelines)

    @property
    def panels(self) -> tuple[float, ...]:
        """Heights of the panels in inches, for `write_displays`: Pixel-F1, and frame scores where there are some."""
        return (2.5, 1.7) if self._has_frame_scores else (2.5,)

    @property
    def _has_frame_scores(self) -> bool:
        return any(own.frame_scores is not None for own in self.timelines)

    def plot_on(self, axes: Sequence[Any]) -> Self:
        """Draw on one axes or two; for `write_displays`."""
        return self.plot(*axes)

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
            ax, score_ax = axes[0], axes[1] if len(axes) > 1 else None
        self.ax_, self.score_ax_, self.figure_ = ax, score_ax, ax.figure
        self.lines_, self.score_lines_ = [], []
        for number, own in enumerate(self.timelines):
            style = {
                "color": COLOURS[number % len(COLOURS)],
                "linestyle": DASHES[number % len(DASHES)],
                "linewidth": 1.4,
                "label": own.label,
                **line_options,
            }
            self.lines_ += _broken_line(ax, 100.0 * own.pixel_f1, style)
            if score_ax is not None and own.frame_scores is not None:
                scores = np.where(np.isfinite(own.frame_scores), own.frame_scores, np.nan)
                self.score_lines_ += _broken_line(score_ax, scores, style)
        ax.set_ylim(-3, 103)
        ax.set_ylabel(f"{self.metric} of the frame\n(per cent)")
        ax.set_title(self.title, parse_math=False)
        self._finish(ax)
        legend = ax.legend(
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            borderaxespad=0.0,
            fontsize="small",
            handlelength=2.8,
            frameon=False,
            title="mean of the frames, per cent" if any(own.mean is not None for own in self.timelines) else None,
        )
        legend.get_title().set_fontsize("small")
        lowest = score_ax if score_ax is not None else ax
        if score_ax is not None:
            score_ax.set_ylabel("frame score\n(as submitted)")
            self._finish(score_ax)
            self._explain_gaps(score_ax)
        lowest.set_xlabel("frame (0-based)")
        return self

    def _finish(self, ax: Any) -> None:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], self.anomalous, [False]])))
        for number, (begin, end) in enumerate(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)):
            label = {"label": "truth: anomalous"} if number == 0 else {}
            # A frame reaches half a frame to both sides of its number.
            ax.axvspan(begin - 0.5, end - 0.5, color=_TRUTH_BAND, linewidth=0, zorder=0, **label)
        ax.set_xlim(-0.5, len(self.anomalous) - 0.5)
        ax.xaxis.get_major_locator().set_params(integer=True)

    def _explain_gaps(self, ax: Any) -> None:
        scores = [own.frame_scores for own in self.timelines if own.frame_scores is not None]
        if all(np.isfinite(own).all() for own in scores):
            return
        text = "no line: nothing is\npredicted in the frame"
        ax.text(1.01, 1.0, text, transform=ax.transAxes, fontsize="small", color="#444444", ha="left", va="top")


def _broken_line(ax: Any, values: NDArray[np.float64], style: Mapping[str, Any]) -> list[Any]:
    """A line over the frames; a frame between two without a value is a dot, which a line would not show."""
    lines: list[Any] = ax.plot(np.arange(len(values)), values, **style)
    there = np.concatenate([[False], np.isfinite(values), [False]])
    alone = np.flatnonzero(there[1:-1] & ~there[:-2] & ~there[2:])
    dots = {key: value for key, value in style.items() if key not in {"label", "linestyle"}}
    if alone.size:
        ax.plot(alone, values[alone], marker=".", linestyle="none", **dots)
    return lines


def _timeline(name: str, report: Report, predictions: Predictions, dataset: Dataset, clip: Clip) -> Timeline:
    protocol = report.parsed_signature.protocol
    source = _source(predictions, dataset)
    sources = choose_sources(source.kinds, source.threshold, protocol)
    if isinstance(sources.pixel, NotAvailable):
        raise _no_f1(name, sources.pixel.reason)
    threshold, inclusive = _cut(name, report, protocol)
    prediction, runs = source.clip(clip), dataset.truth(clip.id).mask_runs
    maps = prediction.maps
    if sources.pixel is Source.INSTANCES and prediction.instances is not None:
        maps = InstanceMaps(prediction.instances, clip.frames, protocol.instances.scores)
    if maps is None or runs is None:
        raise AssertionError("a chosen source, or the masks that were asked for, are absent")
    values = frame_pixel_f1(
        runs,
        maps,
        threshold,
        scaling=protocol.pixel.map_scaling,
        inclusive=inclusive,
        silent_is_zero=protocol.pixel.silent_frames is SilentFrames.ZERO,
    )
    frames = None if isinstance(sources.frames, NotAvailable) else _frame_scores(prediction, sources.frames, clip)
    return Timeline(name, values, frames)


def _cut(name: str, report: Report, protocol: Protocol) -> tuple[float, bool]:
    """Threshold of Pixel-F1, and whether a score equal to it is flagged."""
    if protocol.pixel.f1.threshold is not None:
        return protocol.pixel.f1.threshold, False
    score = report.scores.get("pixel_f1")
    if score is None or score.threshold is None:
        reason = "it was not asked for" if score is None else score.reason
        raise _no_f1(name, reason or "under this protocol each pool has a threshold of its own")
    return (-math.inf if score.threshold == "all" else score.threshold), True


def _frame_scores(prediction: Prediction, source: Source, clip: Clip) -> NDArray[np.float64]:
    """Score of each frame, as the frame metrics read it (protocols.md, "Which prediction feeds which metric")."""
    if source is Source.FRAME_SCORES and prediction.frame_scores is not None:
        return prediction.frame_scores.astype(np.float64)
    if source is Source.SCORE_MAPS and prediction.maps is not None:
        highest = [block.reshape(len(block), -1).max(axis=1) for _, block in prediction.maps.blocks()]
        return np.concatenate(highest).astype(np.float64)
    rows = prediction.instances if source is Source.INSTANCES else prediction.detections
    if rows is None:
        raise AssertionError("a chosen source is absent from a clip")
    return highest_by_frame(rows.frames, rows.scores, clip.frames).astype(np.float64)


def _source(predictions: Predictions, dataset: Dataset) -> PredictionSource:
    from vadbench.submission import Submission

    if isinstance(predictions, Mapping):
        given: PredictionSource = MemoryPredictions(predictions)
    else:
        given = StoredPredictions(predictions if isinstance(predictions, Submission) else Submission.open(predictions))
    given.check_against(dataset)
    return given


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


def _no_f1(name: str, reason: str) -> UsageError:
    return UsageError(
        "U165",
        "there is no Pixel-F1 whose threshold the frames could be cut at",
        where=quoted(name),
        got=reason,
        hint="score with `standard`, or with a protocol that names the threshold, such as `tao-release`",
    )

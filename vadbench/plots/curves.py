"""Display of one kind of curve, of one report or of several side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import UsageError, did_you_mean, quoted
from vadbench.plots.canvas import require_matplotlib
from vadbench.plots.legend_table import BESIDE
from vadbench.plots.line_styles import marked_line_style
from vadbench.plots.shown_names import legend_text
from vadbench.protocol.titles import metric_titles

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report

_LIMIT_GREY = "#555555"

MOST_INSIDE = 3
"""Methods up to which a legend finds room inside a panel; of more it would cover curves."""


class CurveKind(StrEnum):
    """Curves of a report, by their key there."""

    ROC = "roc"
    PR = "pr"
    PRO = "pro"
    RBDC = "rbdc"
    TBDC = "tbdc"

    @property
    def metric(self) -> str:
        """Key of the metric that sums the curve up."""
        return {"roc": "pixel_auroc", "pr": "pixel_ap", "pro": "pixel_aupro"}.get(self.value, self.value)

    @property
    def axes(self) -> tuple[str, str]:
        """Labels of the two axes, with units."""
        return _AXES[self]

    @property
    def per_frame(self) -> bool:
        """Whether x counts false positives per frame, which may go beyond 1, instead of a share of pixels."""
        return self in {CurveKind.RBDC, CurveKind.TBDC}


_AXES = {
    CurveKind.ROC: ("false-positive rate (share of normal pixels)", "true-positive rate"),
    CurveKind.PR: ("recall (share of anomalous pixels)", "precision"),
    CurveKind.PRO: ("false-positive rate (share of normal pixels)", "mean overlap of regions"),
    CurveKind.RBDC: ("false positives per frame", "share of regions detected"),
    CurveKind.TBDC: ("false positives per frame", "share of tracks detected"),
}

# Where a curve better than chance does not go; matplotlib's own search looks at points, not at the lines between.
_EMPTIEST = {CurveKind.ROC: "lower right", CurveKind.PR: "upper right", CurveKind.PRO: "lower right"}


@dataclass(frozen=True)
class NamedCurve:
    """Points of one method's curve.

    Parameters
    ----------
    name : str
        As in the legend.
    x, y : (n,) float64
        As the report holds them: thinned, `x` never decreasing.
    value : float or None
        Metric of the curve, a fraction in [0, 1]; None where the report has none.
    place : int
        Place among all methods shown together; it decides colour and dashes, so that they are the same in pictures
        of other kinds, which some method may lack.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    value: float | None
    place: int = 0

    @property
    def line_style(self) -> dict[str, Any]:
        """Colour, dashes and markers, as options of ``Axes.plot``."""
        return marked_line_style(self.place)

    @property
    def label(self) -> str:
        """Name and value in per cent with two decimals."""
        name = legend_text(self.name)
        return name if self.value is None else f"{name}  {100 * self.value:.2f} %"


@dataclass
class CurveDisplay:
    """Curves of one kind; made by `from_report` or `from_reports`, drawn by `plot`.

    Parameters
    ----------
    kind : CurveKind
    curves : tuple of NamedCurve
    title : str
        Title of the metric as in tables.
    limit : float or None
        Up to where the area counts: a false-positive rate (PRO), or false positives per frame (RBDC, TBDC).

    Attributes
    ----------
    figure_, ax_, lines_
        Matplotlib's objects, after `plot`.
    held_
        The thin lines that hold the last height of a curve up to the limit, after `plot`.

    Examples
    --------
    ::

        display = CurveDisplay.from_report(report, "roc").plot()
        display.figure_.savefig("roc.png")
    """

    kind: CurveKind
    curves: tuple[NamedCurve, ...]
    title: str
    limit: float | None = None
    figure_: Any = field(default=None, init=False, repr=False, compare=False)
    ax_: Any = field(default=None, init=False, repr=False, compare=False)
    lines_: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)
    held_: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def from_report(cls, report: Report, kind: CurveKind | str, *, name: str | None = None) -> Self:
        """Display of one report.

        Parameters
        ----------
        report : Report
        kind : CurveKind or str
            ``roc``, ``pr``, ``pro``, ``rbdc`` or ``tbdc``.
        name : str, optional
            For the legend; the name of the method unless given.

        Raises
        ------
        UsageError
            U150 for an unknown kind, U151 if the report has no such curve.
        """
        method = report.submission.get("method", {})
        return cls.from_reports({name or str(method.get("name", "predictions")): report}, kind)

    @classmethod
    def from_reports(cls, reports: Mapping[str, Report], kind: CurveKind | str) -> Self:
        """Display of several reports, by their names in the legend; those without such a curve are left out.

        Raises
        ------
        UsageError
            U150 for an unknown kind, U151 if no report has such a curve, U152 if the reports' protocols differ,
            U158 if the reports have no names.
        """
        chosen = curve_kind(kind)
        check_named(reports)
        held = {name: report for name, report in reports.items() if chosen in report.curves}
        if not held:
            raise UsageError(
                "U151",
                f"no report has a curve {quoted(chosen.value)}",
                got=", ".join(sorted({key for report in reports.values() for key in report.curves})) or "no curves",
                hint="curves are there where a metric pools all clips and its prediction is there",
            )
        protocols = {report.parsed_signature.protocol for report in held.values()}
        if len(protocols) > 1:
            raise UsageError(
                "U152",
                "the reports were made under different protocols; their curves mean different things",
                got=", ".join(sorted(map(str, protocols))),
                hint="score the submissions under one protocol",
            )
        protocol = protocols.pop()
        limits = {
            CurveKind.PRO: protocol.pixel.fpr_limit,
            CurveKind.RBDC: protocol.object.fpr_limit,
            CurveKind.TBDC: protocol.object.fpr_limit,
        }
        curves = (
            NamedCurve(
                name,
                np.array(report.curves[chosen].x, dtype=np.float64),
                np.array(report.curves[chosen].y, dtype=np.float64),
                report.value(chosen.metric),
                place,
            )
            for place, (name, report) in enumerate(reports.items())
            if name in held
        )
        return cls(chosen, tuple(curves), metric_titles(protocol)[chosen.metric], limits.get(chosen))

    def plot(self, ax: Any = None, **line_options: Any) -> Self:
        """Draw the curves with legend and, where the area has one, its limit.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            A new figure, unknown to pyplot, if absent.
        **line_options
            For every line, such as ``linewidth``; they go to ``Axes.plot``.

        Returns
        -------
        CurveDisplay
            Itself, with `ax_`, `figure_`, `lines_` and `held_` set.

        Raises
        ------
        UsageError
            U153 if matplotlib is not installed.

        Notes
        -----
        PR curves are drawn as the steps that AP sums up. RBDC and TBDC hold their last height up to the limit
        (protocols.md, "Regions"); that part is drawn thin.
        """
        require_matplotlib()
        if ax is None:
            from matplotlib.figure import Figure

            outside = len(self.curves) > MOST_INSIDE
            size = (4.8 + outside * 3.2, max(4.2, 0.19 * (len(self.curves) + 2)))
            ax = Figure(figsize=size, layout="constrained").subplots()
        self.ax_, self.figure_ = ax, ax.figure
        name = self.kind.upper()
        right = self.limit if self.kind.per_frame and self.limit is not None else 1.0
        self.lines_, self.held_ = [], []
        for curve in self.curves:
            style = {**curve.line_style, "linewidth": 1.6, "label": curve.label, **line_options}
            if self.kind is CurveKind.PR:
                style.setdefault("drawstyle", "steps-pre")
            self.lines_ += ax.plot(curve.x, curve.y, **style)
            if self.kind.per_frame and curve.x[-1] < right:
                self.held_ += ax.plot([curve.x[-1], right], [curve.y[-1]] * 2, color=style["color"], linewidth=0.6)
        self._mark_limit(ax, right)
        margin = 0.01 * right
        ax.set(xlim=(-margin, right + margin), ylim=(-0.01, 1.01))
        ax.set_title(name if name == self.title else f"{name} · {self.title}")
        ax.set_xlabel(self.kind.axes[0])
        ax.set_ylabel(self.kind.axes[1])
        ax.grid(color="#dddddd", linewidth=0.5)
        ax.set_axisbelow(True)
        if len(self.curves) > MOST_INSIDE:
            # Beside the panel: inside, it would cover the curves.
            ax.legend(handlelength=3.2, **BESIDE)
        else:
            ax.legend(loc=_EMPTIEST.get(self.kind, "best"), fontsize="small", handlelength=2.6, framealpha=0.9)
        return self

    def _mark_limit(self, ax: Any, right: float) -> None:
        if self.limit is None or self.limit >= right:
            return
        # In the legend, because there is no place in the panel that no curve can cross.
        ax.axvline(self.limit, color=_LIMIT_GREY, linewidth=0.8, label=f"limit  {self.limit:g}")
        ax.axvspan(self.limit, 2 * right, color="#f0f0f0", linewidth=0, zorder=0)


def check_named(reports: Mapping[str, Report]) -> None:
    """Raise `UsageError` U158 unless reports are given by their names in the legend, and there is one."""
    if not isinstance(reports, Mapping) or not reports:
        raise UsageError(
            "U158", "reports are given by their names in the legend", expected='a mapping such as {"mine": report}'
        )


def curve_kind(kind: CurveKind | str) -> CurveKind:
    """A kind by its name; raises `UsageError` U150 with the nearest one."""
    try:
        return CurveKind(kind)
    except ValueError as error:
        raise UsageError(
            "U150", f"there is no curve {quoted(kind)}", hint=did_you_mean(str(kind), list(CurveKind))
        ) from error

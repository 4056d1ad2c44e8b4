"""One figure with every curve that some reports have."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vadbench.errors import UsageError
from vadbench.plots.canvas import DPI, house_style, picture_format, save_figure
from vadbench.plots.comparable import check_comparable
from vadbench.plots.curves import MOST_INSIDE, CurveDisplay, CurveKind, check_named, curve_kind
from vadbench.plots.display_file import fix_layout
from vadbench.plots.legend_table import LegendRow, draw_legend_table, table_height
from vadbench.plots.line_styles import marked_line_style
from vadbench.plots.shown_names import plain_text

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report

_COLUMNS = 3
_PANEL_INCHES = (3.9, 3.5)
_TEXT_INCHES = 0.6
_LINE_INCHES = 0.16
_LEAST_TABLE_INCHES = 5.6
"""Width of a picture whose legend is a table."""

_LEAST_SEEN = 0.02
"""Share of an axis below which a line is no longer than it is wide, or nearly."""

_NOTE_STYLE: dict[str, Any] = {
    "fontsize": 8.5,
    "color": "#444444",
    "va": "top",
    "linespacing": 1.4,
    "parse_math": False,
}


def curve_figure(
    reports: Mapping[str, Report], path: Path | str, *, kinds: Sequence[CurveKind | str] | None = None
) -> Path:
    """Write a picture of all curves of some reports: ROC, PR, PRO, RBDC and TBDC, as far as they are there.

    Parameters
    ----------
    reports : mapping from the name in the legend to Report
        Of one data set under one protocol: only comparable curves share axes.
    path : path
        Ends in ``.png``, ``.pdf`` or ``.svg``.
    kinds : sequence of CurveKind or str, optional
        Those to be drawn; all unless given.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        U150 for an unknown kind, U151 if no report has a curve, U153 without matplotlib, U154, U155 about the path,
        U156 if the reports are not comparable, U158 if they have no names.

    Notes
    -----
    The same reports give the same bytes with the same version of matplotlib. Colours and dashes belong to a method
    in all panels; with more than three methods the legend is a table below them. The global state of matplotlib is left
    alone.
    """
    picture_format(path)
    check_named(reports)
    check_comparable(reports)
    wanted = list(CurveKind) if kinds is None else [curve_kind(kind) for kind in kinds]
    drawn = [kind for kind in CurveKind if kind in wanted and any(kind in report.curves for report in reports.values())]
    if not drawn:
        raise UsageError("U151", "no report has a curve", hint="score with a protocol that pools all clips")
    with house_style():
        figure = _figure(reports, drawn)
        fix_layout(figure)
        return save_figure(figure, path)


def _figure(reports: Mapping[str, Report], kinds: list[CurveKind]) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = min(_COLUMNS, len(kinds))
    rows = -(-len(kinds) // columns)
    many = len(reports) > MOST_INSIDE
    width = max(columns * _PANEL_INCHES[0], _LEAST_TABLE_INCHES if many else 0.0)
    heights = [_PANEL_INCHES[1]] * rows + ([table_height(len(reports), width, len(kinds))] if many else [])
    size = (width, sum(heights) + _TEXT_INCHES)
    signatures = list(dict.fromkeys(report.signature for report in reports.values()))
    below = len(signatures) * _LINE_INCHES / size[1]
    layout = ConstrainedLayoutEngine(rect=(0.0, below, 1.0, 1.0 - below), w_pad=0.08, h_pad=0.08)
    figure = Figure(figsize=size, dpi=DPI, layout=layout)
    grid = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    axes = [figure.add_subplot(grid[row, column]) for row in range(rows) for column in range(columns)]
    displays = [CurveDisplay.from_reports(reports, kind).plot(ax) for ax, kind in zip(axes, kinds, strict=False)]
    if many:
        for display in displays:
            display.ax_.get_legend().remove()
        below_all = figure.add_subplot(grid[rows, :])
        draw_legend_table(below_all, _legend_rows(reports, displays), [kind.upper() for kind in kinds], width=width)
    for ax in axes[len(kinds) :]:
        ax.set_axis_off()
    if len(axes) > len(kinds):
        free = axes[len(kinds)]
        free.text(0.0, 1.0, reading_notes(reports, displays), transform=free.transAxes, **_NOTE_STYLE)
    identity = next(iter(reports.values())).dataset
    figure.suptitle(f"{identity.id} · {identity.clips} clips · {identity.frames} frames", fontsize=11)
    text = "\n".join(signatures)
    figure.text(0.5, 0.06 / size[1], text, fontsize=6.5, color="#555555", ha="center", va="bottom", parse_math=False)
    return figure


def reading_notes(reports: Mapping[str, Report], displays: Sequence[CurveDisplay]) -> str:
    """How to read the panels, of what is drawn in them alone."""
    many = len(reports) > MOST_INSIDE
    notes = [f"{'The table gives' if many else 'Legends give'} the metric in per cent."]
    kinds = [display.kind for display in displays]
    if limits := [display for display in displays if many and display.limit is not None and display.limit < 1]:
        notes.append("\n".join(f"{own.kind.upper()}: the grey line is the limit, {own.limit:g}." for own in limits))
    if CurveKind.PRO in kinds:
        notes.append("PRO: the area counts up to the limit, and is\ndivided by it.")
    if held := [display.kind.upper() for display in displays if any(map(_can_be_seen, display.held_))]:
        notes.append(f"{', '.join(held)}: a thin line holds the last height\nwhere a method has no more detections.")
    if many:
        if any(kind not in report.curves for kind in kinds for report in reports.values()):
            notes.append("A method with – in the table has no such curve.")
        return "\n\n".join(notes)
    for name, report in reports.items():
        missing = [kind.upper() for kind in kinds if kind not in report.curves]
        if missing:
            notes.append(textwrap.fill(f"{plain_text(name)} has no {' and '.join(missing)}.", 46))
    return "\n\n".join(notes)


def _legend_rows(reports: Mapping[str, Report], displays: Sequence[CurveDisplay]) -> list[LegendRow]:
    rows = []
    for place, (name, report) in enumerate(reports.items()):
        values = [report.value(own.kind.metric) if own.kind in report.curves else None for own in displays]
        texts = tuple("–" if value is None else f"{100 * value:.2f}" for value in values)
        rows.append(LegendRow(name, marked_line_style(place), texts))
    return rows


def _can_be_seen(line: Any) -> bool:
    """Whether a level line is long enough to be noticed in its panel."""
    start, end = line.get_xdata()
    left, right = line.axes.get_xlim()
    return bool(end - start >= _LEAST_SEEN * (right - left))

"""One figure with every curve that some reports have."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vadbench.errors import UsageError
from vadbench.plots.canvas import house_style, picture_format, save_figure
from vadbench.plots.curves import CurveDisplay, CurveKind

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report

_COLUMNS = 3
_PANEL_INCHES = (3.9, 3.5)
_TEXT_INCHES = 0.6
_LINE_INCHES = 0.16
_NOTE_STYLE: dict[str, Any] = {
    "fontsize": 8.5,
    "color": "#444444",
    "va": "top",
    "linespacing": 1.4,
    "parse_math": False,
}


def curve_figure(reports: Mapping[str, Report], path: Path | str) -> Path:
    """Write a picture of all curves of some reports: ROC, PR, PRO, RBDC and TBDC, as far as they are there.

    Parameters
    ----------
    reports : mapping from the name in the legend to Report
        Of one data set under one protocol: only comparable curves share axes.
    path : path
        Ends in ``.png``, ``.pdf`` or ``.svg``.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        U151 if no report has a curve, U153 without matplotlib, U154, U155 about the path, U156 if the reports are
        not comparable.

    Notes
    -----
    The same reports give the same bytes with the same version of matplotlib. Colours and dashes belong to a method
    in all panels. The global state of matplotlib is left alone.
    """
    picture_format(path)
    _check_comparable(reports)
    kinds = [kind for kind in CurveKind if any(kind in report.curves for report in reports.values())]
    if not kinds:
        raise UsageError("U151", "no report has a curve", hint="score with a protocol that pools all clips")
    with house_style():
        figure = _figure(reports, kinds)
        return save_figure(figure, path)


def _figure(reports: Mapping[str, Report], kinds: list[CurveKind]) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = min(_COLUMNS, len(kinds))
    rows = -(-len(kinds) // columns)
    size = (columns * _PANEL_INCHES[0], rows * _PANEL_INCHES[1] + _TEXT_INCHES)
    signatures = list(dict.fromkeys(report.signature for report in reports.values()))
    below = len(signatures) * _LINE_INCHES / size[1]
    layout = ConstrainedLayoutEngine(rect=(0.0, below, 1.0, 1.0 - below), w_pad=0.08, h_pad=0.08)
    figure = Figure(figsize=size, layout=layout)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, kind in zip(axes, kinds, strict=False):
        CurveDisplay.from_reports(reports, kind).plot(ax)
    for ax in axes[len(kinds) :]:
        ax.set_axis_off()
    if len(axes) > len(kinds):
        axes[len(kinds)].text(0.0, 1.0, _notes(reports, kinds), transform=axes[len(kinds)].transAxes, **_NOTE_STYLE)
    identity = next(iter(reports.values())).dataset
    figure.suptitle(f"{identity.id} · {identity.clips} clips · {identity.frames} frames", fontsize=11)
    text = "\n".join(signatures)
    figure.text(0.5, 0.06 / size[1], text, fontsize=6.5, color="#555555", ha="center", va="bottom", parse_math=False)
    return figure


def _notes(reports: Mapping[str, Report], kinds: list[CurveKind]) -> str:
    """How to read the panels that are there."""
    notes = ["Legends give the metric in per cent."]
    if CurveKind.PRO in kinds:
        notes.append("PRO: the area counts up to the limit, and is\ndivided by it.")
    if CurveKind.RBDC in kinds or CurveKind.TBDC in kinds:
        notes.append("RBDC, TBDC: a thin line holds the last height\nwhere a method has no more detections.")
    for name, report in reports.items():
        missing = [kind.upper() for kind in kinds if kind not in report.curves]
        if missing:
            notes.append(textwrap.fill(f"{name} has no {' and '.join(missing)}.", 46))
    return "\n\n".join(notes)


def _check_comparable(reports: Mapping[str, Report]) -> None:
    signatures = [report.parsed_signature for report in reports.values()]
    for report, signature in zip(reports.values(), signatures, strict=True):
        if not signature.comparable(signatures[0]):
            raise UsageError(
                "U156",
                "the reports are not comparable",
                expected=str(signatures[0]),
                got=report.signature,
                hint="`vadbench diff` says what differs; draw each group in a figure of its own",
            )

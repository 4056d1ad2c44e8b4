"""The five curves of a report: titles, axes with units, and what the picture shows in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaderboard.site.drawing import curve_picture, thinned
from leaderboard.site.environment import percent

if TYPE_CHECKING:
    from vadbench import Report


@dataclass(frozen=True)
class CurveWords:
    """What stands around one kind of curve.

    Parameters
    ----------
    title, metric : str
        Metric: key of the score that sums the curve up.
    axes : pair of str
    """

    title: str
    metric: str
    axes: tuple[str, str]


CURVES = {
    "roc": CurveWords("ROC", "pixel_auroc", ("false-positive rate (share of normal pixels)", "true-positive rate")),
    "pr": CurveWords("Precision and recall", "pixel_ap", ("recall (share of anomalous pixels)", "precision")),
    "pro": CurveWords(
        "Region overlap (PRO)",
        "pixel_aupro",
        ("false-positive rate (share of normal pixels)", "mean overlap of regions"),
    ),
    "rbdc": CurveWords("Region detection", "rbdc", ("false positives per frame", "share of regions detected")),
    "tbdc": CurveWords("Track detection", "tbdc", ("false positives per frame", "share of tracks detected")),
}
"""By their keys in a report, in the order of the page."""


_PER_FRAME = frozenset({"rbdc", "tbdc"})


def limits(report: Report) -> dict[str, float]:
    """Where the areas of the curves end that have an end."""
    protocol = report.parsed_signature.protocol
    return {"pro": protocol.pixel.fpr_limit, "rbdc": protocol.object.fpr_limit, "tbdc": protocol.object.fpr_limit}


def curve_points(
    report: Report, kind: str, *, steps: int = 400
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Points of a curve for a picture, and the end of its horizontal axis.

    Precision is drawn as the steps that AP sums up: a straight line down to a recall that no threshold reaches before
    would show a precision that the method does not have. Curves over false positives per frame are held flat after
    their last detection, up to the limit of their area, and their axis ends there where it is above 1.

    Parameters
    ----------
    report : Report
    kind : str
        A key of `CURVES` that the report has a curve of.
    steps : int
        Lines of the grid, as in `thinned`.
    """
    x, y = _lines(report, kind)
    end = 1.0
    if kind in _PER_FRAME:
        limit = limits(report)[kind]
        end = max(end, limit)
        if x and x[-1] < limit:
            x, y = [*x, limit], [*y, y[-1]]
    across, up = thinned(x, y, x_limit=end, steps=steps)
    return across, up, end


def _lines(report: Report, kind: str) -> tuple[list[float], list[float]]:
    """Points of a curve that are joined by straight lines; between two of a curve of precision stands a step."""
    x, y = report.curves[kind].x, report.curves[kind].y
    if kind != "pr":
        return x, y
    return np.repeat(x, 2)[:-1].tolist(), np.repeat(y, 2)[1:].tolist()


@dataclass(frozen=True)
class CurveFigure:
    """One curve, ready to be printed."""

    kind: str
    title: str
    value: str
    words: str
    limit: float | None
    picture: str


def curve_figures(report: Report, identity: str) -> list[CurveFigure]:
    """Figures of a report's curves.

    Parameters
    ----------
    report : Report
    identity : str
        Begins the ids of the pictures; unique on its page.
    """
    figures = []
    ends = limits(report)
    for kind, words in CURVES.items():
        own = report.curves.get(kind)
        if own is None or not own.x:
            continue
        limit = ends.get(kind)
        value = report.value(words.metric)
        across, up, end = curve_points(report, kind)
        text = _in_words(words, *_lines(report, kind), limit)
        if kind in _PER_FRAME and own.x[-1] < end:
            text += f" It has no detections beyond {own.x[-1]:.2f}, and is held from there."
        figures.append(
            CurveFigure(
                kind,
                words.title,
                percent(value),
                text,
                limit,
                curve_picture(
                    f"{identity}-{kind}",
                    (across, up),
                    title=f"{words.title}, {percent(value)} per cent",
                    description=text,
                    axes=words.axes,
                    x_limit=end,
                    limit=limit,
                    chance=kind == "roc",
                ),
            )
        )
    return figures


def _in_words(words: CurveWords, x: list[float], y: list[float], limit: float | None) -> str:
    places = (0.1, 0.3, 0.5) if words.metric != "pixel_ap" else (0.2, 0.5, 0.8)
    heights = np.interp(places, x, y)
    parts = [f"{height:.2f} at {place:g}" for place, height in zip(places, heights, strict=True)]
    end = "" if limit is None else f" The area counts up to {limit:g}."
    return f"{words.axes[1].capitalize()} against {words.axes[0]}: {', '.join(parts)}.{end}"

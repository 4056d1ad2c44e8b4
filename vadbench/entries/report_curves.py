"""The curves of a report, and the values that can be had from their points alone.

A report holds some points of each curve. Between two of them the counts behind the curve can only rise, which bounds
every area and every best value; each bound here is proved in a docstring.

Source: protocols.md, "Pixel metrics" and "Regions: RBDC and TBDC"; docs/board-entries.md, "report.json".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vadbench.entries.report_findings import TOLERANCE, contradiction, out_of_range
from vadbench.entries.sent_report import in_words
from vadbench.errors import SubmissionError, quoted
from vadbench.evaluation.report import CurvePoints, Report
from vadbench.protocol.protocol import Aupro, Pooling, Protocol
from vadbench.protocol.titles import DECLARED, OBJECT_METRICS, PIXEL_METRICS
from vadbench.statistics.pixels import MapScaling

_MOST_POINTS = 400
_MOST_PIXELS = 2.0**48
"""More anomalous pixels than any data set has."""

_LAST_DIGIT = 1e-15
"""By which recall · (1 / precision - 1) may be wrong for the rounding of the precision alone."""

_AREA_OF = {"roc": "pixel_auroc", "pro": "pixel_aupro", "rbdc": "rbdc", "tbdc": "tbdc"}
"""Curves that never fall, and the metrics that are the areas below them."""

_CURVES = (*_AREA_OF, "pr")


def curve_problems(report: Report, protocol: Protocol, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """Curves that are missing, too many or impossible, and values that their points do not allow.

    Parameters
    ----------
    report : Report
    protocol : Protocol
        Of the report.
    where : tuple of str
        What messages name.
    """
    yield from _which(report, protocol, where)
    sound: dict[str, CurvePoints] = {}
    for name, curve in report.curves.items():
        problems = list(_curve(name, curve, (*where, f"curves.{in_words(name)}")))
        yield from problems
        if not problems:
            sound[name] = curve
    for key, name, (least, greatest) in _bounds(sound, protocol):
        score = report.scores.get(key)
        # A value out of range is one problem, not two.
        if score is None or score.value is None or not 0 <= score.value <= 1:
            continue
        if not least - TOLERANCE <= score.value <= greatest + TOLERANCE:
            expected = f"from {least:.6f} to {greatest:.6f}, as the points of the curve {name} allow"
            yield contradiction((*where, f"scores.{key}", "value"), expected, str(score.value))


def _which(report: Report, protocol: Protocol, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """A curve is there where its metrics have a value, and only there.

    All pixels in one pool: ROC and PRO need pixels of both classes, as Pixel-AUROC does, PR an anomalous one, as AP and
    F1 do. A pool has its curves whichever of its metrics were asked for. Means over clips or frames have none.
    """
    pooled = protocol.pixel.pooling is Pooling.DATASET
    regions = protocol.pixel.aupro is Aupro.REGION_OVERLAP
    both_classes = ("pixel_auroc", "pixel_aupro") if regions else ("pixel_auroc",)
    one_class = tuple(key for key in PIXEL_METRICS if key not in both_classes)
    for name, alike, weaker in (
        ("roc", both_classes if pooled else (), one_class if pooled else ()),
        ("pro", both_classes if pooled and regions else (), one_class if pooled and regions else ()),
        ("pr", one_class if pooled else (), both_classes if pooled else ()),
        *((key, (key,), ()) for key in OBJECT_METRICS),
    ):
        place = (*where, f"curves.{name}")
        values = [report.value(key) is not None for key in alike if key in report.scores]
        if name not in report.curves:
            if any(values):
                yield contradiction(place, f"the curve behind {', '.join(alike)}", "none")
        elif not alike:
            yield contradiction(place, f"no such curve in the protocol {protocol}", "one")
        elif not all(values) or (not values and not any(key in report.scores for key in weaker)):
            yield contradiction(place, f"no curve without a value of {', '.join(alike)}", "one")


def _curve(name: str, curve: CurvePoints, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """What is impossible in one curve."""
    if name not in _CURVES:
        yield out_of_range(where, f"one of {', '.join(_CURVES)}", quoted(name))
        return
    x, y = curve.x, curve.y
    if len(x) != len(y) or not 1 <= len(x) <= _MOST_POINTS:
        yield out_of_range(where, f"1 to {_MOST_POINTS} points, x and y of each", f"{len(x)} and {len(y)}")
        return
    # False positives per frame may exceed 1; rates may not.
    highest = None if name in OBJECT_METRICS else 1.0
    if min(x) < 0 or (highest is not None and max(x) > highest):
        yield out_of_range((*where, "x"), "from 0 on" if highest is None else "from 0 to 1", f"{min(x)} to {max(x)}")
    if min(y) < 0 or max(y) > 1:
        yield out_of_range((*where, "y"), "from 0 to 1", f"{min(y)} to {max(y)}")
        return
    if falls_at(x) is not None:
        yield contradiction((*where, "x"), "values that never fall", f"a smaller one at point {falls_at(x)}")
    yield from _rising(name, curve, where) if name in _AREA_OF else _precision(curve, where)


def _rising(name: str, curve: CurvePoints, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """What is impossible in a curve that never falls."""
    x, y = curve.x, curve.y
    if falls_at(y) is not None:
        yield contradiction((*where, "y"), "values that never fall", f"a smaller one at point {falls_at(y)}")
    if (x[0], y[0]) != (0, 0):
        yield contradiction(where, "a beginning at (0, 0)", f"({x[0]}, {y[0]})")
    if name in {"roc", "pro"} and (x[-1], y[-1]) != (1, 1):
        yield contradiction(where, "an end at (1, 1)", f"({x[-1]}, {y[-1]})")


def _precision(curve: CurvePoints, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """What is impossible in a curve of precision against recall."""
    x, y = curve.x, curve.y
    if (x[0], x[-1]) != (0, 1):
        yield contradiction((*where, "x"), "recall from 0 to 1", f"{x[0]} to {x[-1]}")
    if min(y) == 0:
        yield contradiction((*where, "y"), "a precision above 0: an anomalous pixel is flagged at every point", "0")
        return
    false = _false_positives(curve)
    # Beside a precision near 1 its last digit weighs more than a small share of a number of false alarms.
    least = [one * (1 - TOLERANCE) - _LAST_DIGIT for one in false[:-1]]
    fallen = next((i for i, (one, other) in enumerate(zip(least, false[1:], strict=True), 1) if other < one), None)
    if fallen is not None:
        yield contradiction((*where, "y"), "precision that goes with ever more flagged pixels", f"point {fallen}")


def falls_at(values: Sequence[float]) -> int | None:
    """0-based index of the first value that is smaller than the one before; None if there is none.

    >>> falls_at([0.0, 0.5, 0.5]), falls_at([0.0, 0.5, 0.4])
    (None, 2)
    """
    return next((index + 1 for index, (one, other) in enumerate(pairwise(values)) if other < one), None)


def _bounds(curves: dict[str, CurvePoints], protocol: Protocol) -> Iterator[tuple[str, str, tuple[float, float]]]:
    """Metric, curve, and the least and greatest value that the points allow."""
    pixel = protocol.pixel
    limits = {
        "roc": 1.0,
        "pro": pixel.fpr_limit,
        "rbdc": protocol.object.fpr_limit,
        "tbdc": protocol.object.fpr_limit,
    }
    for name, key in _AREA_OF.items():
        if name in curves:
            yield key, name, area_bounds(curves[name], limits[name])
    if "pr" in curves:
        bounds = precision_bounds(curves["pr"])
        yield "pixel_ap", "pr", bounds.average
        if pixel.aupro is Aupro.PR_TRAPEZOID:
            yield "pixel_aupro", "pr", bounds.trapezoid
        least, greatest = bounds.best_f1
        yield "pixel_f1", "pr", (least if pixel.f1.threshold is None else 0.0, greatest)
        if pixel.map_scaling is MapScaling.NONE:
            # The declared threshold is one of scores as given.
            yield DECLARED, "pr", (0.0, greatest)


def area_bounds(curve: CurvePoints, limit: float) -> tuple[float, float]:
    """Least and greatest area, divided by `limit`, below a curve that never falls and has these points in a report.

    `Curve.thinned` keeps points at even steps of the curve's length, which is the sum of its steps along both axes. So
    what it leaves out after a point lies within one such step of it, and a straight line leads from there to the next
    point. Of such paths from (x₀, y₀) to (x₁, y₁) the lowest goes a step to the right first, the highest a step up.
    After the last point the curve is held.

    >>> area_bounds(CurvePoints(x=[0, 0, 1], y=[0, 0.5, 0.5]), 1.0)
    (0.5, 0.5)
    """
    length = curve.x[-1] - curve.x[0] + curve.y[-1] - curve.y[0]
    hidden = length / (_MOST_POINTS - 1) * (1 + TOLERANCE) + TOLERANCE**2
    least = greatest = 0.0
    for (x, y), (next_x, next_y) in pairwise(zip(curve.x, curve.y, strict=True)):
        if next_x <= x or x >= limit:
            continue
        beyond = max(0.0, next_x - limit)
        right = min(x + hidden, next_x)
        least += y * (min(right, limit) - x) + _below_line((right, y), (next_x, next_y), limit)
        up = min(y + hidden, next_y)
        at_limit = next_y - (next_y - up) * beyond / (next_x - x)
        greatest += (up + at_limit) / 2 * (next_x - x - beyond)
    rest = max(0.0, limit - curve.x[-1]) * curve.y[-1]
    return (least + rest) / limit, (greatest + rest) / limit


def _below_line(begin: tuple[float, float], end: tuple[float, float], limit: float) -> float:
    """Area below a straight line, as far as it lies before the limit."""
    width, beyond = end[0] - begin[0], max(0.0, end[0] - limit)
    if width <= beyond:
        return 0.0
    at_limit = end[1] - (end[1] - begin[1]) * beyond / width
    return (begin[1] + at_limit) / 2 * (width - beyond)


@dataclass(frozen=True)
class PrecisionBounds:
    """Least and greatest values that some points of a precision-recall curve allow.

    Parameters
    ----------
    average : tuple of two floats
        Average precision.
    trapezoid : tuple of two floats
        Area under straight lines, begun at (0, 1).
    best_f1 : tuple of two floats
        Best F1 over all thresholds; no other F1 is above the greatest.
    """

    average: tuple[float, float]
    trapezoid: tuple[float, float]
    best_f1: tuple[float, float]


def _false_positives(curve: CurvePoints) -> list[float]:
    """Flagged normal pixels at each point, in numbers of all anomalous ones: recall · (1 / precision - 1)."""
    return [recall * (1 / precision - 1) for recall, precision in zip(curve.x, curve.y, strict=True)]


def precision_bounds(curve: CurvePoints) -> PrecisionBounds:
    """What the points of a precision-recall curve in a report, with precision above 0, say of the values behind it.

    Let r be recall and f the flagged normal pixels in numbers of all anomalous ones, so that precision is r / (r + f)
    and F1 is 2 r / (r + f + 1). From one point to the next, (r₀, a) to (r₁, b), both only rise. So at every threshold
    between them precision is at most r / (r + a) ≤ r₁ / (r₁ + a) and at least g(r) = r / (r + b). AP sums the steps of
    r times the precision at their ends; g rises, so the sum is at least its integral,
    r₁ - r₀ - b ln((r₁ + b) / (r₀ + b)). The trapezoid takes half of each step at its beginning: there the sum is at
    least (r₁ - r₀) g(r₀).

    What `Curve.thinned` leaves out after a point lies within h of it, a part of the curve's length (see `area_bounds`),
    and one step leads from there to the next point, at whose precision p₁ it counts. Length: where precision rises, it
    does so by the integral of f / (r + f)² ≤ 1 / (4 r) at most, in all by ln(N) / 4 for N anomalous pixels; it falls
    by 1 more at most; recall adds 1. So AP is at most (r₁ - r₀) p₁ + h (u - p₁) where u > p₁ is the greatest precision
    of what is left out, and F1 at most 2 (r₀ + h) / (r₀ + h + a + 1), unless it is that of a point.

    >>> bounds = precision_bounds(CurvePoints(x=[0, 1], y=[1, 1]))
    >>> bounds.average, bounds.best_f1
    ((1.0, 1.0), (1.0, 1.0))
    """
    hidden = (2 + math.log(_MOST_PIXELS) / 2) / (_MOST_POINTS - 1)
    points = list(zip(curve.x, curve.y, _false_positives(curve), strict=True))
    best = max(2 * recall / (recall + flagged + 1) for recall, _, flagged in points)
    average, trapezoid, greatest_f1 = [0.0, 0.0], [0.0, 0.0], best
    for (recall, precision, above), (next_recall, next_precision, below) in pairwise(points):
        step = next_recall - recall
        if step <= 0:
            continue
        integral = step - (below * math.log1p(step / (recall + below)) if below > 0 else 0.0)
        at_beginning = step * recall / (recall + below) if recall > 0 else 0.0
        ceiling = step * next_recall / (next_recall + above)
        h = min(hidden, step)
        upper = min(precision + hidden, (recall + h) / (recall + h + above))
        lower = max(precision - hidden, 0.0)
        average[0] += max(integral, step * next_precision + h * min(0.0, lower - next_precision))
        average[1] += min(ceiling, step * next_precision + h * max(0.0, upper - next_precision))
        trapezoid[0] += (integral + at_beginning) / 2
        # The first step begins at precision 1, which is no point of the curve.
        half = (next_precision + upper) / 2 * step + h * max(0.0, upper - next_precision) / 2
        trapezoid[1] += min(ceiling, half) if recall > 0 else ceiling
        greatest_f1 = max(greatest_f1, 2 * (recall + h) / (recall + h + above + 1))
    return PrecisionBounds((average[0], average[1]), (trapezoid[0], trapezoid[1]), (best, greatest_f1))

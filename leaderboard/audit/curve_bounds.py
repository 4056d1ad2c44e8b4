"""Bounds for any scores in one pool of pixels, by theorems 1 to 9 of docs/audit.md.

A threshold flags a recall r and a false-positive rate f; c = (1 − p)/p is the number of normal pixels for each
anomalous one, and a = F/(2 − F) the recall and the precision whose other is 1 at F1 = F.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from leaderboard.audit.bounds import Bound
from leaderboard.audit.printed import Span, Spans
from leaderboard.audit.region_shares import RegionShares

_STEPS = 2_000


def odds(prevalence: float) -> float:
    """Normal pixels for each anomalous one, c."""
    return (1 - prevalence) / prevalence


def lone_rate(f1: float) -> float:
    """Recall at precision 1, and precision at recall 1, for that F1: a = F/(2 − F)."""
    return f1 / (2 - f1)


def greatest_ap_of_best_f1(f1: float) -> float:
    """Theorem 2: F + ½ F² ln((2 − F)/F); no pool of scores with this best F1 has a greater AP."""
    return f1 + f1 * f1 / 2 * math.log((2 - f1) / f1) if f1 > 0 else 0.0


def greatest_auroc_of_best_f1(f1: float, prevalence: float) -> float:
    """Theorem 3: 1 − (1 − a)²/(2ac), and no less than AUROC ½ asks for."""
    a = lone_rate(f1)
    return max(0.0, 1 - (1 - a) ** 2 / (2 * a * odds(prevalence))) if a > 0 else 0.0


def least_auroc_of_f1(f1: float, prevalence: float) -> float:
    """Theorem 4: min(a, 1 − (1 − a)/(ac)), for F1 at any cut."""
    a = lone_rate(f1)
    return max(0.0, min(a, 1 - (1 - a) / (a * odds(prevalence)))) if a > 0 else 0.0


def least_ap_of_f1(f1: float) -> float:
    """Theorem 5: least of r λ(1/a − 1/r) over a ≤ r ≤ 1, λ(x) = 1 − x ln(1 + 1/x), for F1 at any cut.

    On a grid, and on the safe side between its points: r grows and λ falls, so that the left end of a step times λ at
    its right end is below both.
    """
    a = lone_rate(f1)
    if a <= 0:
        return 0.0
    if a >= 1:
        return 1.0
    r = np.linspace(a, 1, _STEPS)
    x = 1 / a - 1 / r
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(x > 0, 1 - x * np.log1p(1 / x), 1.0)
    return max(0.0, float(np.min(r[:-1] * part[1:])))


def greatest_ap_of_auroc(auroc: float, prevalence: float) -> float:
    """Theorem 6: A + p(1 − A)."""
    return auroc + prevalence * (1 - auroc)


def least_ap_of_auroc(auroc: float, prevalence: float) -> float:
    """Theorem 7: 4/9 divided by ½ + 2c(1 − A)."""
    return 4 / 9 / (0.5 + 2 * odds(prevalence) * (1 - auroc))


def greatest_aupro_of_best_f1(f1: float, prevalence: float, regions: RegionShares, fpr_limit: float) -> float:
    """Theorem 9: mean over f ≤ L of the greatest mean share of the regions at recall a(1 + cf)."""
    a = lone_rate(f1)
    if a <= 0:
        return 0.0
    slope = a * odds(prevalence)
    saturated = min(fpr_limit, max(0.0, (1 - a) / slope))
    # In the variable r = a + slope·f the integrand is linear between the knots, so that trapezoids are exact.
    r = _with_ends(regions.recall, a, a + slope * saturated)
    values = regions.greatest(r)
    area = float(np.sum(np.diff(r) * (values[1:] + values[:-1]) / 2)) / slope
    return min(1.0, (area + fpr_limit - saturated) / fpr_limit)


def _with_ends(knots: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    return np.concatenate([[low], knots[(knots > low) & (knots < high)], [high]])


def pool_bounds(
    spans: Spans,
    prevalence: Span,
    *,
    best_f1: bool,
    pr_auc: bool = False,
    regions: RegionShares | None = None,
    fpr_limit: float = 0.3,
) -> list[Bound]:
    """Bounds that the numbers of a row keep to, if any scores in one pool of pixels gave them.

    Parameters
    ----------
    spans : mapping from metric to Span
        Metrics that are absent are not used.
    prevalence : Span
        One number twice, or a range.
    best_f1 : bool
        F1 is the best over thresholds; else at any cut.
    pr_auc : bool
        ``pixel_aupro`` is the area under precision-recall.
    regions : RegionShares, optional
        ``pixel_aupro`` is the area under the overlap with regions, up to `fpr_limit`.
    fpr_limit : float
    """
    low, high = prevalence.low, prevalence.high
    bounds: list[Bound] = []
    f1, auroc, ap = (spans.get(key) for key in ("pixel_f1", "pixel_auroc", "pixel_ap"))
    if f1 is not None and best_f1:
        least = 2 * low / (1 + low)
        bounds.append(Bound(1, "pixel_f1", (), "F1 ≥ 2p/(1 + p)", Span(least, 1)))
    if f1 is not None and ap is not None:
        given = ("pixel_f1",)
        least = least_ap_of_f1(f1.low)
        bounds.append(Bound(5, "pixel_ap", given, "AP ≥ min r·λ(1/a − 1/r), a = F1/(2 − F1)", Span(least, 1)))
        if best_f1:
            reach = Span(0, greatest_ap_of_best_f1(f1.high))
            bounds.append(Bound(2, "pixel_ap", given, "AP ≤ F1 + ½ F1² ln((2 − F1)/F1)", reach))
    if f1 is not None and auroc is not None:
        given = ("pixel_f1",)
        reach = Span(least_auroc_of_f1(f1.low, high), 1)
        text = "AUROC ≥ min(a, 1 − (1 − a)/(ac)), a = F1/(2 − F1)"
        bounds.append(Bound(4, "pixel_auroc", given, text, reach))
        if best_f1:
            reach = Span(0, greatest_auroc_of_best_f1(f1.high, low))
            text = "AUROC ≤ 1 − (1 − a)²/(2ac), a = F1/(2 − F1)"
            bounds.append(Bound(3, "pixel_auroc", given, text, reach))
    if auroc is not None and ap is not None:
        given = ("pixel_auroc",)
        reach = Span(0, greatest_ap_of_auroc(auroc.high, high))
        bounds.append(Bound(6, "pixel_ap", given, "AP ≤ AUROC + p(1 − AUROC)", reach))
        reach = Span(least_ap_of_auroc(auroc.low, low), 1)
        bounds.append(Bound(7, "pixel_ap", given, "AP ≥ 4/9 / (½ + 2c(1 − AUROC))", reach))
    if "pixel_aupro" in spans and pr_auc and ap is not None:
        bounds += pr_auc_bounds(ap)
    if "pixel_aupro" in spans and regions is not None and f1 is not None and best_f1:
        reach = Span(0, greatest_aupro_of_best_f1(f1.high, low, regions, fpr_limit))
        text = "AUPRO ≤ mean over f ≤ L of m(a(1 + cf)), a = F1/(2 − F1)"
        bounds.append(Bound(9, "pixel_aupro", ("pixel_f1",), text, reach))
    return bounds


def pr_auc_bounds(ap: Span) -> list[Bound]:
    """Theorem 8, of one pool and of any mean: the trapezoid's two ends of a step."""
    text = "AP/2 ≤ PR-AUC ≤ (1 + AP)/2"
    return [Bound(8, "pixel_aupro", ("pixel_ap",), text, Span(ap.low / 2, (1 + ap.high) / 2))]


def least_shared_score(gap: float, anomalous_pixels: int) -> float:
    """Theorem 17: where PR-AUC exceeds AP by `gap`, some score has at least this share of the anomalous pixels."""
    return 2 * gap / (2 + math.log(anomalous_pixels) / 4)

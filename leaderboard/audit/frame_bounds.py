"""Bounds for means over frames, by theorems 1, 6, 8, 10, 11 and 14 of docs/audit.md.

Each holds for a single frame, is made linear or convex where it is not, and then averaged. A silent frame, which counts
0 for every metric, keeps to all of them but the first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leaderboard.audit.bounds import Bound
from leaderboard.audit.curve_bounds import lone_rate, pr_auc_bounds
from leaderboard.audit.printed import Span, Spans

GREATEST_AP_PER_F1 = 1.2785
"""Above the greatest value of 1 + (x/2) ln((2 − x)/x) for x in (0, 1], which is 1.27846 at x = 0.43562."""

_LEAST_NORMAL = 1e-9
"""Share of normal pixels that is left to every frame, however far its prevalence may be off."""

Floats = NDArray[np.float64]


def soft_frame_bounds(
    spans: Spans, prevalences: Floats, *, best_f1: bool, silent: bool, pr_auc: bool, tolerance: float = 0.0
) -> list[Bound]:
    """Bounds for any scores: mean over frames of each frame's own metrics.

    Parameters
    ----------
    spans : mapping from metric to Span
    prevalences : (F,) float64
        Share of anomalous pixels of each frame.
    best_f1 : bool
        F1 is the best of each frame; else at any cut.
    silent : bool
        Frames may count 0.
    pr_auc : bool
        ``pixel_aupro`` is the area under precision-recall.
    tolerance : float
        By which share the prevalences may be off, to either side, frame by frame.
    """
    low, high = (1 - tolerance) * prevalences, np.minimum((1 + tolerance) * prevalences, 1 - _LEAST_NORMAL)
    auroc, ap, f1 = (spans.get(key) for key in ("pixel_auroc", "pixel_ap", "pixel_f1"))
    bounds: list[Bound] = []
    if f1 is not None and best_f1 and not silent:
        least = float(np.mean(2 * low / (1 + low)))
        bounds.append(Bound(1, "pixel_f1", (), "F1 ≥ mean of 2p/(1 + p) over the frames", Span(least, 1)))
    if f1 is not None and ap is not None and best_f1:
        reach = Span(0, min(1.0, GREATEST_AP_PER_F1 * f1.high))
        bounds.append(Bound(10, "pixel_ap", ("pixel_f1",), f"AP ≤ {GREATEST_AP_PER_F1}·F1", reach))
    if f1 is not None and auroc is not None:
        reach = Span(max(0.0, lone_rate(f1.low) - float(np.mean(high / (1 - high)))), 1)
        text = "AUROC ≥ F1/(2 − F1) − mean of p/(1 − p)"
        bounds.append(Bound(11, "pixel_auroc", ("pixel_f1",), text, reach))
    if auroc is not None and ap is not None:
        reach = Span(0, min(1.0, auroc.high + float(high.mean())))
        bounds.append(Bound(6, "pixel_ap", ("pixel_auroc",), "AP ≤ AUROC + mean of p", reach))
    if "pixel_aupro" in spans and pr_auc and ap is not None:
        bounds += pr_auc_bounds(ap)
    return bounds


def mask_frame_bounds(spans: Spans, prevalences: Floats, *, tolerance: float = 0.0) -> list[Bound]:
    """Bounds for one binary mask a frame, frames without a flagged pixel counting 0; ``pixel_aupro`` is PR-AUC."""
    mean = (1 + tolerance) * float(prevalences.mean())
    ap, aupro, f1 = (spans.get(key) for key in ("pixel_ap", "pixel_aupro", "pixel_f1"))
    bounds: list[Bound] = []
    if f1 is not None and ap is not None:
        reach = Span(f1.low**2, min(1.0, f1.high + mean))
        bounds.append(Bound(14, "pixel_ap", ("pixel_f1",), "F1² ≤ AP ≤ F1 + mean of p", reach))
    if f1 is not None and aupro is not None:
        reach = Span(f1.low, (1 + min(1.0, f1.high + mean)) / 2)
        bounds.append(Bound(14, "pixel_aupro", ("pixel_f1",), "F1 ≤ PR-AUC ≤ (1 + F1 + mean of p)/2", reach))
    return bounds

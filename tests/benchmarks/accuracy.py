"""What each program answers on ranges of scores that bins do not fit, beside exact values computed another way.

The exact values are scikit-learn's, and for AUPRO a sort of all pixels: neither shares a line with vadbench.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from literal_objects import points_by_frame, rational_area
from numpy.typing import NDArray
from peers import PEERS, NotRunnableError
from reference_tracks import area
from subject import both_object_curves, four_metrics
from workloads import Extent, awkward_ranges, object_workload

BINNED = ("adeval", "torchmetrics-binned", "pyaupro-binned")


def aupro_by_sorting(masks: NDArray[np.bool_], scores: NDArray[Any], limit: float = 0.3) -> float:
    """AUPRO from all pixels in falling order; pixels with one score enter together."""
    from scipy import ndimage

    share = np.zeros(masks.shape)
    components = 0
    for mask, own in zip(masks, share, strict=True):
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        own[mask] = 1 / sizes[labels[mask]]
        components += count
    order = np.argsort(-scores.ravel().astype(np.float64), kind="stable")
    ranked = scores.ravel()[order]
    last_of_tie = np.append(ranked[1:] != ranked[:-1], True)
    # Extended precision and counts instead of rates, so that millions of terms do not add their roundings up.
    overlap = np.append(np.longdouble(0), np.cumsum(share.ravel()[order], dtype=np.longdouble)[last_of_tie])
    normal = ~masks.ravel()[order]
    flagged = np.append(0, np.cumsum(normal)[last_of_tie]).astype(np.longdouble)
    at_limit = np.longdouble(limit) * np.count_nonzero(normal)
    cut = int(np.searchsorted(flagged, at_limit, side="right"))
    if cut < flagged.size:
        part = (at_limit - flagged[cut - 1]) / (flagged[cut] - flagged[cut - 1])
        last = overlap[cut - 1] + (overlap[cut] - overlap[cut - 1]) * part
        flagged, overlap = np.append(flagged[:cut], at_limit), np.append(overlap[:cut], last)
    return float(np.trapezoid(overlap, flagged) / at_limit / components)


def exact_values(masks: NDArray[np.bool_], scores: NDArray[Any]) -> dict[str, float]:
    """AUROC, AP, the area under the trapezoid precision-recall curve, and AUPRO."""
    from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

    flat = masks.ravel(), scores.ravel()
    precision, recall, _ = precision_recall_curve(*flat)
    return {
        "AUROC": float(roc_auc_score(*flat)),
        "AP": float(average_precision_score(*flat)),
        "AUPR (trapezoid)": float(auc(recall, precision)),
        "AUPRO": aupro_by_sorting(masks, scores),
    }


def object_agreement(extent: Extent) -> list[dict[str, Any]]:
    """How far RBDC and TBDC agree with the literal loop, point by point, and both areas with a rational one."""
    records = []
    for scores, levels in (("continuous", None), ("rounded to .001", 1000)):
        data = object_workload(extent.object_frames, extent.detections, extent.tracks, levels=levels)
        points = points_by_frame(data.detections, data.tracks, data.frames)
        curves = both_object_curves(data.detections, data.tracks, data.frames)()
        n_regions = sum(len(boxes) for _, boxes in data.tracks)
        for column, name, parts in ((1, "RBDC", n_regions), (2, "TBDC", len(data.tracks))):
            curve = curves[name]
            own = list(zip(curve.fpr.tolist(), curve.rate.tolist(), strict=True))
            literal = [(point[0], point[column]) for point in points]
            exact = rational_area(points, column, data.frames, parts)
            records.append(
                {
                    "section": "objects-agreement",
                    "subject": name,
                    "workload": f"{name}, scores {scores}",
                    "points": len(own),
                    "differing": abs(len(own) - len(literal)) + sum(a != b for a, b in zip(own, literal, strict=False)),
                    "vadbench_error": float(Fraction(curve.area) - exact),
                    "literal_error": float(Fraction(area(points, column)) - exact),
                }
            )
    return records


def measured(extent: Extent) -> list[dict[str, Any]]:
    """One record a range and program, with its values and the exact ones; then the agreement of the object metrics."""
    records = []
    masks, ranges = awkward_ranges(extent.awkward_frames)
    for name, scores in list(ranges.items())[: extent.awkward_ranges]:
        facts = {"section": "awkward", "workload": name, "pixels": masks.size, "exact": exact_values(masks, scores)}
        records.append({**facts, "subject": "vadbench", "values": four_metrics(masks, scores)})
        for peer in BINNED:
            try:
                records.append({**facts, "subject": peer, "values": PEERS[peer](masks, scores)})
            except NotRunnableError as reason:
                records.append({**facts, "subject": peer, "unavailable": str(reason)})
    return records + object_agreement(extent)

"""The specification as code: statistics of clips in, numbers and curves out; and the same on plain arrays.

The functions named here take arrays; `vadbench.evaluate` calls the same metrics on the statistics of clips.
"""

from vadbench.metrics.arrays import frame_auroc_macro, frame_auroc_micro, rbdc, scale_by_frame_maximum, tbdc
from vadbench.metrics.objects import DetectionCurve, Ties
from vadbench.metrics.pixel import F1Max
from vadbench.metrics.pixel_arrays import (
    PixelMetrics,
    pixel_aupro,
    pixel_auroc,
    pixel_average_precision,
    pixel_f1,
    pixel_f1_at,
    pixel_metrics,
    pixel_pr_auc,
)

__all__ = [
    "DetectionCurve",
    "F1Max",
    "PixelMetrics",
    "Ties",
    "frame_auroc_macro",
    "frame_auroc_micro",
    "pixel_aupro",
    "pixel_auroc",
    "pixel_average_precision",
    "pixel_f1",
    "pixel_f1_at",
    "pixel_metrics",
    "pixel_pr_auc",
    "rbdc",
    "scale_by_frame_maximum",
    "tbdc",
]

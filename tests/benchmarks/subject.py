"""vadbench as the benchmarks call it: the four pixel metrics of arrays, RBDC with TBDC, and its counting loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench import Detections, Track, masks, metrics
from vadbench.kernels.codes import count_flat_words, count_words

Values = dict[str, float]


def prepared_truth(truth: NDArray[np.bool_]) -> masks.MaskRuns:
    """Truth with its components found, as it is kept between two scorings."""
    runs = masks.MaskRuns.from_array(truth)
    runs.components()
    return runs


def four_metrics(truth: NDArray[np.bool_] | masks.MaskRuns, scores: NDArray[Any]) -> Values:
    """Pixel-AUROC, AP, AUPRO and F1 of maps in memory."""
    found = metrics.pixel_metrics(truth, scores)
    return {"AUROC": found.auroc, "AP": found.average_precision, "AUPRO": found.aupro, "F1": found.f1.value}


def both_object_metrics(rows: Any, tracks: Any, frames: int) -> Callable[[], Values]:
    """A call that gives RBDC and TBDC of rows as `object_workload` makes them."""
    curves = both_object_curves(rows, tracks, frames)
    return lambda: {name: float(curve.area) for name, curve in curves().items()}


def both_object_curves(rows: Any, tracks: Any, frames: int) -> Callable[[], dict[str, Any]]:
    """A call that gives the two curves, each with its area and all its points."""
    detections = Detections(
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows]).reshape(-1, 4),
        np.array([row[3] for row in rows]),
    )
    known = [
        Track(str(index), np.array(sorted(own)), np.array([own[frame] for frame in sorted(own)]))
        for index, (_, own) in enumerate(tracks)
    ]
    return lambda: {
        "RBDC": metrics.rbdc(detections, known, frames=frames),
        "TBDC": metrics.tbdc(detections, known, frames=frames),
    }


def counting_loop(codes: NDArray[np.uint16], *, flat_areas: bool) -> Callable[[], object]:
    """A call that counts all codes into histograms by the package's own loop.

    `flat_areas` takes the loop for maps that are mostly constant.
    """
    counts = np.zeros(65536, dtype=np.uint32)
    flat = np.ascontiguousarray(codes).reshape(-1)
    kernel = count_flat_words if flat_areas else count_words
    words = flat[: flat.size // 4 * 4].view(np.uint64)
    return lambda: kernel(words, counts)

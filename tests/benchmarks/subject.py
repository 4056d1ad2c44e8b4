"""vadbench as the benchmarks call it: the four pixel metrics of arrays, RBDC with TBDC, and its counting loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peers import NotRunnableError

from vadbench import Detections, MemoryDataset, Prediction, Track, Truth, evaluate, metrics, truth

PIXEL = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1")
Values = dict[str, float]


@dataclass(frozen=True)
class PreparedTruth:
    """Truth with whatever vadbench keeps of it between two scorings; the first call fills it."""

    held: Any

    @classmethod
    def of(cls, masks: NDArray[np.bool_]) -> PreparedTruth:
        """From masks (T, H, W) bool."""
        # `evaluate`, which stands in where there is no array function of all four, takes a Truth.
        return cls(truth.MaskRuns.from_array(masks) if hasattr(metrics, "pixel_metrics") else Truth.from_arrays(masks))


def four_metrics(held: NDArray[np.bool_] | PreparedTruth, scores: NDArray[Any]) -> Values:
    """Pixel-AUROC, AP, AUPRO and F1 of maps in memory, by the array function, else by `evaluate`."""
    own = held.held if isinstance(held, PreparedTruth) else held
    array_function = getattr(metrics, "pixel_metrics", None)
    if array_function is not None:
        found = array_function(own, scores)
        best = found.f1
        return {
            "AUROC": float(found.auroc),
            "AP": float(found.average_precision),
            "AUPRO": float(found.aupro),
            "F1": float(getattr(best, "value", best)),
        }
    known = own if isinstance(own, Truth) else Truth.from_arrays(own)
    report = evaluate({"01": Prediction(score_maps=scores)}, MemoryDataset({"01": known}), metrics=list(PIXEL))
    names = ("AUROC", "AP", "AUPRO", "F1")
    return {name: float(report.scores[key].value) for name, key in zip(names, PIXEL, strict=True)}


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

    `flat_areas` takes the loop for maps that are mostly constant. Raises `NotRunnableError` where the loop has moved.
    """
    counts = np.zeros(65536, dtype=np.uint32)
    flat = np.ascontiguousarray(codes).reshape(-1)
    try:
        from vadbench.kernels.codes import count_flat_words, count_words
    except ImportError as error:
        raise NotRunnableError(str(error)) from error
    kernel = count_flat_words if flat_areas else count_words
    words = flat[: flat.size // 4 * 4].view(np.uint64)
    return lambda: kernel(words, counts)

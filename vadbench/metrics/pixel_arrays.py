"""Pixel metrics on arrays, for notebooks: checks, statistics of one array, the same functions as `evaluate` calls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vadbench.errors import DataError
from vadbench.masks import MaskRuns
from vadbench.metrics import pixel
from vadbench.metrics.array_checks import check_shape, checked_arrays, checked_scores
from vadbench.metrics.operating_points import OperatingPoints, operating_points
from vadbench.statistics.pixels import PixelStatistics, pixel_statistics
from vadbench.statistics.scores import least_flagged_score


def _check_region_overlap(fpr_limit: float, connectivity: int) -> None:
    if not 0 < fpr_limit <= 1 or connectivity not in {4, 8}:
        raise DataError(
            "D355",
            "AUPRO needs a limit and a connectivity that exist",
            expected="0 < fpr_limit ≤ 1, connectivity 4 or 8",
            got=f"fpr_limit {fpr_limit}, connectivity {connectivity}",
        )


def _points(truth: ArrayLike, scores: ArrayLike) -> OperatingPoints:
    return operating_points([_flat_statistics(truth, scores)])


def _flat_statistics(truth: ArrayLike, scores: ArrayLike, threshold: float | None = None) -> PixelStatistics:
    masks, values = checked_arrays(truth, scores)
    form = (len(masks), 1, -1) if masks.ndim > 1 and masks.size else (1, 1, -1)
    runs = MaskRuns.from_array(masks.reshape(form))
    least = None if threshold is None else least_flagged_score(threshold, _unsigned(values.dtype), inclusive=False)
    return pixel_statistics(runs, values.reshape(form), None, () if least is None else (least,))


def _unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Bool counts as uint8."""
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype


@dataclass(frozen=True)
class PixelMetrics:
    """The four pixel metrics of one pool.

    Parameters
    ----------
    auroc, average_precision, aupro : float
    f1 : F1Max
    """

    auroc: float
    average_precision: float
    aupro: float
    f1: pixel.F1Max


def pixel_metrics(
    truth: ArrayLike | MaskRuns, scores: ArrayLike, fpr_limit: float = 0.3, connectivity: int = 8
) -> PixelMetrics:
    """All four pixel metrics, for about the price of one.

    Parameters
    ----------
    truth : (T, H, W) bool, or MaskRuns
        ``MaskRuns.from_array(masks)`` keeps runs and components, so that many methods are scored on one truth without
        looking for them again.
    scores : (T, H, W) real
        Any real dtype of at most 64 bits, finite; higher is more anomalous.
    fpr_limit : float
        Of AUPRO; 0 < limit ≤ 1.
    connectivity : 8 or 4
        Of AUPRO's regions.

    Returns
    -------
    PixelMetrics

    Raises
    ------
    UndefinedMetricError
        M101 without an anomalous or without a normal pixel.
    DataError
        D350 to D355 and D359, as `pixel_auroc` and `pixel_aupro`.

    Notes
    -----
    Exact for every dtype. Scores of at most 16 bits are counted in one pass; others take at most 6 bytes a pixel (16 of
    64-bit scores) for up to 2²⁶ pixels at a time. Source: protocols.md, "Pixel metrics".

    Examples
    --------
    >>> truth = np.zeros((1, 4, 4), dtype=bool)
    >>> truth[0, 1:3, 1:3] = True
    >>> pixel_metrics(truth, truth).aupro
    1.0
    """
    _check_region_overlap(fpr_limit, connectivity)
    if isinstance(truth, MaskRuns):
        runs, values = truth, checked_scores(scores)
        check_shape((runs.frames, runs.height, runs.width), values.shape)
    else:
        masks, values = checked_arrays(truth, scores, dimensions=3)
        runs = MaskRuns.from_array(masks)
    points = operating_points([pixel_statistics(runs, values, connectivity)])
    return PixelMetrics(
        pixel.auroc(points), pixel.average_precision(points), pixel.aupro(points, fpr_limit), pixel.f1_best(points)
    )


def pixel_auroc(truth: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve: P(s⁺ > s⁻) + ½ P(s⁺ = s⁻).

    Parameters
    ----------
    truth : (…,) bool
        Anomalous or not; 0 and 1 do as well.
    scores : (…,) real
        Same shape, any real dtype, finite; higher is more anomalous. Ties count half.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    UndefinedMetricError
        M101 without an anomalous or without a normal pixel.
    DataError
        D350 to D354 for shapes, dtypes or values that are none of the above.

    Notes
    -----
    Exact: pairs are counted in integers and divided once. Time O(n log n), for integers of up to 16 bits O(n).
    Source: protocols.md, "Pixel metrics".

    Examples
    --------
    >>> pixel_auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    return pixel.auroc(_points(truth, scores))


def pixel_average_precision(truth: ArrayLike, scores: ArrayLike) -> float:
    """Average precision, step-wise: sum over distinct thresholds of recall gained times precision there.

    Parameters, errors, cost and source as `pixel_auroc`, but normal pixels are not needed.

    Examples
    --------
    >>> round(pixel_average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    return pixel.average_precision(_points(truth, scores))


def pixel_f1(truth: ArrayLike, scores: ArrayLike) -> pixel.F1Max:
    """Best F1 over all distinct thresholds, with the highest threshold that reaches it, its precision and recall.

    Parameters, errors, cost and source as `pixel_auroc`, but normal pixels are not needed.

    Examples
    --------
    >>> pixel_f1([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).threshold
    0.35
    """
    return pixel.f1_best(_points(truth, scores))


def pixel_f1_at(truth: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """F1 of the pixels with score > `threshold`, compared as real numbers; 0 where nothing is flagged.

    Parameters, errors, cost and source as `pixel_auroc`, but normal pixels are not needed.

    Examples
    --------
    >>> pixel_f1_at([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.35)
    0.5
    """
    if math.isnan(threshold):
        raise DataError("D358", "a threshold must be a number", got=str(threshold))
    return pixel.f1_at([_flat_statistics(truth, scores, threshold)], threshold, inclusive=False)


def pixel_pr_auc(truth: ArrayLike, scores: ArrayLike) -> float:
    """Area under straight lines through (recall, precision), started at (0, 1).

    What some code reports under the name AUPRO, and not the average precision. Parameters, errors, cost and source as
    `pixel_auroc`, but normal pixels are not needed.

    Examples
    --------
    >>> round(pixel_pr_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.7917
    """
    return pixel.pr_auc(_points(truth, scores))


def pixel_aupro(truth: ArrayLike, scores: ArrayLike, fpr_limit: float = 0.3, connectivity: int = 8) -> float:
    """Area under the per-region overlap up to a false-positive rate, divided by that rate.

    Parameters
    ----------
    truth : (T, H, W) bool
        Its connected sets of anomalous pixels, frame by frame, are the regions, whatever their size.
    scores : (T, H, W) real
        Any real dtype, finite; higher is more anomalous.
    fpr_limit : float
        0 < limit ≤ 1.
    connectivity : 8 or 4

    Returns
    -------
    float
        In [0, 1]; half the limit for constant scores.

    Raises
    ------
    UndefinedMetricError
        M101 without a region or without a normal pixel.
    DataError
        D350 to D354 for arrays as in `pixel_auroc`, D355 for a limit or connectivity out of range.

    Notes
    -----
    Source: protocols.md, "Pixel metrics", "Pixel-AUPRO"; Bergmann et al., IJCV 2021, for the curve.

    Examples
    --------
    >>> truth = np.zeros((1, 4, 4), dtype=bool)
    >>> truth[0, 1:3, 1:3] = True
    >>> pixel_aupro(truth, truth)
    1.0
    """
    masks, values = checked_arrays(truth, scores, dimensions=3)
    _check_region_overlap(fpr_limit, connectivity)
    statistics = pixel_statistics(MaskRuns.from_array(masks), values, connectivity)
    return pixel.aupro(operating_points([statistics]), fpr_limit)

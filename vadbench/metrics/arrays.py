"""The metrics on arrays, for notebooks: checks, statistics of one array, and the same functions as `evaluate` calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.errors import DataError, UndefinedMetricError
from vadbench.metrics import frames as frame_metrics
from vadbench.metrics import objects as object_metrics
from vadbench.metrics import pixel
from vadbench.metrics.objects import DetectionCurve, Ties
from vadbench.metrics.operating_points import OperatingPoints, operating_points
from vadbench.prediction import Detections
from vadbench.statistics.frames import FrameStatistics
from vadbench.statistics.objects import object_statistics
from vadbench.statistics.pixels import PixelAccumulator, PixelStatistics
from vadbench.statistics.pixels import scale_by_frame_maximum as scaled_by_frame_maximum
from vadbench.truth import Track


def _checked(truth: ArrayLike, scores: ArrayLike, dimensions: int | None = None) -> tuple[NDArray[np.bool_], Any]:
    masks, values = np.asarray(truth), np.asarray(scores)
    if masks.shape != values.shape:
        raise DataError("D350", "truth and scores differ in shape", expected=str(masks.shape), got=str(values.shape))
    if dimensions is not None and masks.ndim != dimensions:
        raise DataError("D351", "the arrays have the wrong shape", expected="(T, H, W)", got=str(masks.shape))
    if values.dtype.kind not in "buif":
        raise DataError("D352", "scores must be real numbers", got=f"dtype {values.dtype}")
    if masks.dtype.kind not in "bui" and not np.isin(masks, (0, 1)).all():
        raise DataError(
            "D353",
            "truth must be boolean",
            expected="bool, or 0 and 1",
            got=f"dtype {masks.dtype}",
            hint="truth comes first, scores second",
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise DataError(
            "D354", "scores must be finite", where=f"index {place}", got=str(values[place]), hint="NaN has no rank"
        )
    return masks.astype(bool), values


def _points(truth: ArrayLike, scores: ArrayLike) -> OperatingPoints:
    return operating_points([_flat_statistics(truth, scores)])


def _flat_statistics(truth: ArrayLike, scores: ArrayLike) -> PixelStatistics:
    masks, values = _checked(truth, scores)
    accumulator = PixelAccumulator(values.dtype, connectivity=None)
    accumulator.add(masks.reshape(1, -1), values.reshape(1, -1))
    return accumulator.statistics()


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
    return pixel.f1_at([_flat_statistics(truth, scores)], threshold, inclusive=False)


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
    masks, values = _checked(truth, scores, dimensions=3)
    if not 0 < fpr_limit <= 1 or connectivity not in {4, 8}:
        raise DataError(
            "D355",
            "AUPRO needs a limit and a connectivity that exist",
            expected="0 < fpr_limit ≤ 1, connectivity 4 or 8",
            got=f"fpr_limit {fpr_limit}, connectivity {connectivity}",
        )
    accumulator = PixelAccumulator(values.dtype, connectivity)
    accumulator.add(masks, values)
    return pixel.aupro(operating_points([accumulator.statistics()]), fpr_limit)


def scale_by_frame_maximum(scores: ArrayLike) -> NDArray[np.floating[Any]]:
    """Negative scores become 0, then each frame is divided by its own maximum, where that is above 0.

    Parameters
    ----------
    scores : (T, H, W) real
        Finite.

    Returns
    -------
    (T, H, W) float32 or float64
        float32 for bool, 8- and 16-bit and float32 scores, else float64.

    Notes
    -----
    Source: protocols.md, "Pixel metrics", field ``pixel.map_scaling``.
    """
    values = np.asarray(scores)
    _checked(np.zeros(values.shape, dtype=bool), values, dimensions=3)
    return scaled_by_frame_maximum(values)


def _rates(
    detections: Detections,
    tracks: Sequence[Track],
    frames: int,
    iou_threshold: float,
    track_fraction: float,
    fpr_limit: float,
    ties: Ties | str,
) -> object_metrics.DetectionRates:
    positive = iou_threshold > 0 and track_fraction > 0 and 0 < fpr_limit < math.inf
    if not positive or frames < 1 or frames != int(frames):
        raise DataError(
            "D356",
            "RBDC and TBDC need positive numbers",
            expected="iou_threshold, track_fraction and fpr_limit above 0, frames a whole number from 1",
            got=f"{iou_threshold}, {track_fraction}, {fpr_limit}, {frames}",
        )
    matched = object_statistics(detections, tracks, frames=frames, iou_threshold=iou_threshold)
    return object_metrics.detection_rates(matched, track_fraction=track_fraction, ties=Ties(ties))


def rbdc(
    detections: Detections,
    tracks: Sequence[Track],
    *,
    frames: int,
    iou_threshold: float = 0.1,
    track_fraction: float = 0.1,
    fpr_limit: float = 1.0,
    ties: Ties | str = Ties.GROUPED,
) -> DetectionCurve:
    """Area under the share of regions found against false positives per frame.

    Parameters
    ----------
    detections : Detections (N,)
        Frames 0-based, boxes half-open in pixels, higher scores more anomalous. Several clips are laid one after the
        other in time.
    tracks : sequence of Track
    frames : int
        Number of all test frames, anomalous or not.
    iou_threshold : float
        A detection meets a region of its frame at IoU ≥ this.
    track_fraction : float
        Not used by RBDC; taken so that both functions have the same arguments.
    fpr_limit : float
        False positives per frame up to which the area is taken, and by which it is divided.
    ties : Ties or str
        ``grouped``: equal scores enter together, so that the order of detections changes nothing. ``sequential``: one
        at a time by falling score, ties by frame, then by row.

    Returns
    -------
    DetectionCurve
        `area` in [0, 1].

    Raises
    ------
    UndefinedMetricError
        M101 if there is no region.
    DataError
        D356 for a parameter that is not positive.
    ProtocolError
        P101 for an unknown way to treat ties.

    Notes
    -----
    Source: protocols.md, "Regions: RBDC and TBDC".

    Examples
    --------
    >>> track = Track("0", np.array([3]), np.array([[10, 10, 20, 20]]))
    >>> found = Detections(np.array([3]), np.array([[10, 10, 20, 20]]), np.array([0.9]))
    >>> rbdc(found, [track], frames=10).area
    1.0
    """
    rates = _rates(detections, tracks, frames, iou_threshold, track_fraction, fpr_limit, ties)
    return rates.regions(fpr_limit)


def tbdc(
    detections: Detections,
    tracks: Sequence[Track],
    *,
    frames: int,
    iou_threshold: float = 0.1,
    track_fraction: float = 0.1,
    fpr_limit: float = 1.0,
    ties: Ties | str = Ties.GROUPED,
) -> DetectionCurve:
    """Area under the share of tracks found against false positives per frame.

    A track is found where at least `track_fraction` of its regions are. Everything else is as in `rbdc`.
    """
    rates = _rates(detections, tracks, frames, iou_threshold, track_fraction, fpr_limit, ties)
    return rates.tracks(fpr_limit)


def _frames(labels: ArrayLike, scores: ArrayLike) -> FrameStatistics:
    own_labels, own_scores = _checked(labels, scores)
    return FrameStatistics(own_labels.ravel(), own_scores.ravel())


def frame_auroc_micro(labels: ArrayLike, scores: ArrayLike) -> float:
    """AUROC of all frames of all clips in one pool.

    Parameters
    ----------
    labels : (T,) bool
        Whether the frame is anomalous.
    scores : (T,) real
        Finite; higher is more anomalous.

    Raises
    ------
    UndefinedMetricError
        M101 without an anomalous or without a normal frame.

    Notes
    -----
    Source: protocols.md, "Frame metrics".
    """
    own = _frames(labels, scores)
    return frame_metrics.auroc_of_frames(own.labels, own.scores)


def frame_auroc_macro(
    labels: ArrayLike,
    scores: ArrayLike,
    clips: ArrayLike,
    one_class_clips: frame_metrics.OneClassClips | str = frame_metrics.OneClassClips.SKIP,
) -> float:
    """Mean over clips of the frame AUROC of each clip.

    Parameters
    ----------
    labels : (T,) bool
    scores : (T,) real
    clips : (T,) str or int
        Clip of each frame.
    one_class_clips : OneClassClips or str
        ``skip`` leaves out clips without normal or without anomalous frames; ``pad`` adds to every clip one normal
        frame with score 0 and one anomalous frame with the largest float.

    Raises
    ------
    UndefinedMetricError
        M101 if no clip enters the mean.

    Notes
    -----
    Source: protocols.md, "Frame metrics".
    """
    own, names = _frames(labels, scores), np.asarray(clips).ravel()
    if names.shape != own.labels.shape:
        raise DataError("D350", "one clip a frame is needed", expected=str(own.labels.shape), got=str(names.shape))
    by_clip = [FrameStatistics(own.labels[names == name], own.scores[names == name]) for name in np.unique(names)]
    if not by_clip:
        raise UndefinedMetricError("there is no frame")
    return frame_metrics.macro(by_clip, frame_metrics.OneClassClips(one_class_clips)).value

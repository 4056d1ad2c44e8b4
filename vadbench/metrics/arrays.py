"""Object and frame metrics on arrays, for notebooks: checks, and the same functions as `evaluate` calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.errors import DataError, UndefinedMetricError
from vadbench.metrics import frames as frame_metrics
from vadbench.metrics import objects as object_metrics
from vadbench.metrics.array_checks import checked_arrays
from vadbench.metrics.objects import DetectionCurve, Ties
from vadbench.prediction import Detections
from vadbench.statistics.frames import FrameStatistics
from vadbench.statistics.objects import object_statistics
from vadbench.statistics.pixels import scale_by_frame_maximum as scaled_by_frame_maximum
from vadbench.truth import Track


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
    checked_arrays(np.zeros(values.shape, dtype=bool), values, dimensions=3)
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
    own_labels, own_scores = checked_arrays(labels, scores)
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

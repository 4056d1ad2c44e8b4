"""Statistics of the detections of a clip: which detection meets which region of which track.

Source: protocols.md, "Regions: RBDC and TBDC".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.boxes import intersection_over_union
from vadbench.prediction import Detections
from vadbench.truth import Track


@dataclass(frozen=True)
class ObjectStatistics:
    """All that RBDC and TBDC need of a clip, or of clips laid one after the other in time.

    Parameters
    ----------
    frames : int
        Number of frames, anomalous or not.
    scores : (N,) real
        Of the detections in reading order: frame, then row.
    meets_detection, meets_region : (P,) int64
        Pairs of a detection (index into `scores`) and a region of its frame with enough IoU.
    region_track : (R,) int64
        Track of each region.
    n_tracks : int
        Number of tracks K; each has at least one region.
    """

    frames: int
    scores: NDArray[Any]
    meets_detection: NDArray[np.int64]
    meets_region: NDArray[np.int64]
    region_track: NDArray[np.int64]
    n_tracks: int

    @property
    def n_regions(self) -> int:
        """Number of regions R."""
        return int(self.region_track.size)

    @property
    def false_positive(self) -> NDArray[np.bool_]:
        """Which detections, (N,) bool, meet no region of their frame."""
        false = np.ones(self.scores.size, dtype=bool)
        false[self.meets_detection] = False
        return false


def object_statistics(
    detections: Detections, tracks: Sequence[Track], *, frames: int, iou_threshold: float
) -> ObjectStatistics:
    """Match the detections of a clip with the regions of its tracks.

    Parameters
    ----------
    detections : Detections (N,)
    tracks : sequence of Track
        Possibly empty.
    frames : int
        Number of frames of the clip.
    iou_threshold : float
        A detection meets a region of its frame at IoU ≥ this, above 0.

    Returns
    -------
    ObjectStatistics
        Time and memory are proportional to the pairs of a detection and a region in the same frame.
    """
    order = np.argsort(detections.frames, kind="stable")
    detection_frames, boxes = detections.frames[order], detections.boxes[order].astype(np.float64)

    none = [np.zeros(0, dtype=np.int64)]
    region_frames = np.concatenate([*(track.frames for track in tracks), *none])
    region_boxes = np.concatenate([*(track.boxes for track in tracks), np.zeros((0, 4))])
    region_track = np.concatenate([*(np.full(len(t.frames), k) for k, t in enumerate(tracks)), *none])

    by_frame = np.argsort(region_frames, kind="stable")
    sorted_frames = region_frames[by_frame]
    first = np.searchsorted(sorted_frames, detection_frames, side="left")
    candidates = np.searchsorted(sorted_frames, detection_frames, side="right") - first
    detection = np.repeat(np.arange(len(order)), candidates)
    within = np.arange(len(detection)) - np.repeat(np.cumsum(candidates) - candidates, candidates)
    region = by_frame[np.repeat(first, candidates) + within]
    meets = intersection_over_union(region_boxes[region], boxes[detection]) >= iou_threshold
    return ObjectStatistics(
        frames=frames,
        scores=detections.scores[order],
        meets_detection=detection[meets].astype(np.int64),
        meets_region=region[meets].astype(np.int64),
        region_track=region_track.astype(np.int64),
        n_tracks=len(tracks),
    )


def laid_in_line(statistics: Sequence[ObjectStatistics]) -> ObjectStatistics:
    """Lay the statistics of several clips one after the other in time, in the order given."""
    detections = np.cumsum([0, *(own.scores.size for own in statistics)])
    regions = np.cumsum([0, *(own.n_regions for own in statistics)])
    tracks = np.cumsum([0, *(own.n_tracks for own in statistics)])
    each = range(len(statistics))
    return ObjectStatistics(
        frames=sum(own.frames for own in statistics),
        scores=np.concatenate([own.scores for own in statistics]),
        meets_detection=np.concatenate([statistics[k].meets_detection + detections[k] for k in each]),
        meets_region=np.concatenate([statistics[k].meets_region + regions[k] for k in each]),
        region_track=np.concatenate([statistics[k].region_track + tracks[k] for k in each]),
        n_tracks=int(tracks[-1]),
    )

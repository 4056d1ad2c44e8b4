"""Boxes with scores where a submission brings masks or maps: from instances, and from components of score maps.

Source: protocols.md, "Which prediction feeds which metric" and field ``object.merge``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.boxes import merge_overlapping
from vadbench.choices import Choice
from vadbench.masks import MaskRuns
from vadbench.prediction import Detections, Instances
from vadbench.statistics.keys import score_keys, scores_of
from vadbench.statistics.scores import least_flagged_score
from vadbench.truth import Track


class Merge(Choice):
    """Which boxes from instances are merged where they overlap (field ``object.merge``)."""

    SAME_OBJECT = "same-object"
    NONE = "none"
    SAME_FRAME = "same-frame"


class InstanceScores(Choice):
    """What an instance's score counts as (field ``instances.scores``)."""

    GIVEN = "given"
    ONE = "one"


class TrackBoxes(Choice):
    """How the boxes of the truth are read (field ``object.track_boxes``)."""

    AS_IS = "as-is"
    ONE_LARGER = "one-larger"


def instance_scores(instances: Instances, scores: InstanceScores) -> NDArray[Any]:
    """Score of each instance, (N,), as the protocol counts it."""
    return instances.scores if scores is InstanceScores.GIVEN else np.ones_like(instances.scores)


def detections_from_instances(
    instances: Instances, *, merge: Merge, merge_iou: float, scores: InstanceScores
) -> Detections:
    """One box an instance, then merging; in order of frame, within it as the masks stand or as merging sorts them.

    Within one frame and object id (``same-object``; instances without ids are never merged) or within one frame
    (``same-frame``) the boxes with IoU > `merge_iou` are replaced by the smallest box around them.
    """
    boxes, own_scores = instances.boxes(), instance_scores(instances, scores)
    frames = instances.frames.astype(np.int64)
    if merge is Merge.NONE or (merge is Merge.SAME_OBJECT and instances.objects is None):
        return Detections(frames, boxes, own_scores)
    groups: dict[tuple[int, int], list[int]] = {}
    objects = instances.objects if merge is Merge.SAME_OBJECT else None
    for row, frame in enumerate(frames.tolist()):
        groups.setdefault((frame, -1 if objects is None else int(objects[row])), []).append(row)
    merged = [
        (frame, *merge_overlapping(boxes[rows], own_scores[rows], merge_iou)) for (frame, _), rows in groups.items()
    ]
    return Detections(
        np.concatenate([*(np.full(len(own), frame) for frame, own, _ in merged), np.zeros(0, dtype=np.int64)]),
        np.concatenate([*(own for _, own, _ in merged), np.zeros((0, 4), dtype=np.int64)]),
        np.concatenate([*(own for _, _, own in merged), np.zeros(0, dtype=own_scores.dtype)]),
    )


class ComponentDetections:
    """Collects the components of score maps ≥ a declared threshold, each scored by its highest pixel.

    Parameters
    ----------
    threshold : float
        In stored units; compared as a real number whatever the dtype of the maps.
    dtype : dtype of the maps
    """

    def __init__(self, threshold: float, dtype: np.dtype[Any]) -> None:
        self._least = least_flagged_score(threshold, dtype, inclusive=True)
        self._frames = [np.zeros(0, dtype=np.int64)]
        self._boxes = [np.zeros((0, 4), dtype=np.int64)]
        self._scores = [np.zeros(0, dtype=dtype)]

    def add(self, first_frame: int, scores: NDArray[Any]) -> None:
        """Take in the score maps (n, H, W) of the frames from `first_frame` on."""
        if self._least is None:
            return
        from vadbench.kernels.masks import gather_runs

        runs = MaskRuns.from_array(scores >= self._least[0])
        components = runs.components()
        if not components.sizes.size:
            return
        keys = score_keys(scores).reshape(len(scores), -1)
        flagged = np.empty(components.sizes.sum(), dtype=keys.dtype)
        gather_runs(keys, components.offsets, components.starts, components.lengths, flagged)
        self._frames.append(np.repeat(first_frame + np.arange(len(scores)), np.diff(components.component_offsets)))
        self._boxes.append(components.boxes(runs.width))
        highest = np.maximum.reduceat(flagged, np.cumsum(components.sizes) - components.sizes)
        self._scores.append(scores_of(highest, scores.dtype))

    def detections(self) -> Detections:
        """All components as detections, by frame, then in raster order of their first pixel."""
        return Detections(np.concatenate(self._frames), np.concatenate(self._boxes), np.concatenate(self._scores))


def track_boxes_read_as(tracks: Iterable[Track], reading: TrackBoxes) -> list[Track]:
    """Tracks with their boxes as they are, or one pixel larger to the right and below, beyond the frame too."""
    if reading is TrackBoxes.AS_IS:
        return list(tracks)
    return [Track(track.id, track.frames, track.boxes + np.array([0.0, 0.0, 1.0, 1.0])) for track in tracks]

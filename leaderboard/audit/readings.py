"""Readings: protocols that a paper's numbers may have come from, in words and as a signature writes them.

Source: docs/audit.md, "Readings"; docs/protocols.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Family(StrEnum):
    """What a reading speaks of."""

    PIXELS = "pixels"
    OBJECTS = "objects"


@dataclass(frozen=True)
class Reading:
    """One way to read a row.

    Parameters
    ----------
    id : str
        For files and links.
    title : str
        In words.
    short : str
        The same in two or three words, where there is little room.
    family : Family
    protocol : str
        As a signature writes it; for objects the tracks.
    aupro : str
        What the column AUPRO is taken for: ``region-overlap``, ``pr-trapezoid``; empty where it is not used.
    assumption : str
        What is taken for granted, in one sentence.
    """

    id: str
    title: str
    short: str
    family: Family
    protocol: str
    aupro: str
    assumption: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "id": self.id,
            "title": self.title,
            "short": self.short,
            "family": str(self.family),
            "protocol": self.protocol,
            "aupro": self.aupro,
            "assumption": self.assumption,
        }


REGION_OVERLAP, PR_TRAPEZOID = "region-overlap", "pr-trapezoid"
_ONE_MASK = "Every pixel is flagged or not. F1 is that of the mask, or the best over thresholds."
_LIMIT = "AUPRO is by overlap with regions, up to a false-positive rate of 0.3."
_ANY_SCORES = "Any scores. All four numbers are of the same scores, F1 the best over thresholds."
_FRAMES = "standard+pixel.pooling=frame-mean+pixel.frames=anomalous"

POOLED_MASKS = Reading(
    "pooled-masks",
    "pooled, binary masks",
    "pooled (masks)",
    Family.PIXELS,
    "standard",
    REGION_OVERLAP,
    f"{_ONE_MASK} All frames, one pool. {_LIMIT}",
)
POOLED_MASKS_PR_AUC = Reading(
    "pooled-masks-pr-auc",
    "pooled, binary masks, AUPRO is PR-AUC",
    "pooled (masks, PR-AUC)",
    Family.PIXELS,
    "standard+pixel.aupro=pr-trapezoid",
    PR_TRAPEZOID,
    f"{_ONE_MASK} All frames, one pool.",
)
ANOMALOUS_MASKS_PR_AUC = Reading(
    "anomalous-frames-masks-pr-auc",
    "pooled over anomalous frames, binary masks, AUPRO is PR-AUC",
    "anomalous frames (masks)",
    Family.PIXELS,
    "standard+pixel.frames=anomalous+pixel.aupro=pr-trapezoid",
    PR_TRAPEZOID,
    f"{_ONE_MASK} Frames with an anomalous pixel, one pool.",
)
POOLED_SOFT = Reading(
    "pooled-soft",
    "pooled, soft scores, best F1",
    "pooled (soft)",
    Family.PIXELS,
    "standard",
    REGION_OVERLAP,
    f"{_ANY_SCORES} {_LIMIT}",
)
POOLED_SOFT_PR_AUC = Reading(
    "pooled-soft-pr-auc",
    "pooled, soft scores, best F1, AUPRO is PR-AUC",
    "pooled (soft, PR-AUC)",
    Family.PIXELS,
    "standard+pixel.aupro=pr-trapezoid",
    PR_TRAPEZOID,
    _ANY_SCORES,
)
POOLED_SOFT_CUT = Reading(
    "pooled-soft-cut",
    "pooled, soft scores, F1 at one cut",
    "pooled (soft, one cut)",
    Family.PIXELS,
    "standard+pixel.f1=at(0.5)",
    "",
    "Any scores, and any cut, the same for all frames. AUPRO is not used.",
)
FRAME_MEAN_SOFT = Reading(
    "frame-mean-soft",
    "mean over anomalous frames, soft scores, best F1 of each",
    "frame mean (soft)",
    Family.PIXELS,
    _FRAMES,
    "",
    "Any scores; each frame has its own thresholds, and none counts 0. AUPRO is not used.",
)
TAO_RELEASE_MASKS = Reading(
    "tao-release-masks",
    "tao-release, binary masks",
    "tao-release (masks)",
    Family.PIXELS,
    "tao-release",
    PR_TRAPEZOID,
    "Every pixel is flagged or not; means over anomalous frames; a frame without a flagged pixel counts 0.",
)
TAO_RELEASE_SOFT = Reading(
    "tao-release-soft",
    "tao-release, soft maps",
    "tao-release (soft)",
    Family.PIXELS,
    "tao-release",
    PR_TRAPEZOID,
    "Any scores; means over anomalous frames; F1 at half of a frame's maximum; an empty frame counts 0.",
)
TRACKS = Reading(
    "tracks",
    "objects, on the tracks of this benchmark",
    "objects, our tracks",
    Family.OBJECTS,
    "tracks=mask-overlap (UCSD Ped2), tracks=aed (ShanghaiTech)",
    "",
    "The tracks' sizes are those of this benchmark, and a track is found with a tenth of its regions.",
)

READINGS = (
    POOLED_MASKS,
    POOLED_MASKS_PR_AUC,
    ANOMALOUS_MASKS_PR_AUC,
    POOLED_SOFT,
    POOLED_SOFT_PR_AUC,
    POOLED_SOFT_CUT,
    FRAME_MEAN_SOFT,
    TAO_RELEASE_MASKS,
    TAO_RELEASE_SOFT,
    TRACKS,
)
"""All readings, in the order they are shown."""

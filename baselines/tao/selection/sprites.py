"""Sprites: people cut out of training clips, with which synthetic anomalies are made.

A person who walks through the picture on their own is a sequence of crops with masks. Played faster, widened or
enlarged, and pasted into another clip of the same view, it is an anomaly whose every pixel is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.segmentation.object_masks import Evidence, MaskSettings, object_mask
from vadbench import UsageError
from vadbench.boxes import intersection_over_union

_MARGIN = 4
"""Pixels around a mask that a sprite keeps, so that its edge can be soft."""


@dataclass(frozen=True)
class Sprite:
    """A person in consecutive frames.

    Parameters
    ----------
    images : tuple of (h, w) uint8
        Crops in grey.
    masks : tuple of (h, w) bool
    places : (n, 2) int64
        Left and top of each crop in its frame, in pixels.
    """

    images: tuple[NDArray[np.uint8], ...]
    masks: tuple[NDArray[np.bool_], ...]
    places: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)


def cut_sprites(
    frames: NDArray[np.uint8],
    background: NDArray[np.float32],
    linked: BoxTable,
    *,
    least_frames: int = 40,
    foreground: float = 12.0,
) -> list[Sprite]:
    """Sprites of a clip, one for each long stretch of a person's boxes that no other box touches.

    Parameters
    ----------
    frames : (T, H, W) uint8
        In grey (`grey_frames_of`).
    background : (H, W) float32
        Grey levels without people.
    linked : BoxTable
        All boxes of the clip with labels.
    least_frames : int
        Shorter stretches are left out.
    foreground : float
        Difference to the background, in grey levels, from which a pixel belongs to the person.

    Raises
    ------
    UsageError
        B270 if the boxes have no labels.
    """
    if linked.labels is None:
        raise UsageError("B270", "the boxes have no labels yet", hint="link them with filter_boxes, matches=0")
    alone = _alone(linked)
    settings = MaskSettings(margin=0.15, foreground=foreground, moving=0.0, iterations=0, least_part=0.5)
    sprites = []
    for label in np.unique(linked.labels[linked.labels >= 0]):
        rows = np.flatnonzero((linked.labels == label) & alone)
        for stretch in np.split(rows, np.flatnonzero(np.diff(linked.frames[rows]) != 1) + 1):
            if len(stretch) < least_frames:
                continue
            parts = [_cut(frames[linked.frames[row]], background, linked.boxes[row], settings) for row in stretch]
            if all(part is not None for part in parts):
                images, masks, places = zip(*[part for part in parts if part is not None], strict=True)
                sprites.append(Sprite(tuple(images), tuple(masks), np.array(places)))
    return sprites


def _alone(table: BoxTable) -> NDArray[np.bool_]:
    alone = np.zeros(len(table), dtype=np.bool_)
    for _, rows in table.by_frame():
        overlaps = intersection_over_union(table.boxes[rows][:, None], table.boxes[rows])
        np.fill_diagonal(overlaps, 0.0)
        alone[rows] = ~(overlaps > 0.0).any(axis=1)
    return alone


def _cut(
    frame: NDArray[np.uint8], background: NDArray[np.float32], box: NDArray[np.float64], settings: MaskSettings
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], tuple[int, int]] | None:
    difference = np.abs(frame.astype(np.float32) - background)
    mask = object_mask(Evidence(frame, difference, np.zeros_like(difference)), box, settings)
    share = mask.sum() / max(1.0, float(np.prod(box[2:] - box[:2])))
    if share < 0.2:
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = max(rows[0] - _MARGIN, 0), max(columns[0] - _MARGIN, 0)
    window = slice(top, rows[-1] + 1 + _MARGIN), slice(left, columns[-1] + 1 + _MARGIN)
    return frame[window].copy(), mask[window].copy(), (int(left), int(top))

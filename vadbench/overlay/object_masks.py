"""Masks of objects in colours of their own, which an object keeps over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vadbench.overlay.picture import enlarged, inner_border

if TYPE_CHECKING:
    from vadbench.prediction import Instances

OBJECT_COLOURS = (
    (230, 159, 0), (86, 180, 233), (240, 228, 66), (213, 94, 0), (204, 121, 167), (0, 114, 178), (178, 223, 138),
    (255, 127, 127), (170, 120, 255), (190, 140, 90),
)  # fmt: skip
"""Of ids counted on from 0, then from the beginning again; none near that of the truth."""

NO_OBJECT_COLOUR = OBJECT_COLOURS[0]
"""Of masks without identity."""

_OPACITY = 0.5


def object_colour(object_id: int | None) -> tuple[int, int, int]:
    """Colour of an object, by its id within the clip; one colour for all masks without."""
    return NO_OBJECT_COLOUR if object_id is None else OBJECT_COLOURS[object_id % len(OBJECT_COLOURS)]


def masks_over(picture: NDArray[np.uint8], instances: Instances, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Blend the masks of some rows over a picture, those with higher scores over the others.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    instances : Instances
    rows : (n,) int64

    Returns
    -------
    (H, W, 3) uint8
    """
    shown = picture.astype(np.float64)
    for row in rows[np.argsort(instances.scores[rows], kind="stable")]:
        mask = instances.mask(int(row))
        shown[mask] = (1.0 - _OPACITY) * picture[mask] + _OPACITY * np.array(_colour(instances, int(row)))
    return np.rint(shown).astype(np.uint8)


def draw_mask_borders(
    picture: NDArray[np.uint8], instances: Instances, rows: NDArray[np.int64], scale: int
) -> NDArray[np.uint8]:
    """Draw the border of each mask into an enlarged picture, which is changed and given back."""
    for row in rows[np.argsort(instances.scores[rows], kind="stable")]:
        mask = enlarged(instances.mask(int(row)), scale)
        picture[inner_border(mask, min(scale, 2))] = _colour(instances, int(row))
    return picture


def _colour(instances: Instances, row: int) -> tuple[int, int, int]:
    return object_colour(None if instances.objects is None else int(instances.objects[row]))

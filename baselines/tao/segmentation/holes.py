"""Small holes in a mask, filled: SAM2 fills them with a CUDA kernel only, this works everywhere and the same.

Source: tao.md, section 6, "Install" (hole filling).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fill_holes(mask: NDArray[np.bool_], area: int) -> NDArray[np.bool_]:
    """Mask with its small holes filled.

    A hole is a component of the background (pixels that touch at sides or corners, as in SAM2) that nowhere touches
    the border of the frame; it is filled where it has at most `area` pixels.

    Parameters
    ----------
    mask : (H, W) bool
        May be empty of foreground, or of pixels.
    area : int
        In pixels; 0 fills nothing.

    Returns
    -------
    (H, W) bool
        The same array where there is nothing to fill, else a new one; the given one is never changed.

    Notes
    -----
    SAM2 fills the masks of its own coarse grid before it resizes them; here the pixels are those of the frame.

    Source: tao.md, section 6, "Install".

    Examples
    --------
    >>> ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
    >>> fill_holes(ring, area=1).all()
    np.True_
    >>> fill_holes(ring, area=0) is ring
    True
    """
    from scipy import ndimage

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if area <= 0 or not len(rows):
        return mask
    # A hole lies inside the extremal box of the foreground, so the rest of the frame need not be searched.
    inside = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    labels, _ = ndimage.label(~mask[inside], structure=np.ones((3, 3), dtype=bool))
    areas = np.bincount(labels.reshape(-1))
    is_hole = areas <= area
    is_hole[0] = False
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        is_hole[edge] = False
    if not is_hole.any():
        return mask
    filled = mask.copy()
    filled[inside] |= is_hole[labels]
    return filled

"""A picture of what settings were chosen on: a row of frames for each pasted clip."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from baselines.tao.extras import opencv

_LARGEST = 360
"""Width in pixels up to which frames are shown as they are."""
_GAP = 4


def contact_sheet(rows: Sequence[Sequence[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """Pictures side by side in rows, on white.

    Parameters
    ----------
    rows : sequence of sequences of (h, w, 3) uint8
        Of any sizes; wide ones are made smaller. A row may be empty; not all of them.

    Returns
    -------
    (H, W, 3) uint8
    """
    small = [[_fitted(picture) for picture in row] for row in rows if row]
    height = max(picture.shape[0] for row in small for picture in row) + _GAP
    width = max(picture.shape[1] for row in small for picture in row) + _GAP
    sheet = np.full((len(small) * height + _GAP, max(map(len, small)) * width + _GAP, 3), 255, dtype=np.uint8)
    for number, row in enumerate(small):
        for place, picture in enumerate(row):
            top, left = _GAP + number * height, _GAP + place * width
            sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return sheet


def png(picture: NDArray[np.uint8]) -> bytes:
    """A picture, (H, W, 3) uint8, as the content of a PNG file."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="PNG")
    return content.getvalue()


def _fitted(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    if width <= _LARGEST:
        return picture
    cv2 = opencv()
    size = _LARGEST, max(1, round(height * _LARGEST / width))
    smaller: NDArray[np.uint8] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return smaller

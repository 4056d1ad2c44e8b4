"""The pixels of a box: whole rows and columns, for boxes whose edges lie between pixels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Window = tuple[slice, slice]
"""Rows and columns."""


def pixel_window(box: NDArray[np.float64], shape: tuple[int, ...]) -> Window:
    """Rows and columns of the pixels that a box touches, inside the frame, at least one of each.

    Parameters
    ----------
    box : (4,) float64
        Half-open ``x1, y1, x2, y2``; may reach over the edge of the frame.
    shape : tuple of int
        Of the frame, height and width first.

    Examples
    --------
    >>> pixel_window(np.array([1.5, 0.0, 3.0, 2.1]), (2, 8))
    (slice(0, 2, None), slice(1, 3, None))
    """
    x1, y1, x2, y2 = box.tolist()
    return _touched(y1, y2, shape[0]), _touched(x1, x2, shape[1])


def pixel_windows(boxes: NDArray[np.float64], shape: tuple[int, ...]) -> list[Window]:
    """Window of each box, (N, 4); see `pixel_window`."""
    return [pixel_window(box, shape) for box in boxes]


def _touched(low: float, high: float, size: int) -> slice:
    first = min(max(math.floor(low), 0), size - 1)
    return slice(first, max(first + 1, min(math.ceil(high), size)))

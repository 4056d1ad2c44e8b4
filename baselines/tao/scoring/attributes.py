"""What is measured of a box: velocity and shape. An attribute is a row of numbers for each box.

Source: tao.md, section 3 (velocity), and the issue's "shape and position".
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from baselines.tao.frame_views import FrameView
from baselines.tao.perspective import Perspective
from baselines.tao.pixel_windows import pixel_windows

Boxes = NDArray[np.float64]
Features = NDArray[np.float64]


class Attribute(Protocol):
    """Measures the boxes of one frame."""

    needs_flow: bool

    def measure(self, view: FrameView, boxes: Boxes) -> Features:
        """Features of each box, (N, D) float64, finite; D also without boxes.

        Parameters
        ----------
        view : FrameView
            With flow, if `needs_flow`.
        boxes : (N, 4) float64
            Half-open and inside the frame, each with an area.
        """
        ...


class Velocity:
    """How fast the pixels of a box move, by direction, in usual heights a frame.

    Bin d holds the mean, over the pixels of the box, of the speed of those that move in direction d (others count 0),
    as in the scorer of TAO. Box heights there, usual heights at the place of the box here: a cart is not
    slower because it is tall.

    Parameters
    ----------
    perspective : Perspective
    directions : int
        Number of equal bins of direction; 1 is the mean speed.
    core : float
        Share of the fastest pixels of the box that count, in (0, 1]; 1 takes all, and background with them.
    """

    needs_flow = True

    def __init__(self, perspective: Perspective, directions: int, core: float) -> None:
        self._perspective, self._directions, self._core = perspective, directions, core

    def measure(self, view: FrameView, boxes: Boxes) -> Features:
        """Mean speed in each direction, (N, directions); zeros without flow."""
        found = np.zeros((len(boxes), self._directions))
        # Flow takes time: it is left alone in frames without boxes.
        if not len(boxes) or view.flow is None:
            return found
        speed, bins = view.speed, direction_bins(view.flow, self._directions)
        for row, (rows, columns) in enumerate(pixel_windows(boxes, speed.shape)):
            speeds, directions = speed[rows, columns].ravel(), bins[rows, columns].ravel()
            counted = max(1, round(self._core * speeds.size))
            if counted < speeds.size:
                fastest = np.argpartition(speeds, speeds.size - counted)[speeds.size - counted :]
                speeds, directions = speeds[fastest], directions[fastest]
            found[row] = np.bincount(directions, weights=speeds, minlength=self._directions) / counted
        return found / self._perspective.usual_height(boxes)[:, None]


class Shape:
    """Size and proportions of a box against what is usual at its place: logarithms of height and width.

    Parameters
    ----------
    perspective : Perspective
    """

    needs_flow = False

    def __init__(self, perspective: Perspective) -> None:
        self._perspective = perspective

    def measure(self, view: FrameView, boxes: Boxes) -> Features:
        """Logarithms of height and width in usual heights, (N, 2)."""
        del view
        usual = self._perspective.usual_height(boxes)
        return np.log(np.stack([boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]], axis=1) / usual[:, None])


def direction_bins(flow: NDArray[np.float32], directions: int) -> NDArray[np.int64]:
    """Direction of the motion of each pixel, (H, W) in [0, directions).

    Bin 0 begins at the direction of x; y points down, so bins go on clockwise as one sees it.

    Parameters
    ----------
    flow : (H, W, 2) float32
        Motion (x, y); what stands still is in bin 0.
    directions : int
        Number of equal bins.
    """
    if directions == 1:
        return np.zeros(flow.shape[:2], dtype=np.int64)
    turn = np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi) % 1.0
    return np.minimum((turn * directions).astype(np.int64), directions - 1)

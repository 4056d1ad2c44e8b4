"""From foreground to boxes: what hangs together is an object, or a group that is split into its members.

A group is split where it is thick: the middles of its members are the peaks of the distance to the edge, after
scaling by the usual box, which makes people as wide as they are high. A body that is thick once, however large, such as
a cart, stays whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from baselines.tao.detection.settings import BackgroundDetectionSettings
from baselines.tao.extras import opencv
from baselines.tao.perspective import Perspective

_UNIT = 20
"""Pixels of the usual width and height after scaling; distances to the edge are as fine as that."""
_LEAST_OBJECTS = 20
_GUESSED_HEIGHT, _GUESSED_ASPECT = 0.12, 0.5
"""Of people, as a share of the frame's height, and width by height; used where too few objects teach better."""

Pixels = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows and columns of pixels, (N,) each."""


@dataclass(frozen=True)
class UsualBox:
    """Size of a usual box of a view.

    Parameters
    ----------
    perspective : Perspective
        Height by place.
    height : float
        Median height in pixels.
    aspect : float
        Median of width by height.
    """

    perspective: Perspective
    height: float
    aspect: float

    @classmethod
    def guessed(cls, frame_height: int) -> Self:
        """A person of usual size, before anything is known."""
        height = _GUESSED_HEIGHT * frame_height
        return cls(Perspective(height, 0.0, height), height, _GUESSED_ASPECT)

    @classmethod
    def of_boxes(cls, boxes: Sequence[NDArray[np.float64]], frame_height: int) -> Self:
        """Learned from boxes (n, 4) of several frames; guessed if there are too few of them."""
        every = np.concatenate([*boxes, np.empty((0, 4))])
        if len(every) < _LEAST_OBJECTS:
            return cls.guessed(frame_height)
        widths, heights = every[:, 2] - every[:, 0], every[:, 3] - every[:, 1]
        return cls(Perspective.fit(boxes), float(np.median(heights)), float(np.median(widths / heights)))

    def size(self, box: Sequence[float]) -> tuple[float, float]:
        """Usual width and height in pixels at the lower edge of a box."""
        height = float(self.perspective.usual_height(np.array([box], dtype=np.float64))[0])
        return height * self.aspect, height


def object_boxes(
    foreground: NDArray[np.uint8], usual: UsualBox, settings: BackgroundDetectionSettings, *, split: bool = True
) -> NDArray[np.float64]:
    """Boxes of the objects of a frame.

    Parameters
    ----------
    foreground : (H, W) uint8
        0 for background.
    usual : UsualBox
    settings : BackgroundDetectionSettings
    split : bool
        Whether groups are split.

    Returns
    -------
    (n, 4) float64
        Half-open, of whole pixels, in order of (y1, x1, y2, x2).
    """
    cv2 = opencv()
    closed = _closed(foreground, usual, settings)
    _, numbers, statistics, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    boxes: list[tuple[int, int, int, int]] = []
    # Component 0 is the background.
    for number, (x, y, width, height, area) in enumerate(statistics[1:].tolist(), start=1):
        usual_width, usual_height = usual.size((x, y, x + width, y + height))
        least = settings.least_area * usual_width * usual_height
        if area < least:
            continue
        is_group = width >= settings.group * usual_width or height >= settings.group * usual_height
        if not (split and is_group):
            boxes.append((x, y, x + width, y + height))
            continue
        component = numbers[y : y + height, x : x + width] == number
        for rows, columns in _parts(component, usual_width, usual_height, settings):
            if len(rows) >= least:
                top, left = int(rows.min()), int(columns.min())
                boxes.append((x + left, y + top, x + int(columns.max()) + 1, y + int(rows.max()) + 1))
    return np.array(sorted(boxes, key=lambda box: (box[1], box[0], box[3], box[2])), dtype=np.float64).reshape(-1, 4)


def _closed(foreground: NDArray[np.uint8], usual: UsualBox, settings: BackgroundDetectionSettings) -> NDArray[np.uint8]:
    cv2 = opencv()
    size = _odd(settings.gap_width * usual.height * usual.aspect), _odd(settings.gap_height * usual.height)
    if size == (1, 1):
        return foreground
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)
    return np.asarray(cv2.morphologyEx(foreground, cv2.MORPH_CLOSE, kernel), dtype=np.uint8)


def _odd(length: float) -> int:
    """Nearest odd number of pixels, at least 1."""
    return 2 * max(0, round((length - 1) / 2)) + 1


def _parts(
    component: NDArray[np.bool_], usual_width: float, usual_height: float, settings: BackgroundDetectionSettings
) -> list[Pixels]:
    """The members of a group, one where it has one middle; pixels go to the nearest middle."""
    scale_x, scale_y = _UNIT / usual_width, _UNIT / usual_height
    middles = _middles(component, scale_x, scale_y, settings)
    rows, columns = np.nonzero(component)
    if len(middles) < 2:
        return [(rows, columns)]
    places = np.stack([(columns + 0.5) * scale_x, (rows + 0.5) * scale_y], axis=1)
    nearest = _nearest(places, middles)
    order = np.argsort(nearest, kind="stable")
    ends = np.searchsorted(nearest[order], np.arange(1, len(middles)))
    return [_largest_piece(rows[own], columns[own]) for own in np.split(order, ends) if len(own)]


def _nearest(places: NDArray[np.floating[Any]], middles: NDArray[np.float64]) -> NDArray[np.int32]:
    """Number of the nearest of the middles (n, 2) for each of the places (N, 2), (N,); of equals the first.

    One middle after the other: a noisy frame is one component of hundreds of middles, and a table of all distances
    would take gigabytes.
    """
    x, y = places.T
    least = np.full(len(places), np.inf)
    nearest = np.zeros(len(places), dtype=np.int32)
    for number, (middle_x, middle_y) in enumerate(middles):
        distance = (x - middle_x) ** 2 + (y - middle_y) ** 2
        is_nearer = distance < least
        least[is_nearer] = distance[is_nearer]
        nearest[is_nearer] = number
    return nearest


def _largest_piece(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Pixels:
    """What is near to a middle may be cut off from it: of the pieces that hang together, the largest; the first."""
    cv2 = opencv()
    # Pieces are numbered by blocks of 2 by 2 pixels: the blocks lie as in the whole group, so that it does not matter
    # for which of equal pieces is first that they are looked at in a part of it.
    top, left = int(rows.min()) // 2 * 2, int(columns.min()) // 2 * 2
    part = np.zeros((int(rows.max()) + 1 - top, int(columns.max()) + 1 - left), dtype=np.uint8)
    part[rows - top, columns - left] = 1
    _, pieces, statistics, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    is_own = pieces[rows - top, columns - left] == 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())
    return rows[is_own], columns[is_own]


def _middles(
    component: NDArray[np.bool_], scale_x: float, scale_y: float, settings: BackgroundDetectionSettings
) -> NDArray[np.float64]:
    """Peaks of the distance to the edge, (n, 2) as x, y in the scaled component."""
    cv2 = opencv()
    height, width = component.shape
    size = max(1, round(width * scale_x)), max(1, round(height * scale_y))
    # The border counts as edge.
    scaled: NDArray[Any] = cv2.resize(component.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    inside = cv2.copyMakeBorder((scaled > 127).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    reach = max(1, round(settings.part_distance * _UNIT))
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    is_peak = (distance >= cv2.dilate(distance, around)) & (distance > settings.part_core * _UNIT / 2)
    _, _, _, centres = cv2.connectedComponentsWithStats(is_peak.astype(np.uint8), connectivity=8)
    # Pixel centres, without the border that was added.
    return np.asarray(centres[1:] - 0.5, dtype=np.float64)

"""The mask of the object in a box, from what differs from the background and what moves: no weights.

A stand-in for a promptable segmentation model: GrabCut (Rother, Kolmogorov and Blake, 2004) inside the box, seeded with
the foreground, on three channels that tell an object from what is behind and beside it: grey level, difference to the
background, and speed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from baselines.tao.extras import opencv
from baselines.tao.pixel_windows import Window, pixel_window
from vadbench import UsageError

_UNSURE, _SURE, _FULL = 0.3, 1.2, 2.0
"""Differences to the background, in shares of `MaskSettings.foreground`: below the first a pixel is surely none of the
object's, above the second a seed surely is, and above the third more difference says nothing more."""


@dataclass(frozen=True)
class Evidence:
    """What a frame shows at each pixel.

    Parameters
    ----------
    grey : (H, W) uint8
    difference : (H, W) float32
        Absolute difference to the background in grey levels.
    speed : (H, W) float32
        Pixels a frame.
    """

    grey: NDArray[np.uint8]
    difference: NDArray[np.float32]
    speed: NDArray[np.float32]


@dataclass(frozen=True)
class MaskSettings:
    """How the mask of a box is made.

    Parameters
    ----------
    margin : float
        By which the box is widened on each side, in shares of its width and height, at most 1: detectors cut off feet
        and wheels.
    foreground : float
        Difference to the background, in grey levels, from which a pixel probably belongs to an object.
    moving : float
        Speed, in shares of the object's own, from which a pixel probably belongs to it.
    iterations : int
        Of GrabCut; 0 leaves the seeds as they are.
    least_part : float
        Components smaller than this share of the largest are dropped.
    closing : float
        Radius, in shares of the geometric mean of width and height of the box and at most 1, of gaps that are closed:
        a coat of the colour of the ground is no hole.

    Raises
    ------
    UsageError
        B222 for a value out of its range.
    """

    margin: float = 0.03
    foreground: float = 10.0
    moving: float = 0.25
    iterations: int = 1
    least_part: float = 0.2
    closing: float = 0.05

    def __post_init__(self) -> None:
        for name in ("foreground", "moving", "iterations"):
            require_range(f"mask: {name}", getattr(self, name), 0, None)
        # Shares of the box, and of the largest component.
        for name in ("margin", "closing", "least_part"):
            require_range(f"mask: {name}", getattr(self, name), 0.0, 1.0)


def require_range(name: str, value: float, least: float, most: float | None) -> None:
    """Raise `UsageError` B222 unless a setting is a finite number from `least` to `most`; None: no upper limit."""
    if not (math.isfinite(value) and least <= value and (most is None or value <= most)):
        raise UsageError(
            "B222",
            f"{name} is out of range",
            expected=f"{least} or more" if most is None else f"from {least} to {most}",
            got=str(value),
        )


def object_mask(evidence: Evidence, box: NDArray[np.float64], settings: MaskSettings) -> NDArray[np.bool_]:
    """Mask of the object in a box, (H, W) bool; empty where nothing differs from the background.

    Parameters
    ----------
    evidence : Evidence
    box : (4,) float64
        Half-open ``x1, y1, x2, y2``.
    settings : MaskSettings
    """
    shape, size = evidence.grey.shape, box[2:] - box[:2]
    moving = float(np.quantile(evidence.speed[pixel_window(box, shape)], 0.9))
    # A ring of surely normal pixels around the box, for GrabCut to learn the background from.
    outer = pixel_window(_widened(box, 0.5), shape)
    allowed = np.zeros(shape, dtype=np.bool_)
    allowed[pixel_window(_widened(box, settings.margin), shape)] = True
    is_allowed = allowed[outer]
    difference, speed = evidence.difference[outer], evidence.speed[outer]
    seeds = (difference >= settings.foreground) & (speed >= settings.moving * moving) & is_allowed
    mask = np.zeros(shape, dtype=np.bool_)
    if not seeds.any():
        return mask
    found = seeds
    if settings.iterations:
        found = _grab_cut(evidence, outer, seeds, is_allowed, moving, settings)
    parts = _main_parts(_closed(found, settings.closing * float(np.sqrt(np.prod(size)))), settings.least_part)
    mask[outer] = parts & is_allowed
    return mask


def _widened(box: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The box, wider on each side by a share of its width and height; may reach over the edge of the frame."""
    size = box[2:] - box[:2]
    return np.concatenate([box[:2] - share * size, box[2:] + share * size])


def _grab_cut(
    evidence: Evidence,
    window: Window,
    seeds: NDArray[np.bool_],
    allowed: NDArray[np.bool_],
    moving: float,
    settings: MaskSettings,
) -> NDArray[np.bool_]:
    cv2 = opencv()
    difference = evidence.difference[window] / max(settings.foreground, 1e-6)
    speed = evidence.speed[window] / max(moving, 1e-6)
    channels = evidence.grey[window], 255.0 / _FULL * difference, 255.0 * speed
    image = np.stack([np.clip(channel, 0, 255).astype(np.uint8) for channel in channels], axis=-1)
    labels = np.where(allowed & (difference >= _UNSURE), cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    labels[seeds] = cv2.GC_PR_FGD
    labels[seeds & (difference >= _SURE)] = cv2.GC_FGD
    # GrabCut needs pixels of both kinds to learn from.
    if (labels % 2).all() or not (labels % 2).any():
        return seeds
    models = np.zeros((1, 65)), np.zeros((1, 65))
    # The clusters of GrabCut begin at random.
    cv2.setRNGSeed(0)
    cv2.grabCut(image, labels, None, *models, settings.iterations, cv2.GC_INIT_WITH_MASK)
    found: NDArray[np.bool_] = (labels == cv2.GC_PR_FGD) | (labels == cv2.GC_FGD)
    return found


def _main_parts(mask: NDArray[np.bool_], least_part: float) -> NDArray[np.bool_]:
    """The large components of a mask, without holes."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    if not count:
        return mask
    areas = np.bincount(labels.ravel())[1:]
    large = np.concatenate([[False], areas >= least_part * areas.max()])
    return np.asarray(ndimage.binary_fill_holes(large[labels]), dtype=np.bool_)


def _closed(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    cv2 = opencv()
    reach = round(radius)
    if not reach:
        return mask
    # Zeros around, so that closing at the border does not eat what touches it.
    padded = np.pad(mask, reach).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    closed: NDArray[np.bool_] = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)[reach:-reach, reach:-reach] > 0
    return closed

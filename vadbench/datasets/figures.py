"""Figures of the synthetic set: walkers, and the bikes, carts and skaters that do not belong on a walkway.

A figure is a list of capsules and discs in units of its own height: the origin lies between its feet, x points where
it moves, y points up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]


@dataclass(frozen=True)
class Capsule:
    """A line from `start` to `end` with a round pen.

    Parameters
    ----------
    start, end : (float, float)
        In units of the figure's height; equal for a disc.
    radius : float
        Of the pen, in the same units.
    shade : float
        Added to the figure's brightness, in grey levels.
    opacity : float
        1 hides what is behind; the mask takes the shape whatever its opacity (spokes).
    """

    start: Point
    end: Point
    radius: float
    shade: float = 0.0
    opacity: float = 1.0


def walker(phase: float) -> list[Capsule]:
    """A person who walks; `phase` in radians is one step every half turn."""
    swing = math.sin(phase)
    hip, neck = (0.0, 0.48), (0.02, 0.80)
    parts = []
    for side, shade in ((-1.0, -14.0), (1.0, 0.0)):
        foot = (0.17 * swing * side, 0.03 + 0.035 * max(0.0, math.cos(phase) * side))
        knee = (0.09 * swing * side + 0.03, 0.26)
        parts += [Capsule(hip, knee, 0.062, shade - 22), Capsule(knee, foot, 0.048, shade - 22)]
        hand = (-0.14 * swing * side, 0.46)
        parts.append(Capsule((0.0, 0.74), hand, 0.036, shade - 6))
    parts += [Capsule((0.0, 0.54), (0.01, 0.74), 0.115), Capsule(neck, neck, 0.05, 10)]
    return [*parts, Capsule((0.03, 0.92), (0.03, 0.93), 0.072, 24)]


def cyclist(phase: float) -> list[Capsule]:
    """A person on a bicycle."""
    parts = []
    for x in (-0.33, 0.33):
        parts += [Capsule((x, 0.2), (x, 0.2), 0.2, -30, 0.45), Capsule((x, 0.2), (x, 0.2), 0.05, -45)]
        rim = [(x + 0.18 * math.cos(a), 0.2 + 0.18 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 13)]
        parts += [Capsule(p, q, 0.028, -45) for p, q in pairwise(rim)]
    pedal = (0.02 + 0.07 * math.cos(phase), 0.2 + 0.07 * math.sin(phase))
    seat, bar = (-0.12, 0.48), (0.24, 0.52)
    parts += [
        Capsule((-0.33, 0.2), seat, 0.022, -40),
        Capsule(seat, bar, 0.022, -40),
        Capsule(bar, (0.33, 0.2), 0.022, -40),
    ]
    parts += [Capsule(seat, (0.1, 0.36), 0.06, -18), Capsule((0.1, 0.36), pedal, 0.05, -18)]
    parts += [Capsule((-0.1, 0.54), (0.06, 0.78), 0.105), Capsule((0.06, 0.76), bar, 0.036, -4)]
    return [*parts, Capsule((0.13, 0.93), (0.13, 0.94), 0.072, 22)]


def cart(phase: float) -> list[Capsule]:
    """A small electric cart with a roof and a driver; the wheels do not show that they turn."""
    del phase
    parts = [Capsule((-0.62, 0.3), (0.62, 0.3), 0.14, 30), Capsule((-0.55, 0.42), (-0.2, 0.42), 0.12, 24)]
    parts += [Capsule((0.6, 0.3), (0.42, 0.52), 0.05, 30), Capsule((-0.6, 0.95), (0.4, 0.95), 0.04, 44)]
    parts += [Capsule((-0.58, 0.45), (-0.56, 0.95), 0.022, 10), Capsule((0.42, 0.5), (0.36, 0.95), 0.022, 10)]
    parts += [Capsule((-0.1, 0.5), (-0.08, 0.68), 0.09, -30), Capsule((-0.06, 0.81), (-0.06, 0.82), 0.058, 5)]
    for x in (-0.42, 0.42):
        parts += [Capsule((x, 0.13), (x, 0.13), 0.13, -60), Capsule((x, 0.13), (x, 0.13), 0.05, 0)]
    return parts


def skater(phase: float) -> list[Capsule]:
    """A person on a skateboard: knees bent, no steps, faster than any walker."""
    lean = 0.03 * math.sin(0.5 * phase)
    hip = (-0.04, 0.44)
    parts = [Capsule((-0.27, 0.06), (0.27, 0.06), 0.03, -50)]
    parts += [Capsule((x, 0.03), (x, 0.03), 0.032, -60) for x in (-0.2, 0.2)]
    for x in (-0.17, 0.16):
        knee = (x + 0.09, 0.28)
        parts += [Capsule(hip, knee, 0.062, -20), Capsule(knee, (x, 0.1), 0.05, -20)]
    parts += [Capsule(hip, (0.05 + lean, 0.70), 0.11), Capsule((0.05 + lean, 0.68), (0.28, 0.56), 0.036, -6)]
    parts += [Capsule((0.03 + lean, 0.68), (-0.24, 0.62), 0.036, -10)]
    return [*parts, Capsule((0.1 + lean, 0.87), (0.1 + lean, 0.88), 0.072, 22)]


FIGURES: dict[str, Callable[[float], list[Capsule]]] = {
    "walker": walker,
    "cyclist": cyclist,
    "cart": cart,
    "skater": skater,
}


def draw(
    image: NDArray[np.float64], parts: list[Capsule], foot: Point, height: float, direction: int, brightness: float
) -> NDArray[np.bool_]:
    """Draw a figure over an image, in place.

    Parameters
    ----------
    image : (H, W) float64
        Grey levels.
    parts : list of Capsule
        From back to front.
    foot : (float, float)
        x and y in pixels of the point between the feet.
    height : float
        Pixels of one unit.
    direction : 1 or -1
        1: moves to the right.
    brightness : float
        Grey level of the figure.

    Returns
    -------
    (H, W) bool
        Pixels of the figure, at least half covered.
    """
    rows, columns = image.shape
    covered = np.zeros(image.shape)
    for part in parts:
        (ax, ay), (bx, by) = (
            (foot[0] + direction * x * height, foot[1] - y * height) for x, y in (part.start, part.end)
        )
        radius = max(part.radius * height, 0.5)
        left, right = _span(min(ax, bx) - radius, max(ax, bx) + radius, columns)
        top, bottom = _span(min(ay, by) - radius, max(ay, by) + radius, rows)
        if left == right or top == bottom:
            continue
        window = np.s_[top:bottom, left:right]
        y, x = np.mgrid[window]
        # Distance to the segment; coverage falls from 1 to 0 within a pixel of the edge, so edges are smooth.
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / max(length, 1e-9), 0.0, 1.0)
        distance = np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay))
        coverage = np.clip(radius + 0.5 - distance, 0.0, 1.0)
        shade = np.clip(brightness + part.shade + 5.0 * np.clip((ax - x) / radius, -1.0, 1.0), 8.0, 246.0)
        weight = coverage * part.opacity
        image[window] += (shade - image[window]) * weight
        covered[window] = np.maximum(covered[window], coverage)
    return covered >= 0.5


def _span(first: float, last: float, size: int) -> tuple[int, int]:
    """Pixels, half-open, that an interval and its soft edge may touch within an image of that size."""
    start = min(max(math.floor(first - 1), 0), size)
    return start, max(min(math.ceil(last + 2), size), start)

"""The walkway of the synthetic set: its background, who crosses it when, and what a camera and an annotator see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vadbench.datasets.figures import FIGURES, draw

ANOMALIES = ("cyclist", "cart", "skater")
"""Figures that are anomalous here; everything else is normal."""


@dataclass(frozen=True)
class Actor:
    """One figure that crosses the walkway in a straight line.

    Parameters
    ----------
    figure : str
        Name in `FIGURES`.
    depth : float
        0 at the far edge of the walkway, 1 at the near one: decides size, speed in pixels and who hides whom.
    start : float
        x in widths of the frame at frame 0; may lie outside.
    speed : float
        Own heights a frame, positive to the right.
    brightness : float
        Grey level.
    phase, drift : float
        Phase of the step at frame 0 in radians, and change of depth a frame.
    """

    figure: str
    depth: float
    start: float
    speed: float
    brightness: float
    phase: float = 0.0
    drift: float = 0.0

    @property
    def anomalous(self) -> bool:
        """Whether the figure does not belong on the walkway."""
        return self.figure in ANOMALIES


@dataclass(frozen=True)
class Scene:
    """A static view of a walkway.

    Parameters
    ----------
    background : (H, W) float64
        Grey levels of everything that nobody stands behind.
    posts : tuple of (x, depth, brightness)
        Lamp posts; x in widths of the frame. They hide whoever is farther away.
    noise : float
        Standard deviation of the sensor's noise in grey levels.
    """

    background: NDArray[np.float64]
    posts: tuple[tuple[float, float, float], ...]
    noise: float = 2.0

    def foot_row(self, depth: float) -> float:
        """Row of the ground, in pixels, at a depth."""
        return len(self.background) * (0.40 + 0.54 * depth)

    def figure_height(self, depth: float) -> float:
        """Height of a person, in pixels, at a depth: nearer is larger, mildly."""
        return len(self.background) * (0.17 + 0.11 * depth)

    def frames(
        self, actors: Sequence[Actor], n_frames: int, rng: Generator
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
        """Yield each frame, (H, W) uint8, with its mask, (H, W) bool: the visible pixels of anomalous figures."""
        for frame in range(n_frames):
            image, mask = self._drawn(actors, frame)
            light = 1.2 * np.sin(0.11 * frame)
            noisy = image + light + rng.normal(0.0, self.noise, image.shape)
            yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8), mask

    def _drawn(self, actors: Sequence[Actor], frame: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        image = self.background.copy()
        width = image.shape[1]
        standing: list[tuple[float, Actor | tuple[float, float, float]]] = [(post[1], post) for post in self.posts]
        standing += [(actor.depth + actor.drift * frame, actor) for actor in actors]
        # Outline and what is left to see of it, of each anomalous figure.
        seen: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]] = []
        # From far to near, so that whoever is nearer hides, and takes away from, whoever is farther.
        for depth, thing in sorted(standing, key=lambda item: item[0]):
            if isinstance(thing, Actor):
                height = self.figure_height(depth)
                foot = (thing.start * width + thing.speed * height * frame, self.foot_row(depth))
                if not -height < foot[0] < width + height:
                    continue
                _cast_shadow(image, foot, height)
                stride = thing.phase + abs(thing.speed) * frame * 7.0
                direction = 1 if thing.speed >= 0 else -1
                shape = draw(image, FIGURES[thing.figure](stride), foot, height, direction, thing.brightness)
                # Only an anomalous figure, or one in front of it, needs its outline; most frames have neither.
                nearer = _outlined(shape) if seen or thing.anomalous else shape
            else:
                nearer = _draw_post(image, thing[0] * width, self.foot_row(depth), thing[2])
            seen = [(outline, visible & ~nearer) for outline, visible in seen]
            if isinstance(thing, Actor) and thing.anomalous:
                seen.append((nearer, nearer))
        mask = np.zeros(image.shape, dtype=np.bool_)
        for outline, visible in seen:
            mask |= _annotated(outline, visible)
        return image, mask


def _outlined(shape: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A figure as an annotator outlines it: spokes and the gaps between limbs belong to it."""
    from scipy import ndimage

    return np.asarray(ndimage.binary_fill_holes(shape | ndimage.binary_closing(shape, np.ones((3, 3)))))


def _annotated(outline: NDArray[np.bool_], visible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Visible parts of a figure without the crumbs that an annotator passes over: under 6 % of it, or 6 pixels."""
    from scipy import ndimage

    labels, _ = ndimage.label(visible, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    large = sizes >= max(6.0, 0.06 * float(outline.sum()))
    large[0] = False
    return np.asarray(large[labels])


def make_scene(height: int, width: int, rng: Generator) -> Scene:
    """A walkway between lawns, with posts; no two seeds give the same one."""
    from scipy import ndimage

    def texture(*sigmas: tuple[float, float]) -> NDArray[np.float64]:
        """Noise of a given grain (rows, columns) in pixels, mean 0, standard deviation 1 for each grain."""
        layers = [ndimage.gaussian_filter(rng.standard_normal((height, width)), sigma, mode="wrap") for sigma in sigmas]
        return np.asarray(sum(layer / layer.std() for layer in layers))

    y, x = np.mgrid[:height, :width]
    edge = height * (0.33 + 0.012 * np.sin(x / width * 5.0 + rng.uniform(0, 6)))
    lawn = 92 + 5.0 * texture((0.7, 0.5), (2.5, 3.0)) + 6.0 * texture((height / 12, width / 10))
    walkway = (
        146 + 26.0 * (y / height - 0.5) + 2.6 * texture((0.6, 0.6), (1.5, 4.0)) + 3.5 * texture((height / 9, width / 7))
    )
    # Slabs: cross joints fan out from a point above the frame, long joints come closer with distance.
    fan = (x - width * 0.42) / (y + height * 0.9) * 9.0
    rows = np.log(y + height * 0.12) * 7.0
    joints = np.minimum(
        np.abs(fan - np.rint(fan)) * (y + height * 0.9) / 9.0, np.abs(rows - np.rint(rows)) * (y + height * 0.12) / 7.0
    )
    walkway -= 9.0 * np.clip(1.2 - joints, 0.0, 1.0)
    share = np.clip((y - edge) / 1.5, 0.0, 1.0)
    background = lawn * (1 - share) + walkway * share
    background -= 26.0 * np.clip(1.0 - np.abs(y - edge) / 1.3, 0.0, 1.0)
    near_lawn = np.clip((y - height * 0.965) / 2.0, 0.0, 1.0)
    background = background * (1 - near_lawn) + (lawn - 12) * near_lawn
    # Bushes on the far lawn.
    for _ in range(7):
        cx, cy = rng.uniform(0, width), rng.uniform(0.02, 0.22) * height
        radius = rng.uniform(0.04, 0.09) * height
        round_shape = np.clip(1.4 - np.hypot((x - cx) / 1.5, y - cy) / radius, 0.0, 1.0)
        background += round_shape * (rng.uniform(-40, -18) + 6.0 * texture((0.8, 0.8)))
    posts = tuple(
        (float(at + rng.uniform(-0.03, 0.03)), depth, grey)
        for at, depth, grey in ((0.27, 0.62, 60.0), (0.74, 0.98, 72.0))
    )
    return Scene(np.clip(background, 12, 240), posts)


def _draw_post(image: NDArray[np.float64], x: float, foot: float, brightness: float) -> NDArray[np.bool_]:
    rows, columns = image.shape
    half = max(columns / 110, 1.0)
    y, across = np.arange(rows)[:, None], np.abs(np.arange(columns)[None, :] - x)
    wider = np.where(y > foot - rows * 0.04, 1.6, 1.0)
    coverage = np.clip(half * wider + 0.5 - across, 0.0, 1.0) * (y < foot)
    shade = brightness + 14.0 * np.clip((x - np.arange(columns)[None, :]) / half, -1.0, 1.0)
    image += (shade - image) * coverage
    return np.asarray(coverage >= 0.5)


def _cast_shadow(image: NDArray[np.float64], foot: tuple[float, float], height: float) -> None:
    rows, columns = image.shape
    top, bottom = max(int(foot[1] - 0.25 * height), 0), min(int(foot[1] + 0.25 * height) + 1, rows)
    left, right = max(int(foot[0] - 0.7 * height), 0), min(int(foot[0] + 0.9 * height) + 1, columns)
    if top >= bottom or left >= right:
        return
    y, x = np.mgrid[top:bottom, left:right]
    depth = np.exp(-(((x - foot[0] - 0.15 * height) / (0.30 * height)) ** 2) - ((y - foot[1]) / (0.06 * height)) ** 2)
    image[top:bottom, left:right] *= 1.0 - 0.28 * depth

"""Normal clips with synthetic anomalies pasted into them: every anomalous pixel is known.

People of other training clips glide through faster than anyone walks (*skater*), widened (*cyclist*), or enlarged
(*cart*). Nothing is taken from the test part, neither pictures nor numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.extras import opencv
from baselines.tao.selection.sprites import Sprite
from vadbench import DataError


class AnomalyKind(StrEnum):
    """What a pasted anomaly stands for."""

    SKATER = "skater"
    CYCLIST = "cyclist"
    CART = "cart"


@dataclass(frozen=True)
class _Look:
    """Ranges of a kind: how many times as fast, as wide, as tall as the person."""

    speed: tuple[float, float]
    width: tuple[float, float]
    height: tuple[float, float]


_LEAST_SPEED = 1 / 800
"""Heights of the frame, a frame, above which a person moves; 0.3 pixels on UCSD Ped2."""

_LOOKS = {
    AnomalyKind.SKATER: _Look((1.8, 3.0), (0.95, 1.1), (0.95, 1.1)),
    AnomalyKind.CYCLIST: _Look((2.2, 4.0), (1.3, 1.7), (1.0, 1.15)),
    AnomalyKind.CART: _Look((1.5, 3.0), (2.0, 2.8), (1.3, 1.7)),
}


@dataclass(frozen=True)
class AnomalousClip:
    """A clip with pasted anomalies.

    Parameters
    ----------
    frames : (T, H, W) uint8
    masks : (T, H, W) bool
        Pixels of all anomalies.
    boxes : BoxTable
        Of the anomalies, as a detector might find them: a little off, and some missing.
    """

    frames: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    boxes: BoxTable


def paste_anomalies(
    frames: NDArray[np.uint8],
    sprites: Sequence[Sprite],
    rng: np.random.Generator,
    *,
    count: int = 3,
    missed: float = 0.1,
    jitter: float = 0.05,
) -> AnomalousClip:
    """Paste anomalies into a normal clip, one after the other and sometimes two at a time.

    Parameters
    ----------
    frames : (T, H, W) uint8
        In grey.
    sprites : sequence of Sprite
        People of other clips; at least one who moves.
    rng : numpy.random.Generator
    count : int
        Number of anomalies; their kinds take turns.
    missed : float
        Share of their boxes that the detector misses.
    jitter : float
        Standard deviation of each edge of their boxes, in shares of the box.

    Raises
    ------
    DataError
        B272 if nobody of the sprites moves.

    Notes
    -----
    The mask of a frame and its changed pixels agree within one pixel: edges are soft, and a pixel may happen to have
    the grey level of what was there.
    """
    made, masks = frames.copy(), np.zeros(frames.shape, dtype=np.bool_)
    movers = moving_sprites(sprites, frames.shape[1])
    if not movers:
        raise DataError(
            "B272",
            "there is nobody to paste as an anomaly",
            expected="a person of another clip who walks alone and moves",
            got=f"{len(sprites)} people, none of whom moves" if sprites else "no people",
        )
    boxes: dict[int, list[list[float]]] = {}
    kinds = list(AnomalyKind)
    for number in range(count):
        sprite = movers[rng.integers(len(movers))]
        # The first tenth of the clip stays normal; each anomaly begins in a slot of its own.
        begin = int(len(frames) * (0.1 + 0.8 * (number + rng.uniform(0.0, 0.6)) / count))
        look = _LOOKS[kinds[number % len(kinds)]]
        for frame, mask in _paste(made, sprite, begin, look, rng):
            masks[frame] |= mask
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=np.float64)
            size = np.tile(box[2:] - box[:2], 2)
            box += rng.normal(0.0, jitter, 4) * size
            limits = np.array([frames.shape[2], frames.shape[1]] * 2)
            box = np.clip(box, 0, limits)
            if rng.random() >= missed and (box[2:] - box[:2] >= 1.0).all():
                boxes.setdefault(frame, []).append(box.tolist())
    return AnomalousClip(made, masks, BoxTable.of_frames(boxes))


def moving_sprites(sprites: Sequence[Sprite], height: int) -> list[Sprite]:
    """Those who move, in their order: who stands would stay where they are, however much faster.

    Parameters
    ----------
    sprites : sequence of Sprite
    height : int
        Of the frame, in pixels.
    """
    return [sprite for sprite in sprites if np.hypot(*_velocity(sprite)) > _LEAST_SPEED * height]


def _velocity(sprite: Sprite) -> NDArray[np.float64]:
    """Mean motion of the middle of a sprite, (x, y) in pixels a frame."""
    sizes = np.array([image.shape[::-1] for image in sprite.images])
    feet = sprite.places + sizes * (0.5, 1.0)
    return np.asarray((feet[-1] - feet[0]) / (len(sprite) - 1))


def _paste(
    frames: NDArray[np.uint8], sprite: Sprite, begin: int, look: _Look, rng: np.random.Generator
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Paste one anomaly into frames, in place; yields each frame with the anomaly's mask."""
    cv2 = opencv()
    height, width = frames.shape[1:]
    faster, wider, taller = (float(rng.uniform(*bounds)) for bounds in (look.speed, look.width, look.height))
    velocity = _velocity(sprite) * faster
    start = sprite.places[0] + np.array(sprite.images[0].shape[::-1]) * (0.5, 1.0)
    for frame in range(begin, len(frames)):
        index = (frame - begin) % len(sprite)
        image, mask = sprite.images[index], sprite.masks[index]
        size = max(1, round(image.shape[1] * wider)), max(1, round(image.shape[0] * taller))
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        # Half of a soft edge belongs to the mask; blurred again from there, so that it is soft by one pixel alone.
        solid = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
        opacity = cv2.GaussianBlur(solid.astype(np.float32), (3, 3), 0)
        foot = start + velocity * (frame - begin)
        left, top = round(foot[0] - size[0] / 2), round(foot[1] - size[1])
        rows = slice(max(top, 0), min(top + size[1], height))
        columns = slice(max(left, 0), min(left + size[0], width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        own = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        if not solid[own].any():
            continue
        part = opacity[own]
        behind = frames[frame, rows, columns]
        frames[frame, rows, columns] = np.rint(part * image[own] + (1.0 - part) * behind).astype(np.uint8)
        whole = np.zeros((height, width), dtype=np.bool_)
        whole[rows, columns] = solid[own]
        yield frame, whole

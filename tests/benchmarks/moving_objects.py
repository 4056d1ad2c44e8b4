"""Objects that move through a clip: their truth, and what a method would answer to them.

Everything but the smooth fields uses sums, products and rounding only, so the bytes do not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

BLOCK_FRAMES = 8


@dataclass(frozen=True)
class MovingObject:
    """An ellipse that crosses the frame in a straight line.

    Parameters
    ----------
    first, last : int
        Frames in which it is there, 0-based; `last` is not one of them.
    x, y, speed : float
        Centre at the first frame, pixels; pixels a frame to the right.
    half_width, half_height : int
        Of the ellipse, pixels.
    peak : float
        What a method scores at its centre, in (0, 1].
    """

    first: int
    last: int
    x: float
    y: float
    speed: float
    half_width: int
    half_height: int
    peak: float = 1.0

    @cached_property
    def profile(self) -> NDArray[np.float32]:
        """Smooth patch, 1 in the middle and 0 at the edge of the ellipse: (1 − r²)²."""
        y = np.arange(-self.half_height, self.half_height + 1, dtype=np.float32) / (self.half_height + 1)
        x = np.arange(-self.half_width, self.half_width + 1, dtype=np.float32) / (self.half_width + 1)
        inside = np.clip(1 - y[:, None] * y[:, None] - x * x, 0, 1)
        return inside * inside

    @cached_property
    def shape(self) -> NDArray[np.bool_]:
        """Pixels of the ellipse."""
        return self.profile > 0

    def place(self, frame: int, height: int, width: int) -> tuple[slice, slice, slice, slice] | None:
        """Rows and columns in the frame, then in the patch; None where nothing of it is in view."""
        if not self.first <= frame < self.last:
            return None
        left = round(self.x + self.speed * (frame - self.first)) - self.half_width
        top = round(self.y) - self.half_height
        rows, columns = 2 * self.half_height + 1, 2 * self.half_width + 1
        x1, x2, y1, y2 = max(left, 0), min(left + columns, width), max(top, 0), min(top + rows, height)
        if x1 >= x2 or y1 >= y2:
            return None
        return slice(y1, y2), slice(x1, x2), slice(y1 - top, y2 - top), slice(x1 - left, x2 - left)

    def box(self, frame: int, height: int, width: int) -> tuple[int, int, int, int] | None:
        """Extremal half-open box of the visible pixels; None where there are none."""
        place = self.place(frame, height, width)
        if place is None:
            return None
        rows, columns, patch_rows, patch_columns = place
        ys, xs = np.nonzero(self.shape[patch_rows, patch_columns])
        if not ys.size:
            return None
        left, top = columns.start, rows.start
        return left + int(xs.min()), top + int(ys.min()), left + int(xs.max()) + 1, top + int(ys.max()) + 1


def planned_objects(
    rng: Generator, frames: int, height: int, width: int, *, duty: float, area: float, peak: tuple[float, float]
) -> list[MovingObject]:
    """Objects in two lanes that do not touch; each lane is taken for a share `duty` of the frames.

    `area` is the mean number of pixels of an object; peaks are drawn between the two numbers of `peak`.
    """
    objects = []
    for lane in (0.3, 0.7):
        stay = int(rng.integers(90, 200))
        frame = int(rng.integers(0, stay)) - stay // 2
        while frame < frames:
            half_height = round((area * rng.uniform(0.8, 1.25) / 3.1416 * 1.5) ** 0.5)
            half_width = round(half_height / 1.5)
            first, last = max(frame, 0), min(frame + stay, frames)
            direction = 1 if rng.random() < 0.5 else -1
            # Less than the width of the frame in a stay, so that it is in view from beginning to end.
            speed = direction * (width - 4 * half_width) / max(stay, last - first) * rng.uniform(0.4, 0.9)
            start = 2 * half_width if direction > 0 else width - 2 * half_width
            if last > first:
                y = height * lane + rng.uniform(-0.04, 0.04) * height
                drawn = float(rng.uniform(*peak))
                objects.append(MovingObject(first, last, float(start), float(y), speed, half_width, half_height, drawn))
            frame += round(stay / duty)
            stay = int(rng.integers(90, 200))
    return objects


def answered(rng: Generator, objects: Sequence[MovingObject]) -> list[MovingObject]:
    """The same objects as a method finds them: a little larger and beside where they are."""
    return [
        MovingObject(
            own.first,
            own.last,
            own.x + int(rng.integers(-5, 6)),
            own.y + int(rng.integers(-5, 6)),
            own.speed,
            round(own.half_width * 1.3),
            round(own.half_height * 1.3),
            own.peak,
        )
        for own in objects
    ]


def clutter(rng: Generator, frames: int, height: int, width: int) -> list[MovingObject]:
    """False alarms: small, weak and short, one or two at a time."""
    alarms = []
    for _ in range(max(1, frames // 25)):
        first = int(rng.integers(0, frames))
        alarms.append(
            MovingObject(
                first,
                min(first + int(rng.integers(10, 60)), frames),
                float(rng.uniform(0, width)),
                float(rng.uniform(0, height)),
                float(rng.uniform(-1, 1)),
                int(rng.integers(width // 80, width // 30)),
                int(rng.integers(height // 60, height // 20)),
                float(rng.uniform(0.05, 0.45)),
            )
        )
    return alarms


def mask_frame(objects: Sequence[MovingObject], frame: int, mask: NDArray[np.bool_]) -> None:
    """Set the pixels of the objects in one frame, (H, W) bool."""
    for own in objects:
        place = own.place(frame, *mask.shape)
        if place is not None:
            rows, columns, patch_rows, patch_columns = place
            mask[rows, columns] |= own.shape[patch_rows, patch_columns]


def mask_like_blocks(
    objects: Sequence[MovingObject], frames: int, height: int, width: int
) -> Iterator[NDArray[np.uint16]]:
    """Maps such as a segmentation gives, (n, H, W) uint16: smooth objects on a background that steps at times."""
    patches = [(own, np.rint(own.profile * np.float32(own.peak * 60_000)).astype(np.uint16)) for own in objects]
    for start in range(0, frames, BLOCK_FRAMES):
        block = np.empty((min(BLOCK_FRAMES, frames - start), height, width), dtype=np.uint16)
        for offset, score_map in enumerate(block):
            frame = start + offset
            score_map[:] = 400 + 16 * (frame // 96)
            for own, patch in patches:
                place = own.place(frame, height, width)
                if place is not None:
                    rows, columns, patch_rows, patch_columns = place
                    seen = score_map[rows, columns]
                    np.maximum(seen, patch[patch_rows, patch_columns], out=seen)
        yield block


class SmoothMaps:
    """Maps such as a network gives everywhere: sigmoids of smooth fields that drift, with noise and raised objects.

    The fields are made once and seen through windows that move, which is fifty times quicker than new noise.
    """

    def __init__(self, rng: Generator, height: int, width: int, *, noise: float) -> None:
        from scipy import ndimage

        self._size, self._noise = (height, width), noise
        grain = height / 40
        self._fields = []
        for _ in range(2):
            field = ndimage.gaussian_filter(
                rng.standard_normal((height + 64, width + 64), dtype=np.float32), grain, mode="wrap"
            )
            self._fields.append(field / field.std())
        self._grains = rng.standard_normal((height + 64, width + 64), dtype=np.float32) * np.float32(noise)
        self._turn = float(rng.uniform(0, 6.28))

    def logits(self, frame: int, objects: Sequence[MovingObject], out: NDArray[np.float32]) -> None:
        """Write the logits of one frame, (H, W)."""
        height, width = self._size
        angle = self._turn + frame / 40
        # The shares are a sine and a cosine, so every frame has the same spread.
        np.multiply(self._window(self._fields[0], frame, 1, 2), np.float32(0.8 * np.cos(angle)), out=out)
        out += self._window(self._fields[1], frame, 2, 1) * np.float32(0.8 * np.sin(angle))
        if self._noise:
            out += self._window(self._grains, 13 * frame, 7, 5)
        out -= np.float32(2.5)
        for own in objects:
            place = own.place(frame, height, width)
            if place is not None:
                rows, columns, patch_rows, patch_columns = place
                out[rows, columns] += own.profile[patch_rows, patch_columns] * np.float32(7 * own.peak)

    def _window(self, field: NDArray[np.float32], frame: int, down: int, right: int) -> NDArray[np.float32]:
        height, width = self._size
        top, left = (frame * down) % 127, (frame * right) % 127
        # There and back again, so that neighbouring frames have neighbouring windows.
        top, left = min(top, 126 - top), min(left, 126 - left)
        return field[top : top + height, left : left + width]

    def blocks(self, objects: Sequence[MovingObject], frames: int) -> Iterator[NDArray[np.float32]]:
        """Yield scores in (0, 1), (n, H, W) float32."""
        for start in range(0, frames, BLOCK_FRAMES):
            block = np.empty((min(BLOCK_FRAMES, frames - start), *self._size), dtype=np.float32)
            for offset, score_map in enumerate(block):
                self.logits(start + offset, objects, score_map)
                np.negative(score_map, out=score_map)
                np.exp(score_map, out=score_map)
                np.add(score_map, np.float32(1), out=score_map)
                np.reciprocal(score_map, out=score_map)
            yield block

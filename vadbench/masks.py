"""Pixel masks of a clip as row runs, and their connected components.

Source: protocols.md, "Truth", "Components".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import DataError

BLOCK_FRAMES = 8
"""Frames that are decoded at once where a clip is walked through."""


@dataclass(frozen=True)
class MaskRuns:
    """Pixel masks of a clip as runs of anomalous pixels in the flattened (row-major) frame.

    Parameters
    ----------
    height, width : int
    offsets : (T + 1,) int64
        Runs of frame t are ``offsets[t]:offsets[t + 1]``.
    starts, lengths : (R,) uint32
        Flat index of a run's first pixel, and its number of pixels. A run may go on from one row into the next.

    Notes
    -----
    Ped2's masks take 0.7 MB so, and 174 MB as (T, H, W) bool.
    """

    height: int
    width: int
    offsets: NDArray[np.int64]
    starts: NDArray[np.uint32]
    lengths: NDArray[np.uint32]

    @classmethod
    def from_frames(cls, masks: Iterable[NDArray[Any]], height: int, width: int) -> MaskRuns:
        """Encode masks one frame, (H, W), at a time; any non-zero value is anomalous."""
        starts, lengths, offsets = [], [], [0]
        for frame, mask in enumerate(masks):
            if mask.shape != (height, width):
                raise DataError(
                    "D307",
                    "a mask has the wrong size",
                    where=f"frame {frame}",
                    expected=f"({height}, {width})",
                    got=str(mask.shape),
                )
            own = cls.from_array(mask[None])
            starts.append(own.starts)
            lengths.append(own.lengths)
            offsets.append(offsets[-1] + len(own.starts))
        empty = np.zeros(0, dtype=np.uint32)
        return cls(
            height,
            width,
            np.array(offsets, dtype=np.int64),
            np.concatenate([*starts, empty]),
            np.concatenate([*lengths, empty]),
        )

    @classmethod
    def from_array(cls, masks: NDArray[Any]) -> MaskRuns:
        """Encode masks (T, H, W) of any dtype; any non-zero value is anomalous."""
        from vadbench.kernels.masks import runs_of_masks

        frames, height, width = masks.shape
        if height * width >= 2**32:
            raise DataError("D307", "a frame has too many pixels", expected="fewer than 2³²", got=str(height * width))
        whole = masks if masks.dtype.itemsize == 1 else masks != 0
        flat = np.ascontiguousarray(whole).view(np.uint8).reshape(frames, height * width)
        return cls(height, width, *runs_of_masks(flat, room=max(64, 16 * frames)))

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.offsets) - 1

    def components(self, connectivity: int = 8) -> ComponentRuns:
        """Connected components of every frame's mask, 8- or 4-connected; found once and kept."""
        return self._eight_connected if connectivity == 8 else self._four_connected

    @cached_property
    def _eight_connected(self) -> ComponentRuns:
        return ComponentRuns.of(self, reach=1)

    @cached_property
    def _four_connected(self) -> ComponentRuns:
        return ComponentRuns.of(self, reach=0)

    @property
    def n_pixels(self) -> int:
        """Number of anomalous pixels in the clip."""
        return int(self.lengths.sum(dtype=np.int64))

    def anomalous_frames(self) -> NDArray[np.bool_]:
        """Which frames, (T,) bool, have an anomalous pixel."""
        return np.diff(self.offsets) > 0

    def decode(self, start: int = 0, stop: int | None = None) -> NDArray[np.bool_]:
        """Masks of frames ``start`` to ``stop`` as (n, H, W) bool."""
        from vadbench.kernels.masks import fill_runs

        stop = self.frames if stop is None else min(stop, self.frames)
        masks = np.zeros((stop - start, self.height * self.width), dtype=np.uint8)
        fill_runs(masks, self.offsets[start : stop + 1], self.starts, self.lengths)
        return masks.view(np.bool_).reshape(stop - start, self.height, self.width)

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """Yield (first frame, (n, H, W) bool) through the clip."""
        for start in range(0, self.frames, frames):
            yield start, self.decode(start, start + frames)


@dataclass(frozen=True)
class ComponentRuns:
    """Connected components of the masks of a clip, as runs that stay within a row.

    Parameters
    ----------
    offsets : (T + 1,) int64
        Runs of frame t are ``offsets[t]:offsets[t + 1]``; those of one component stand side by side, in raster order.
    starts, lengths : (R,) uint32
        In the flattened frame, as in `MaskRuns`.
    component : (R,) int64
        Component of each run, counted from 0 through all frames, in raster order of its first pixel in each frame.
    sizes : (K,) int64
        Number of pixels of each component.
    component_offsets : (T + 1,) int64
        Components of frame t are ``component_offsets[t]:component_offsets[t + 1]``.

    Notes
    -----
    Source: protocols.md, "Truth", "Components".
    """

    offsets: NDArray[np.int64]
    starts: NDArray[np.uint32]
    lengths: NDArray[np.uint32]
    component: NDArray[np.int64]
    sizes: NDArray[np.int64]
    component_offsets: NDArray[np.int64]

    @classmethod
    def of(cls, runs: MaskRuns, *, reach: int) -> ComponentRuns:
        """Find the components; `reach` is 1 where corners connect, else 0."""
        from vadbench.kernels.masks import components_of_runs, row_runs

        offsets, starts, lengths = row_runs(runs.offsets, runs.starts, runs.lengths, runs.width)
        component, component_offsets = components_of_runs(offsets, starts, lengths, runs.width, reach)
        order = np.argsort(component, kind="stable")
        component = component[order]
        sizes = np.zeros(component_offsets[-1], dtype=np.int64)
        np.add.at(sizes, component, lengths[order])
        return cls(offsets, starts[order], lengths[order], component, sizes, component_offsets)

    def boxes(self, width: int) -> NDArray[np.int64]:
        """Extremal half-open boxes of the components, (K, 4) int64 in pixels, for frames of that width."""
        if not self.sizes.size:
            return np.zeros((0, 4), dtype=np.int64)
        rows, left = np.divmod(self.starts.astype(np.int64), width)
        first = np.flatnonzero(np.diff(self.component, prepend=-1))
        lowest = [np.minimum.reduceat(values, first) for values in (left, rows)]
        highest = [np.maximum.reduceat(values, first) for values in (left + self.lengths, rows + 1)]
        return np.stack([*lowest, *highest], axis=1)


def label_components(mask: NDArray[np.bool_], connectivity: int = 8) -> tuple[NDArray[np.int32], int]:
    """Connected components of one mask.

    Parameters
    ----------
    mask : (H, W) bool
    connectivity : 8 or 4

    Returns
    -------
    labels : (H, W) int32
        0 outside; components are 1 … K in raster order of their first pixel.
    count : int
        K.

    Notes
    -----
    Source: protocols.md, "Truth", "Components".
    """
    runs = MaskRuns.from_array(mask[None])
    components = runs.components(connectivity)
    labels = np.zeros(mask.size, dtype=np.int32)
    lengths = components.lengths.astype(np.int64)
    pixels = np.repeat(components.starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    labels[pixels] = np.repeat(components.component + 1, lengths)
    return labels.reshape(mask.shape), int(components.sizes.size)

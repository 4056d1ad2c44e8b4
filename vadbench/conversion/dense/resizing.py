"""Score maps of another size, brought to the size of the frames.

The convention is that of half pixels: the centre of pixel ``x`` of ``W`` is ``(x + 0.5) / W`` of the width, so corners
stay corners. Beyond the outermost centres the outermost value goes on. Nothing is smoothed where maps become smaller.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.prediction import ScoreMaps


class Resizing(StrEnum):
    """How values between pixels are found."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"


def resized_dtype(dtype: np.dtype[Any], how: Resizing) -> np.dtype[Any]:
    """Dtype of resized maps: the same for `nearest`; for `bilinear` float64 of float64, float32 of all else."""
    if how is Resizing.NEAREST:
        return dtype
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def resize_maps(maps: NDArray[Any], size: tuple[int, int], how: Resizing) -> NDArray[Any]:
    """Maps at another size.

    Parameters
    ----------
    maps : (n, h, w) real
    size : (H, W)
    how : Resizing

    Returns
    -------
    (n, H, W)
        Of `resized_dtype`. Each value lies between the smallest and the largest of its map.

    Notes
    -----
    ``nearest`` takes pixel ``floor((x + 0.5) w / W)``, in whole numbers. ``bilinear`` is computed in float64.
    """
    height, width = maps.shape[1:]
    if how is Resizing.NEAREST:
        return maps[:, _nearest(height, size[0])[:, None], _nearest(width, size[1])]
    rows = _between(maps.astype(np.float64, copy=False), *_neighbours(height, size[0]), axis=1)
    both = _between(rows, *_neighbours(width, size[1]), axis=2)
    return both.astype(resized_dtype(maps.dtype, how), copy=False)


def _nearest(n: int, n_wanted: int) -> NDArray[np.int64]:
    return ((2 * np.arange(n_wanted, dtype=np.int64) + 1) * n) // (2 * n_wanted)


def _neighbours(n: int, n_wanted: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pixel before, pixel behind, and how far from the one to the other, of each wanted pixel."""
    # (x + 0.5) n / N - 0.5 in whole numbers of 1 / (2 N), so that equal sizes give exactly the pixels themselves.
    position = (2 * np.arange(n_wanted, dtype=np.int64) + 1) * n - n_wanted
    position = np.clip(position, 0, 2 * n_wanted * (n - 1))
    before, rest = np.divmod(position, 2 * n_wanted)
    return before, np.minimum(before + 1, n - 1), rest / (2 * n_wanted)


def _between(
    maps: NDArray[np.float64],
    before: NDArray[np.int64],
    behind: NDArray[np.int64],
    share: NDArray[np.float64],
    *,
    axis: int,
) -> NDArray[np.float64]:
    first, second = maps.take(before, axis), maps.take(behind, axis)
    shape = [1, 1, 1]
    shape[axis] = -1
    mixed = first + share.reshape(shape) * (second - first)
    # A sum that was rounded could lie a last bit beyond the two.
    result: NDArray[np.float64] = np.clip(mixed, np.minimum(first, second), np.maximum(first, second))
    return result


class ResizedMaps(ScoreMaps):
    """Score maps that are resized as they are read.

    Parameters
    ----------
    maps : ScoreMaps
    size : (H, W)
    how : Resizing
    """

    def __init__(self, maps: ScoreMaps, size: tuple[int, int], how: Resizing) -> None:
        self._maps, self._size, self._how = maps, size, how
        self.shape = (maps.shape[0], *size)
        self.dtype = resized_dtype(maps.dtype, how)

    @property
    def held_size(self) -> tuple[int, int]:
        """Height and width before."""
        return self._maps.shape[1], self._maps.shape[2]

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W) scores) through the clip."""
        for start, block in self._maps.blocks():
            yield start, resize_maps(block, self._size, self._how)

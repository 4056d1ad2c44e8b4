"""Frames in grey, and maps smoothed in space and time, one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vadbench import Clip


def grey(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey levels 0 to 255 as (H, W) float32, of a frame (H, W) or (H, W, 3) RGB.

    The weights are those of ITU-R BT.601, as Pillow's conversion to grey has them.
    """
    levels = frame.astype(np.float32)
    if levels.ndim == 2:
        return levels
    # One after the other, not as a product of matrices, whose order of addition depends on the machine.
    red, green, blue = levels[..., 0], levels[..., 1], levels[..., 2]
    return np.asarray(red * np.float32(0.299) + green * np.float32(0.587) + blue * np.float32(0.114))


def grey_frames(clip: Clip) -> Iterator[NDArray[np.float32]]:
    """Yield the frames of a clip in grey; raises `DataError` D210 where it has none."""
    return map(grey, clip.read_frames())


def smoothed_in_space(scores: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Smoothing close to a Gaussian whose standard deviation is a share of the frame's height.

    So one setting suits frames of any size. Made of three moving means along each axis, which cost the same however
    wide they are (a Gaussian of 14 pixels takes three times as long); pixels beyond the border repeat the nearest.

    Parameters
    ----------
    scores : (H, W) float32
    share : float
        Standard deviation in heights of the frame; below about 0.9 pixels nothing is smoothed.
    """
    sigma = share * scores.shape[0]
    # A mean over 2k + 1 pixels has the variance k (k + 1) / 3, and variances add up.
    reach = round((np.sqrt(4.0 * sigma**2 + 1.0) - 1.0) / 2.0)
    if not reach:
        return scores
    for axis in (0, 1):
        for _ in range(3):
            scores = ndimage.uniform_filter1d(scores, 2 * reach + 1, axis=axis, mode="nearest")
    return scores


def smoothed_in_time(maps: Iterable[NDArray[Any]], reach: int) -> Iterator[NDArray[np.float32]]:
    """Mean of each map and up to `reach` neighbours on both sides; fewer at the ends of the clip.

    Yields as many maps as it is given, (H, W) float32, and holds 2 `reach` + 1 at a time.

    >>> [float(m) for m in smoothed_in_time(np.array([0.0, 3.0, 6.0, 0.0]), 1)]
    [1.5, 3.0, 3.0, 3.0]
    """
    window: deque[NDArray[Any]] = deque()
    ahead = iter(maps)
    pending = 0
    exhausted = False
    while True:
        while not exhausted and pending <= reach:
            item = next(ahead, None)
            if item is None:
                exhausted = True
                break
            window.append(item)
            pending += 1
        if not pending:
            return
        # The middle of the window is `pending` maps before its end.
        while len(window) - pending > reach:
            window.popleft()
        yield np.asarray(sum(window[i] for i in range(len(window))) / len(window), dtype=np.float32)
        pending -= 1

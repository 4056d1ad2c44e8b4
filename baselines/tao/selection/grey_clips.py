"""Clips held in memory in grey, which anomalies are cut out of and pasted into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from baselines.tao.frame_views import grey_levels
from vadbench import Clip, DataError


@dataclass(frozen=True)
class FrameArray:
    """Frames of a clip held in memory, or in a mapped file; reads them as a `Clip` wants them.

    Parameters
    ----------
    frames : (T, H, W) or (T, H, W, 3) uint8
    """

    frames: NDArray[np.uint8]

    def __call__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames in order."""
        return iter(self.frames)

    def clip(self, clip_id: str) -> Clip:
        """The frames as a clip."""
        frames, height, width = self.frames.shape[:3]
        return Clip(clip_id, frames, height, width, self)


def grey_frames_of(clip: Clip, longest: int) -> NDArray[np.uint8]:
    """The first `longest` frames of a clip in grey, (T, H, W) uint8.

    Raises
    ------
    DataError
        B277 if a frame has another size than the clip, or the clip has no frames.
    """
    n_frames = min(clip.frames, longest)
    grey = np.zeros((n_frames, clip.height, clip.width), dtype=np.uint8)
    read = 0
    for number, frame in enumerate(islice(clip.read_frames(), n_frames)):
        if frame.shape[:2] != (clip.height, clip.width):
            raise DataError(
                "B277",
                "a frame has another size than its clip",
                where=(f"clip {clip.id}", f"frame {number}"),
                expected=f"{clip.height} x {clip.width} pixels",
                got=f"{frame.shape[0]} x {frame.shape[1]}",
            )
        grey[number] = frame if frame.ndim == 2 else grey_levels(frame)
        read = number + 1
    if not read or read < n_frames:
        raise DataError(
            "B277",
            "a clip has fewer frames than the data set says",
            where=f"clip {clip.id}",
            expected=f"{clip.frames}, at least 1",
            got=str(read),
        )
    return grey

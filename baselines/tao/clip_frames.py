"""The frames of a clip by number, read when they are asked for; memory holds a few of them.

Segmentation models ask for frames out of order, but mostly forwards; a `Clip` gives them in order only. Going on from
the last frame costs one decoding, going back starts the clip again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vadbench import Clip, DataError


class ClipFrames:
    """Sequence of the frames of a clip, (H, W, 3) uint8 RGB each.

    Parameters
    ----------
    clip : Clip
        With frames.
    kept : int
        Number of frames that stay decoded.
    """

    def __init__(self, clip: Clip, kept: int = 8) -> None:
        self.clip = clip
        self._kept = kept
        self._decoded: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._reader: Iterator[NDArray[np.uint8]] | None = None
        self._next = 0

    def __len__(self) -> int:
        return self.clip.frames

    def __getitem__(self, frame: int) -> NDArray[np.uint8]:
        if not 0 <= frame < len(self):
            raise IndexError(frame)
        if frame in self._decoded:
            self._decoded.move_to_end(frame)
            return self._decoded[frame]
        # Put back when the frame is found: after a failure the clip starts again.
        reader, self._reader = self._reader, None
        if reader is None or frame < self._next:
            reader, self._next = iter(self.clip.read_frames()), 0
        for number, image in enumerate(reader, start=self._next):
            self._next = number + 1
            if number == frame:
                self._reader = reader
                self._decoded[number] = as_rgb(image)
                if len(self._decoded) > self._kept:
                    self._decoded.popitem(last=False)
                return self._decoded[number]
        raise DataError(
            "B202",
            "a clip has fewer frames than the data set says",
            where=f"clip {self.clip.id}",
            expected=f"{len(self)} frames",
            got=str(self._next),
        )


def as_rgb(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Three equal channels of a frame in grey, (H, W); a frame in colour as it is."""
    return np.ascontiguousarray(np.broadcast_to(frame[..., None], (*frame.shape, 3))) if frame.ndim == 2 else frame

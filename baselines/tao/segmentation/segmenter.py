"""What a segmenter is: prompts of a clip in, masks of its objects out, frame by frame.

Source: TAO, section 3.3, equations 4 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.progress import FrameProgress, no_frame_progress
from vadbench import Clip


@dataclass(frozen=True)
class ObjectMask:
    """Mask of one object in one frame.

    Parameters
    ----------
    frame : int
        0-based.
    label : int
        The object, as its prompts name it.
    mask : (H, W) bool
        At the size of the clip's frames, with at least one pixel.
    """

    frame: int
    label: int
    mask: NDArray[np.bool_]


class Segmenter(Protocol):
    """Segments one clip at a time."""

    def segment(
        self, clip: Clip, prompts: BoxTable, progress: FrameProgress = no_frame_progress
    ) -> Iterator[ObjectMask]:
        """Yield masks in order of frame, and of label within a frame.

        Parameters
        ----------
        clip : Clip
            With frames.
        prompts : BoxTable
            Prompts only, with labels; the prompt of an object is its box and the centre of the box. May be empty:
            then there are no masks.
        progress : callable, optional
            Called as frames are done.
        """
        ...

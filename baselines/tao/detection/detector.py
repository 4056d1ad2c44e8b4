"""What a detector is: a clip in, the boxes of its objects out."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from baselines.tao.box_table import BoxTable
from baselines.tao.progress import FrameProgress, no_frame_progress
from vadbench import Clip


class Part(StrEnum):
    """Part of a data set that a clip belongs to; test and training clips may have the same ids."""

    TRAINING = "training"
    TEST = "test"


class Detector(Protocol):
    """Finds the objects of one clip at a time; truth and labels are never read."""

    def detect(self, clip: Clip, part: Part, progress: FrameProgress = no_frame_progress) -> BoxTable:
        """Boxes of a clip, in order of frame; inside the frame, each with an area; a frame may have none."""
        ...

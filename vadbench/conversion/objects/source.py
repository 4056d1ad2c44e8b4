"""What sources of instances and detections share: every clip is read once, and kept until it is written.

So all clips are looked at before the first is written, and what was cut or left out is known when provenance is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.source import Source, Timing
from vadbench.datasets.base import Clip
from vadbench.prediction import Prediction


class ObjectSource(Source):
    """Foreign instances or detections of one data set.

    Attributes
    ----------
    counts : Counter
        What was done to rows, such as ``boxes_cut_at_the_frame``, over the clips that were asked for.
    least_number : int, optional
        The least frame number that the files state for these clips; None if they state none.
    """

    lazy = True
    missing_clip_hint = "--missing-clips empty says that a clip which is not named is one without a finding"

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.least_number: int | None = None
        self._read: dict[tuple[str, str, Timing], Prediction] = {}

    def prediction(self, name: str, clip: Clip, timing: Timing) -> Prediction:
        """What the files say of a clip; see the source for what it raises."""
        key = (name, clip.id, timing)
        if key not in self._read:
            self._read[key] = self.read(name, clip, timing)
        return self._read[key]

    @abstractmethod
    def read(self, name: str, clip: Clip, timing: Timing) -> Prediction:
        """Read a clip for the first time."""

    @abstractmethod
    def empty(self, clip: Clip) -> Prediction:
        """What a clip without a finding is, in the types of the others."""

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """What provenance says of the conversion, once all clips were read."""

    def note_numbers(self, numbers: NDArray[np.int64]) -> None:
        """Remember the least of frame numbers (N,), as the files state them."""
        if len(numbers):
            least = int(numbers.min())
            self.least_number = least if self.least_number is None else min(least, self.least_number)

    def done(self) -> dict[str, int]:
        """The counts that are above 0; and the least frame number above 0, for frames may be counted from 1."""
        found = {**self.counts, "least_frame_number": self.least_number or 0}
        return {name: number for name, number in sorted(found.items()) if number > 0}

"""Predictions in another format, clip by clip: what every reader of such files offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from vadbench.datasets.base import Clip
from vadbench.errors import UsageError
from vadbench.prediction import Prediction


@dataclass(frozen=True)
class Timing:
    """How the frames of the files are those of a clip; every field is a number of frames.

    Parameters
    ----------
    frame_offset : int
        Added to each frame number that the files state: -1 for frames counted from 1.
    drop_head, drop_tail : int
        Frames left out at the beginning and the end of what the files hold for a clip.
    pad_head, pad_tail : int
        Frames put before and behind, after dropping: copies of the first and the last one.
    """

    frame_offset: int = 0
    drop_head: int = 0
    drop_tail: int = 0
    pad_head: int = 0
    pad_tail: int = 0


class Source(ABC):
    """Foreign predictions of one data set.

    Attributes
    ----------
    clip_names : tuple of str
        Clips as the files call them, in natural order.
    lazy : bool
        Whether `prediction` reads no more than headers, or what it read is kept, so that all clips can be looked at
        before one is written.
    missing_clip_hint : str
        What to do about a clip that the files do not name, where it is not to make constant scores.
    """

    clip_names: tuple[str, ...]
    lazy: bool = False
    missing_clip_hint: str = ""

    @abstractmethod
    def prediction(self, name: str, clip: Clip, timing: Timing) -> Prediction:
        """What the files say of a clip.

        Parameters
        ----------
        name : str
            One of `clip_names`.
        clip : Clip
            The clip of the data set that it is: number of frames T, height and width in pixels.
        timing : Timing

        Raises
        ------
        ConversionError
            With file, clip and frame or line, where a file is not as its format says.
        """

    def empty(self, clip: Clip) -> Prediction:
        """What a clip is that the files do not name, where the caller says that this means "without a finding".

        Raises
        ------
        UsageError
            U219 where there is no such thing: every frame has scores.
        """
        raise UsageError(
            "U219",
            "--missing-clips is for boxes and masks",
            where=f"clip {clip.id}",
            got="files with a score for every frame",
            hint="leave it out; every clip must be there",
        )

    def file_numbers(self) -> list[tuple[int, int]]:
        """First and last number that names of files state, of each clip that was asked for; empty without numbers."""
        return []

    def record(self) -> dict[str, Any]:
        """What provenance says of the conversion beside the options, once all clips were looked at."""
        return {}

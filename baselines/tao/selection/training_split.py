"""Training clips in two halves: what is normal is learned from one, settings are chosen on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from baselines.views import View, view_of
from vadbench import Clip, DataError, Dataset, UsageError

LEAST_CLIPS = 4
"""Training clips below which a half would have a single clip: nobody to paste into another clip."""


@dataclass(frozen=True)
class TrainingSplit:
    """The halves, each in the data set's order.

    Parameters
    ----------
    fitted, held_out : tuple of Clip
        No clip is in both.
    """

    fitted: tuple[Clip, ...]
    held_out: tuple[Clip, ...]


def split_training(dataset: Dataset) -> TrainingSplit:
    """Every other training clip of each view is held out, the first is not.

    Parameters
    ----------
    dataset : Dataset
        Its id and training clips are used, nothing else.

    Raises
    ------
    DataError
        B271 if there are fewer than four training clips.
    """
    clips = dataset.training_clips
    if len(clips) < LEAST_CLIPS:
        raise DataError(
            "B271",
            "there are too few training clips to choose settings on",
            where=f"data set {dataset.id}",
            expected=f"{LEAST_CLIPS} or more: half of them to learn from, half to paste anomalies into",
            got=str(len(clips)),
            hint="use a preset as it is; or put the training part beside the test part, if it is missing",
        )
    seen: dict[View, int] = {}
    halves: tuple[list[Clip], list[Clip]] = [], []
    for clip in clips:
        view = view_of(dataset.id, clip)
        halves[seen.get(view, 0) % 2].append(clip)
        seen[view] = seen.get(view, 0) + 1
    return TrainingSplit(tuple(halves[0]), tuple(halves[1]))


class FittedPart(Dataset):
    """A data set of training clips alone, so that nothing that is given it can learn from any other clip.

    Parameters
    ----------
    dataset : Dataset
        Lends its id, which says what a view is.
    clips : sequence of Clip
        Become the training clips.
    """

    def __init__(self, dataset: Dataset, clips: Sequence[Clip]) -> None:
        self.id = dataset.id
        self.root = None
        self.clips = ()
        self.training_clips = tuple(clips)
        self.track_source = "mask-overlap"

    def truth(self, clip_id: str) -> NoReturn:
        """Raise `UsageError` U110: training clips have no truth."""
        raise UsageError("U110", "training clips have no truth", where=f"clip {clip_id}")

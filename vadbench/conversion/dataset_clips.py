"""Clips that a submission must hold: of a copy of the data set, or as the package knows them without any data."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from vadbench.datasets.base import Clip, Dataset
from vadbench.datasets.facts import load_facts
from vadbench.errors import UsageError


class DatasetPart(StrEnum):
    """Part of a data set; a submission of the training part is what a threshold is chosen from."""

    TEST = "test"
    TRAINING = "training"


def expected_clips(dataset_id: str, dataset: Dataset | None, part: DatasetPart) -> tuple[Clip, ...]:
    """Clips of a part in order of id.

    Parameters
    ----------
    dataset_id : str
    dataset : Dataset, optional
        A copy; without it the numbers of frames come with the package.
    part : DatasetPart

    Raises
    ------
    UsageError
        U217 where they are not known.
    """
    training = part is DatasetPart.TRAINING
    clips: Sequence[Clip] = ()
    hint = "only a copy tells how many frames they have: give the folder of the data set with --root DIR"
    if dataset is not None:
        clips = dataset.training_clips if training else dataset.clips
        hint = "the copy has no training frames"
    # A copy without training frames is no reason to forget what the package knows of them.
    if not clips and (dataset is None or training):
        clips = load_facts(dataset_id).known_clips(training=training)
    if not clips:
        raise UsageError("U217", f"the {part} clips of {dataset_id} are not known", hint=hint)
    return tuple(sorted(clips, key=lambda clip: clip.id))

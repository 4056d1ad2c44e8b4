"""Which clips a submission must hold, as far as that is known: from an open data set, or from what ships with us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vadbench.datasets.base import Clip, Dataset
from vadbench.datasets.facts import load_facts
from vadbench.datasets.registry import known_datasets
from vadbench.errors import SubmissionError, did_you_mean, quoted
from vadbench.submission.problems import problem


@dataclass(frozen=True)
class ExpectedClips:
    """Clips of the data set.

    Attributes
    ----------
    source : str
        Who knows them, for messages: ``data set ucsd-ped2``.
    clips : mapping from id to Clip
        Empty where they are not known.
    remark : str
        Against what clips are checked, or why they are not.
    training : frozenset of str
        Ids of the training clips, to tell the two parts apart.
    """

    source: str = ""
    clips: Mapping[str, Clip] = field(default_factory=dict)
    remark: str = ""
    training: frozenset[str] = frozenset()


def expected_clips(
    named: str | None, dataset: Dataset | str | None, where: tuple[str, ...]
) -> tuple[ExpectedClips, SubmissionError | None]:
    """Clips of the data set that a submission is for, and what is wrong with the name.

    Parameters
    ----------
    named : str or None
        Id that the submission names; None where it cannot be read.
    dataset : Dataset, str or None
        Data set, or its id, that the submission must be for; None: the one that it names.
    where : tuple of str
        Submission and file, for messages.
    """
    wanted = dataset.id if isinstance(dataset, Dataset) else dataset
    if named is not None and named != wanted and named not in known_datasets():
        unknown = problem(
            "S109", where=(*where, "dataset"), got=quoted(named), hint=did_you_mean(named, known_datasets())
        )
        if wanted is None:
            return ExpectedClips(remark="the data set does not exist"), unknown
        # A slip of the pen in the name hides nothing of the clips.
        return expected_clips(None, dataset, where)[0], unknown
    if named is not None and wanted is not None and named != wanted:
        error = problem(
            "S102",
            where=(*where, "dataset"),
            expected=f"dataset = {quoted(wanted)}",
            got=f"dataset = {quoted(named)}",
            hint="check it against the data set that it names, or mend the name",
        )
        return ExpectedClips(remark="it names another data set"), error
    name = named or wanted
    if name is None:
        return ExpectedClips(remark="it cannot be read which data set it is for"), None
    if isinstance(dataset, Dataset):
        clips = {clip.id: clip for clip in dataset.clips}
        training = frozenset(clip.id for clip in dataset.training_clips)
        return ExpectedClips(f"data set {name}", clips, f"against {name} as it is on disk", training), None
    return _shipped(name), None


def _shipped(name: str) -> ExpectedClips:
    facts = load_facts(name)
    clips = {clip.id: clip for clip in facts.known_clips()}
    if not clips:
        return ExpectedClips(remark=f"each copy of {name} has its own clips: give --root")
    return ExpectedClips(f"data set {name}", clips, f"against what is known of {name}", frozenset(facts.training_clips))

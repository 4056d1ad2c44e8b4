"""The results of one run of the stages: where each lies, what it lacks, and which were made just now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from baselines.tao.detection.detector import Part
from baselines.tao.stages import Result, Stage, StageFolder, in_words
from vadbench import Clip, Dataset, UsageError

Notice = Callable[[str], None]
"""Called with one line for the person who waits, such as that earlier results were deleted and why."""


class StageResults:
    """Folders of the results by `Result`.

    Parameters
    ----------
    dataset : Dataset
        Its clips alone count.
    path : Path
        Holds the folders.
    keys : mapping from Result to mapping
        What each result depends on (`StageKeys`).
    notice : callable

    Attributes
    ----------
    made : set of Stage
        Stages that had something to do.
    """

    def __init__(self, dataset: Dataset, path: Path, keys: Mapping[Result, Mapping[str, Any]], notice: Notice) -> None:
        self.dataset = dataset
        self.path = path
        self.made: set[Stage] = set()
        self._folders = {result: StageFolder(path / result, key) for result, key in keys.items()}
        self._notice = notice
        self._said_changes = False

    def __getitem__(self, result: Result) -> StageFolder:
        return self._folders[result]

    def take_from(self, reuse: Path) -> None:
        """Read results from another run's folder where they are whole there, of the same key, and not whole here."""
        taken = False
        for result, own in self._folders.items():
            other = StageFolder(reuse / result, own.key)
            if result is not Result.SUBMISSION and self._is_whole(result, other):
                taken = True
                if not self._is_whole(result, own):
                    self._folders[result] = other
        if not taken:
            self._notice(f"nothing in {reuse} was made with these settings; everything is made here")

    def is_whole(self, result: Result) -> bool:
        """Whether nothing of it is missing; raises `UsageError` B243 if something else is in its place."""
        return self._is_whole(result, self._folders[result])

    def lacks_model(self, result: Result) -> bool:
        """Whether what is learned from the training clips must be learned; raises as `is_whole`."""
        folder = self._folders[result]
        return folder.differences() != [] or not folder.model.exists()

    def announce(self, result: Result) -> None:
        """Note that a result is made now; says once why those of other settings, which `begin` deletes, do not do."""
        self.made.add(result.stage)
        changes = self._folders[result].differences()
        if changes and not self._said_changes:
            self._notice(f"{result}: made again, and what follows from it, because of {in_words(changes)}")
            self._said_changes = True

    def begin(self, result: Result) -> list[tuple[Part, Clip]]:
        """Make the folder of a result ready, which deletes results of another key; gives the clips that it lacks."""
        folder = self._folders[result]
        folder.begin()
        missing = self._missing(result, folder)
        self.say_resumed(result, len(missing), len(self._clips(result)))
        return missing

    def say_resumed(self, result: Result, missing: int, total: int) -> None:
        """Say that a run goes on, if some of all clips are there and some are not."""
        if 0 < missing < total:
            self._notice(f"{result}: going on, {total - missing} of {total} clips are there already")

    def whole(self, result: Result) -> StageFolder:
        """Folder of a result that an earlier stage has written; raises `UsageError` B245 if it has not."""
        folder = self._folders[result]
        if self._is_whole(result, folder):
            return folder
        differences = folder.differences()
        missing = len(self._missing(result, folder))
        got = f"{missing} of {len(self._clips(result))} clips are missing"
        if differences is None:
            got = "nothing"
        elif differences:
            got = f"results of other settings: {in_words(differences)}"
        raise UsageError(
            "B245",
            f"the results of the stage before, {result}, are not there",
            where=str(folder.path),
            got=got,
            hint=f"run the same command with --stage {result.stage} first, or without --stage",
        )

    def times(self) -> tuple[dict[Stage, float], dict[Stage, int]]:
        """Seconds and frames of each stage, over all runs that had a part in what is there."""
        seconds, frames = dict.fromkeys(Stage, 0.0), dict.fromkeys(Stage, 0)
        for result, folder in self._folders.items():
            seconds[result.stage] += folder.seconds
            frames[result.stage] += folder.frames
        return seconds, frames

    def clips_of(self, parts: Sequence[Part]) -> list[tuple[Part, Clip]]:
        """Clips of parts of the data set, in order."""
        of_part = {Part.TRAINING: self.dataset.training_clips, Part.TEST: self.dataset.clips}
        return [(part, clip) for part in parts for clip in of_part[part]]

    def _clips(self, result: Result) -> list[tuple[Part, Clip]]:
        """Clips whose boxes the result holds."""
        if result in {Result.SEGMENTATION, Result.SUBMISSION}:
            return []
        return self.clips_of(tuple(Part) if result is Result.DETECTION else (Part.TEST,))

    def _missing(self, result: Result, folder: StageFolder) -> list[tuple[Part, Clip]]:
        return [(part, clip) for part, clip in self._clips(result) if not folder.boxes(part, clip.id).exists()]

    def _is_whole(self, result: Result, folder: StageFolder) -> bool:
        learned = result in {Result.SCORING, Result.SEGMENTATION}
        return (
            folder.differences() == [] and not self._missing(result, folder) and (folder.model.exists() or not learned)
        )

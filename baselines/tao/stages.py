"""What the stages have written, on disk: a folder for each result, with what it depends on.

So nothing stale is used. Beside the submission ``OUT`` lies ``OUT.stages``::

    detection/    stage.json  training/CLIP.csv  test/CLIP.csv     boxes
    scoring/      stage.json  model.npz  test/CLIP.csv             boxes with attributes and score
    filtering/    stage.json  test/CLIP.csv                        boxes that are kept, with score, label, prompt
    segmentation/ stage.json  model.npz                            what the classical segmenter has learned
    submission/   stage.json  unfinished/  placed.json             clips of a submission that is being written
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from baselines.tao.box_table import write_whole
from baselines.tao.detection.detector import Part
from vadbench import UsageError
from vadbench.errors import quoted

FORMAT = "vadbench.tao-stage/1"
_KEY_FILE, _TIME_FILE = "stage.json", "seconds.json"
_MOST_CHANGES_NAMED = 3


class Stage(StrEnum):
    """Stages as a person starts them; each goes on from what those before have written."""

    DETECT = "detect"
    SCORE = "score"
    FILTER = "filter"
    SEGMENT = "segment"


class Result(StrEnum):
    """Results of the stages, by the names of their folders; the last two are those of `Stage.SEGMENT`."""

    DETECTION = "detection"
    SCORING = "scoring"
    FILTERING = "filtering"
    SEGMENTATION = "segmentation"
    SUBMISSION = "submission"

    @property
    def stage(self) -> Stage:
        """Stage that makes it."""
        return Stage.SEGMENT if self is Result.SUBMISSION else list(Stage)[list(Result).index(self)]

    @classmethod
    def of(cls, stage: Stage) -> Self:
        """Result of a stage; its name is also that of the package that does the work."""
        return list(cls)[list(Stage).index(stage)]


@dataclass(frozen=True)
class StageFolder:
    """Folder of one result.

    Parameters
    ----------
    path : Path
    key : mapping
        Everything that the result depends on, as JSON holds it: equal keys, equal bytes.
    """

    path: Path
    key: Mapping[str, Any]

    @property
    def model(self) -> Path:
        """File of what was learned from the training clips."""
        return self.path / "model.npz"

    def boxes(self, part: Part, clip_id: str) -> Path:
        """Table of the boxes of a clip."""
        return self.path / part / f"{clip_id}.csv"

    def differences(self) -> list[str] | None:
        """What the key on disk has otherwise, in words; none if the result is that of `key`, None if there is none.

        Raises
        ------
        UsageError
            B243 if the folder holds other things than a result.
        """
        file = self.path / _KEY_FILE
        if not self.path.exists() or (self.path.is_dir() and all(map(_is_temporary, self.path.iterdir()))):
            return None
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            if found["format"] != FORMAT:
                raise ValueError(quoted(found["format"]))
            return list(_differences(dict(found["key"]), dict(self.key)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                "B243",
                "this folder is in the way of the results of a stage",
                where=str(self.path),
                expected=f"nothing, or a folder with a {_KEY_FILE}",
                got=f"{type(error).__name__}: {error}",
                hint="move it away, or write the submission to another place",
            ) from error

    def begin(self) -> list[str]:
        """Make the folder ready for results of `key`: those of another key are deleted, those of the same key stay.

        Returns
        -------
        list of str
            What has changed since the results that were deleted; empty if there were none.
        """
        changes = self.differences()
        for temporary in self._temporaries():
            temporary.unlink(missing_ok=True)
        if changes:
            # The old key stays till the old results are gone: a run that is killed in between leaves no mixture.
            for entry in self.path.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry)
                elif entry.name != _KEY_FILE:
                    entry.unlink()
        if changes is None or changes:
            content = {"format": FORMAT, "key": self.key}
            write_whole(self.path / _KEY_FILE, json.dumps(content, indent=1, sort_keys=True).encode() + b"\n")
        return changes or []

    @property
    def seconds(self) -> float:
        """Time that making the result has taken so far, over all runs that had a part in it."""
        return float(self._time()["seconds"])

    @property
    def frames(self) -> int:
        """Frames that this time was spent on."""
        return int(self._time()["frames"])

    def add_time(self, seconds: float, frames: int) -> None:
        """Note that work on so many frames has taken so long; where it cannot be written, it is not known."""
        total = {"seconds": self.seconds + seconds, "frames": self.frames + frames}
        with suppress(OSError):
            write_whole(self.path / _TIME_FILE, json.dumps(total).encode() + b"\n")

    def forget_time(self) -> None:
        """Begin to count the time anew."""
        with suppress(OSError):
            (self.path / _TIME_FILE).unlink(missing_ok=True)

    def _time(self) -> dict[str, float]:
        """What was noted; zeros where that is damaged, because a result does not depend on it."""
        try:
            table = json.loads((self.path / _TIME_FILE).read_text(encoding="utf-8"))
            time = {name: float(table[name]) for name in ("seconds", "frames")}
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return {"seconds": 0.0, "frames": 0}
        return time if all(map(math.isfinite, time.values())) else {"seconds": 0.0, "frames": 0}

    def _temporaries(self) -> list[Path]:
        """What a run that was killed while it wrote has left."""
        folders = [self.path, *(self.path / part for part in Part)]
        return [entry for folder in folders if folder.is_dir() for entry in folder.iterdir() if _is_temporary(entry)]


def _is_temporary(entry: Path) -> bool:
    """Whether it is a file that `write_whole` had not renamed yet."""
    return re.fullmatch(r"\..+\.(json|npz|csv)-\w+", entry.name) is not None and entry.is_file()


def digest(key: Mapping[str, Any]) -> str:
    """SHA-256 of a key, 64 hex digits; stands for it in the keys of later stages."""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()


def in_words(changes: list[str]) -> str:
    """The first few changes as one line."""
    named = ", ".join(changes[:_MOST_CHANGES_NAMED])
    more = len(changes) - _MOST_CHANGES_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from _differences(was, now, f"{before}{name}.")
        elif was != now:
            yield f"{before}{name} {_shown(was)} → {_shown(now)}"


def _shown(value: object) -> str:
    """A value in a few letters; digests by their first digits, as people compare them."""
    text = "none" if value is None else json.dumps(value) if isinstance(value, (list, dict)) else str(value)
    return text[:8] if len(text) == 64 and not set(text) - set("0123456789abcdef") else quoted(text)[1:-1]

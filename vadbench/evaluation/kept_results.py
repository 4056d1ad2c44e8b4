"""Results of clips kept in a folder as they finish, so that a run that was ended goes on with the rest.

A kept result is found by a key made of everything that it depends on. A changed file of the submission, another truth,
protocol or version of the definitions has another key, so that nothing is ever used that would not come out again.

Source: architecture, "Caches".
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast
from urllib.parse import quote

import numpy as np

from vadbench.datasets.base import Clip, Dataset
from vadbench.datasets.fingerprint import track_lines, truth_bytes
from vadbench.errors import SubmissionError, UsageError
from vadbench.evaluation.code_revision import code_revision
from vadbench.evaluation.kept_format import FORMAT, DamagedResultError, decoded, described_types, encoded
from vadbench.evaluation.predictions import PredictionSource, StoredPredictions
from vadbench.evaluation.sources import Sources
from vadbench.evaluation.truth_index import indexed_truth
from vadbench.protocol import Protocol as ScoringProtocol
from vadbench.protocol.signature import DEFINITIONS
from vadbench.submission.tree import PREDICTIONS, Tree
from vadbench.truth import Truth

_ENDING = ".npz"
_UNFINISHED = ".unfinished"
_NAME = re.compile(r"(?P<place>.+-[0-9a-f]{8})-[0-9a-f]{16}\.npz")
_LONGEST_CLIP_NAME = 100
_ABANDONED_SECONDS = 24 * 3600.0
_REMOTE_READERS = 8


class ScoringTask(Protocol):
    """What the key of a result reads of a task, which is a dataclass."""

    @property
    def clip_id(self) -> str:
        """The clip's id."""
        ...

    @property
    def dataset(self) -> Dataset:
        """Whose truth it is scored on."""
        ...

    @property
    def predictions(self) -> PredictionSource:
        """What is scored."""
        ...

    @property
    def protocol(self) -> ScoringProtocol:
        """The choices."""
        ...

    @property
    def sources(self) -> Sources:
        """Which prediction feeds which metric."""
        ...

    @property
    def metrics(self) -> Collection[str]:
        """Keys of the metrics that are wanted."""
        ...


Task = TypeVar("Task", bound=ScoringTask)
Result = TypeVar("Result")


@dataclass(frozen=True)
class KeptResults:
    """A folder of kept results; picklable.

    Parameters
    ----------
    path : str or Path
        Made if absent. Files of other names in it are left alone, and it may be deleted whenever no run uses it.

    Raises
    ------
    UsageError
        U180 if it is no folder, or cannot be written to.

    Notes
    -----
    On a cluster the path must lead every worker to the same folder.
    """

    path: Path

    def __post_init__(self) -> None:
        # A worker may have another current folder.
        path = Path(self.path).absolute()
        object.__setattr__(self, "path", path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(path)
            handle, probe = tempfile.mkstemp(dir=path, suffix=_UNFINISHED)
            os.close(handle)
            Path(probe).unlink()
        except OSError as error:
            raise UsageError(
                "U180",
                "results cannot be kept here",
                where=str(path),
                expected="a folder that can be written to",
                got=error.strerror or str(error),
            ) from error

    def find(self, name: str, key: str) -> Any:
        """The kept result; raises `DamagedResultError` where there is none, or it is damaged."""
        try:
            content = (self.path / name).read_bytes()
        except OSError as error:
            raise DamagedResultError(str(error)) from error
        return decoded(content, key)

    def keep(self, name: str, key: str, result: object) -> None:
        """Keep a result: whole or not at all, whoever else writes it. Earlier ones in its place are removed."""
        content = encoded(result, key)
        # Not by tempfile, whose files only their owner may read: workers of a cluster may belong to somebody else, and
        # the umask says what they may.
        temporary = self.path / f".{name}.{secrets.token_hex(8)}{_UNFINISHED}"
        try:
            with temporary.open("xb") as file:
                file.write(content)
            temporary.replace(self.path / name)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        place = _place(name)
        for other in self.path.iterdir():
            if other.name != name and _place(other.name) == place:
                other.unlink(missing_ok=True)


def _place(name: str) -> str | None:
    """Name without its key, for names that are ours."""
    match = _NAME.fullmatch(name)
    return None if match is None else match["place"]


def _remove_abandoned(folder: Path) -> None:
    """Remove what a process left that was killed while it wrote; another may be writing now."""
    for path in folder.glob(f".*-*{_ENDING}.*{_UNFINISHED}"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink()


@dataclass(frozen=True)
class KeptWork(Generic[Task, Result]):
    """Work on a clip that is done only where its result is not kept; picklable where the work is.

    Parameters
    ----------
    work : callable
        From a task to its result.
    kept : KeptResults
    phase : str
        Name of this kind of result; letters and hyphens.
    more : bytes
        All that the result depends on beside what `result_key` reads of a task, such as a digest of shared thresholds.

    Notes
    -----
    The key needs the stored bytes of the clip's predictions, so it is made where the work is done. Reading and hashing
    them takes far less than decoding; of a submission behind a URL, though, all is fetched for the key, for the work,
    and once more to see that it is still the same.
    """

    work: Callable[[Task], Result]
    kept: KeptResults
    phase: str
    more: bytes = b""

    def __call__(self, task: Task) -> Result:
        """Give the kept result, else do the work and keep it."""
        truth = indexed_truth(task.dataset, task.clip_id)
        before = _file_states(task.predictions, task.clip_id)
        key = result_key(task, truth, self.phase, self.more)
        name = result_name(task, self.phase, key)
        try:
            found: Result = self.kept.find(name, key)
        except DamagedResultError:
            result = self.work(_with_truth(task, truth))
            # Of files that were written meanwhile, the key is of the old ones and the result perhaps of the new.
            after = _file_states(task.predictions, task.clip_id)
            if before is not None and after == before and self._has_the_key_still(task, truth, key):
                self.kept.keep(name, key, result)
            return result
        return found

    def _has_the_key_still(self, task: Task, truth: Truth, key: str) -> bool:
        """Whether what lies behind a URL, where no state of a file tells, gives the key once more."""
        predictions = task.predictions
        if not isinstance(predictions, StoredPredictions) or not predictions.submission.tree.is_remote:
            return True
        try:
            return result_key(task, truth, self.phase, self.more) == key
        except SubmissionError:
            # The result is there and good; that it cannot be kept must not take it away.
            return False


def result_key(task: ScoringTask, truth: Truth, phase: str, more: bytes = b"") -> str:
    """Key of a result, 64 hex digits: SHA-256 of everything that it depends on.

    Parameters
    ----------
    task : ScoringTask
        Of its predictions the stored bytes are read, nothing is decoded; those in memory are read as they are.
    truth : Truth
        Of the clip.
    phase : str
    more : bytes
        See `KeptWork`.

    Notes
    -----
    Neither where the files are nor whether they are a folder or a zip is part of it, nor what ``submission.toml`` says
    beside kinds and threshold.
    """
    clip = task.dataset.clip(task.clip_id)
    parts: list[bytes] = [
        FORMAT.encode(),
        described_types().encode(),
        f"vadbench {code_revision()}, definitions {DEFINITIONS}".encode(),
        phase.encode(),
        more,
        repr(list(task.protocol.values())).encode(),
        repr(sorted(task.metrics)).encode(),
        repr(task.sources).encode(),
        repr((list(task.predictions.kinds), task.predictions.threshold)).encode(),
        truth_bytes(clip, truth),
        b"derived tracks" if truth.given_tracks is None else "".join(track_lines(clip.id, truth)).encode(),
        *_prediction_parts(task.predictions, clip),
    ]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def result_name(task: ScoringTask, phase: str, key: str) -> str:
    """Name of the file of a result: clip, digits of what is the same for later results in its place, key."""
    predictions = task.predictions
    # Not the path alone: one folder may keep the results of several submissions, protocols and phases.
    whose = repr(predictions.submission) if isinstance(predictions, StoredPredictions) else "in memory"
    # The clip's id, too, of which the name has the beginning only.
    place = repr((whose, task.dataset.id, task.clip_id, phase, str(task.protocol), sorted(task.metrics)))
    clip_name = quote(task.clip_id, safe="")[:_LONGEST_CLIP_NAME]
    return f"{clip_name}-{hashlib.sha256(place.encode()).hexdigest()[:8]}-{key[:16]}{_ENDING}"


def _prediction_parts(predictions: PredictionSource, clip: Clip) -> list[bytes]:
    """What a clip's result depends on of its predictions: names and digests."""
    if isinstance(predictions, StoredPredictions):
        return _stored_parts(predictions.submission.tree, f"{PREDICTIONS}/{clip.id}")
    prediction = predictions.clip(clip)
    digest = None
    if prediction.maps is not None:
        digest = hashlib.sha256()
        for _, block in prediction.maps.blocks():
            digest.update(np.ascontiguousarray(block, dtype=block.dtype.newbyteorder("<")).tobytes())
    return predictions.content_lines(clip, prediction, None if digest is None else digest.hexdigest())


def _file_states(predictions: PredictionSource, clip_id: str) -> list[tuple[int, int, int]] | None:
    """Sizes, times and numbers of the files of a clip that lie on this machine; None where one vanishes meanwhile."""
    if not isinstance(predictions, StoredPredictions) or (place := predictions.submission.path) is None:
        return []
    tree = predictions.submission.tree
    try:
        paths = [place] if tree.is_archive else [place / name for name in tree.files(f"{PREDICTIONS}/{clip_id}")]
        return [(status.st_size, status.st_mtime_ns, status.st_ino) for status in (path.stat() for path in paths)]
    except (FileNotFoundError, SubmissionError):
        # Before the work, what is wrong is said by who reads the files next.
        return None


def _stored_parts(tree: Tree, folder: str) -> list[bytes]:
    def part(file: tuple[str, int]) -> bytes:
        name, size = file
        return f"{name}\0{hashlib.sha256(tree.read(name, size)).hexdigest()}".encode()

    files = tree.files(folder).items()
    if not tree.is_remote:
        return [part(file) for file in files]
    # Each thread waits for the network most of the time, and holds one file.
    with ThreadPoolExecutor(_REMOTE_READERS) as threads:
        return list(threads.map(part, files))


class _TruthAtHand(Dataset):
    """A data set whose truth of one clip was read for the key, and need not be read for the work once more."""

    def __init__(self, dataset: Dataset, clip_id: str, truth: Truth) -> None:
        self.id, self.root, self.track_source = dataset.id, dataset.root, dataset.track_source
        self.clips, self.training_clips = dataset.clips, dataset.training_clips
        self._clip_id, self._truth, self._dataset = clip_id, truth, dataset

    def truth(self, clip_id: str) -> Truth:
        """Truth of a clip."""
        return self._truth if clip_id == self._clip_id else self._dataset.truth(clip_id)


def _with_truth(task: Task, truth: Truth) -> Task:
    """The task, with a data set that does not read the truth again."""
    return cast("Task", replace(cast("Any", task), dataset=_TruthAtHand(task.dataset, task.clip_id, truth)))

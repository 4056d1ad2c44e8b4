"""The interface that every data set offers: clips, their frames if there are any, and their truth."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import DataError, UsageError, did_you_mean, quoted
from vadbench.truth import Truth

DATASET_IDS = ("ucsd-ped2", "ucsd-ped1", "avenue", "shanghaitech", "synthetic", "folder")
"""Ids of the data sets that `vadbench.open_dataset` knows."""

FrameReader = Callable[[], Iterator[NDArray[np.uint8]]]


@dataclass(frozen=True)
class Clip:
    """One video of a data set.

    Parameters
    ----------
    id : str
        Such as ``01`` or ``01_0014``.
    frames : int
        Number of frames T; frames are 0-based.
    height, width : int
        Size of a frame in pixels.
    frame_reader : callable or None
        Picklable; yields the frames in order. None: only the truth is there.
    """

    id: str
    frames: int
    height: int
    width: int
    frame_reader: FrameReader | None = field(default=None, repr=False, compare=False)

    def read_frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames in order, each (H, W) or (H, W, 3) uint8 (RGB).

        Raises
        ------
        DataError
            D210 if the data set holds no frames of this clip.
        """
        if self.frame_reader is None:
            raise DataError(
                "D210",
                "this clip has no frames on disk",
                where=f"clip {self.id}",
                hint="scoring needs the truth alone; put the frames into the layout that "
                "`vadbench data list` shows to run a method or draw an overlay",
            )
        return self.frame_reader()


class Dataset(ABC):
    """Test and training clips of one data set at one place.

    Implementations hold paths and metadata, no open files, so that they can be sent to workers.

    Attributes
    ----------
    id : str
        Such as ``ucsd-ped2``.
    root : Path or None
        Where the data are; None for a data set held in memory.
    clips : tuple of Clip
        Test clips in order of id (by Unicode code point).
    training_clips : tuple of Clip
        In order of id; empty where the training part is absent.
    track_source : str
        ``mask-overlap`` where tracks are derived, else the name of the file format: ``aed`` or ``folder``.
    """

    id: str
    root: Path | None
    clips: tuple[Clip, ...]
    training_clips: tuple[Clip, ...]
    track_source: str

    @abstractmethod
    def truth(self, clip_id: str) -> Truth:
        """Read the truth of a test clip; raises `DataError` naming file, clip and frame where a file is wrong."""

    def only(self, clip_id: str) -> Dataset:
        """What a worker needs for that clip: the data set itself, unless it holds its clips in memory."""
        return self

    def clip(self, clip_id: str) -> Clip:
        """Test clip of that id; raises `UsageError` U110 with the nearest id."""
        return _by_id(self.clips, clip_id, self.id)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the truth of all test clips, 64 hex digits (submission.md, "Identity"); reads every mask."""
        from vadbench.datasets.fingerprint import dataset_fingerprint, truth_bytes

        return dataset_fingerprint(self.id, (truth_bytes(clip, self.truth(clip.id)) for clip in self.clips))

    @cached_property
    def tracks_fingerprint(self) -> str | None:
        """SHA-256 of the track files, 64 hex digits; None where tracks are derived from masks."""
        from vadbench.datasets.fingerprint import track_lines, tracks_fingerprint

        if self.track_source == "mask-overlap":
            return None
        return tracks_fingerprint(line for clip in self.clips for line in track_lines(clip.id, self.truth(clip.id)))


class MemoryDataset(Dataset):
    """A data set held in memory: for notebooks and tests.

    Parameters
    ----------
    truths : mapping from clip id to Truth
    id : str
    track_source : str
        ``folder`` where the truths bring their tracks, else ``mask-overlap``.

    Raises
    ------
    UsageError
        U118 for an id that no signature can hold, U119 if only some clips bring tracks.
    """

    def __init__(self, truths: dict[str, Truth], *, id: str = "memory", track_source: str | None = None) -> None:  # noqa: A002
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", id):
            raise UsageError(
                "U118",
                "the id of a data set stands in signatures",
                expected="letters, digits and the signs _ . - after the first",
                got=quoted(id),
            )
        for clip_id, truth in truths.items():
            if not isinstance(clip_id, str) or not isinstance(truth, Truth):
                raise UsageError(
                    "U118",
                    "a data set in memory is a mapping from clip id to Truth",
                    where=f"clip {clip_id!r}",
                    got=f"{type(clip_id).__name__} to {type(truth).__name__}",
                    hint='such as {"01": Truth.from_arrays(masks)}',
                )
        self.id = id
        self.root = None
        self._truths = dict(sorted(truths.items()))
        self.clips = tuple(Clip(key, t.frames, t.height, t.width) for key, t in self._truths.items())
        self.training_clips = ()
        given = [truth.given_tracks is not None for truth in truths.values()]
        if any(given) and not all(given):
            raise UsageError(
                "U119",
                "some clips bring tracks and others do not",
                expected="tracks of every clip, or of none",
                hint="a clip without anomaly has an empty list of tracks: tracks=()",
            )
        self.track_source = track_source or ("folder" if any(given) else "mask-overlap")

    def truth(self, clip_id: str) -> Truth:
        """Truth of that clip."""
        return self._truths[self.clip(clip_id).id]

    def only(self, clip_id: str) -> MemoryDataset:
        """The same data set with that clip alone."""
        return MemoryDataset({clip_id: self.truth(clip_id)}, id=self.id, track_source=self.track_source)


def _by_id(clips: Sequence[Clip], clip_id: str, dataset_id: str) -> Clip:
    for clip in clips:
        if clip.id == clip_id:
            return clip
    raise UsageError(
        "U110",
        f"{dataset_id} has no clip {quoted(clip_id)}",
        hint=did_you_mean(clip_id, [clip.id for clip in clips]),
    )

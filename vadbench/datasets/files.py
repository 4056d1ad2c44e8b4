"""Data sets in files: a clip's truth is put together from masks, labels and tracks, each from its own place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Clip, Dataset
from vadbench.datasets.facts import DatasetFacts
from vadbench.datasets.fingerprint import track_lines, tracks_fingerprint
from vadbench.masks import MaskRuns
from vadbench.truth import Track, Truth


class MaskSource(Protocol):
    """Where the masks of a clip are; picklable, opens files only when read."""

    def paths(self) -> tuple[Path, ...]:
        """Files that the masks are read from."""
        ...

    def masks(self, clip: Clip) -> Iterator[NDArray[Any]]:
        """Yield the masks as they are stored, (H, W), one a frame; raises `DataError`."""
        ...


class LabelSource(Protocol):
    """Where the frame labels of a clip are."""

    def paths(self) -> tuple[Path, ...]:
        """Files that the labels are read from."""
        ...

    def labels(self, clip: Clip) -> NDArray[np.bool_]:
        """Labels (T,) bool; raises `DataError`."""
        ...


class TrackSource(Protocol):
    """Where the tracks of a clip are."""

    def paths(self) -> tuple[Path, ...]:
        """Files that the tracks are read from."""
        ...

    def tracks(self, clip: Clip) -> tuple[Track, ...]:
        """Tracks with half-open boxes; raises `DataError`."""
        ...


@dataclass(frozen=True)
class TruthFiles:
    """Where the parts of a clip's truth are; None for a part that the data set lacks."""

    masks: MaskSource | None = None
    labels: LabelSource | None = None
    tracks: TrackSource | None = None

    def paths(self) -> tuple[Path, ...]:
        """All files of the truth."""
        return tuple(path for part in (self.masks, self.labels, self.tracks) if part for path in part.paths())


class FileDataset(Dataset):
    """A data set in files.

    Attributes
    ----------
    facts : DatasetFacts
    own_masks : bool
        Whether the masks were given by the caller (``masks=``) and need not be the published ones.
    """

    facts: DatasetFacts
    own_masks: bool
    _truth_files: Mapping[str, TruthFiles]

    def truth_files(self, clip_id: str) -> tuple[Path, ...]:
        """Files that the truth of a test clip is read from, for caches that look at their times."""
        return self._truth_files[self.clip(clip_id).id].paths()

    def stored_masks(self, clip_id: str) -> Iterator[NDArray[Any]] | None:
        """Masks of a test clip as they are stored, one (H, W) a frame; None where it has none."""
        clip = self.clip(clip_id)
        source = self._truth_files[clip.id].masks
        return None if source is None else source.masks(clip)

    @cached_property
    def tracks_fingerprint(self) -> str | None:
        """SHA-256 of the track files, 64 hex digits; None where tracks are derived from masks. Reads no masks."""
        if self.track_source == "mask-overlap":
            return None
        lines: list[str] = []
        for clip in self.clips:
            source = self._truth_files[clip.id].tracks
            tracks = () if source is None else source.tracks(clip)
            lines += track_lines(clip.id, Truth(clip.frames, clip.height, clip.width, None, None, tracks))
        return tracks_fingerprint(lines)

    def truth(self, clip_id: str) -> Truth:
        """Read the truth of a test clip; raises `DataError` D202-D221 naming file, clip and frame."""
        masks = self.stored_masks(clip_id)
        clip = self.clip(clip_id)
        return self.truth_with(clip_id, None if masks is None else MaskRuns.from_frames(masks, clip.height, clip.width))

    def truth_with(self, clip_id: str, mask_runs: MaskRuns | None) -> Truth:
        """Truth of a test clip whose masks were read already; reads labels and tracks."""
        clip = self.clip(clip_id)
        files = self._truth_files[clip.id]
        if files.labels is not None:
            labels: NDArray[np.bool_] | None = files.labels.labels(clip)
        else:
            labels = None if mask_runs is None else mask_runs.anomalous_frames()
        tracks = None if files.tracks is None else files.tracks.tracks(clip)
        return Truth(clip.frames, clip.height, clip.width, mask_runs, labels, tracks)

"""What is known of each data set: clips, frame counts, sizes, numbers of its truth, fingerprints.

One TOML file a data set, in the folder ``facts``; a thing that is not certain is left out of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from vadbench.datasets.base import Clip


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a data set.

    Parameters
    ----------
    id, title, citation, licence : str
    source : str
        Where to get the data, in words.
    layout : str
        Sketch of the folders.
    folder_names : tuple of str
        Names that a copy's folder usually has, for `open_dataset` and the environment variable.
    height, width : int or None
        Size of every frame in pixels; None where each copy has its own.
    clips, training_clips : mapping from clip id to number of frames
        In order of id; empty where not certain, or where each copy has its own.
    mask_clips : tuple of str
        Test clips with official pixel masks; all of them where the file does not say.
    expected : mapping from str to int
        ``anomalous_frames``, ``anomalous_pixels``; ``tracks`` and ``regions`` of the rule ``mask-overlap``.
    fingerprint : str or None
        Of the published truth, 64 hex digits.
    tracks_fingerprints : mapping from track source to str
        Of published track files, 64 hex digits.
    """

    id: str
    title: str
    citation: str
    licence: str
    source: str
    layout: str
    folder_names: tuple[str, ...] = ()
    height: int | None = None
    width: int | None = None
    clips: Mapping[str, int] = field(default_factory=dict)
    training_clips: Mapping[str, int] = field(default_factory=dict)
    mask_clips: tuple[str, ...] = ()
    expected: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str | None = None
    tracks_fingerprints: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width in pixels, where every copy has the same."""
        return None if self.height is None or self.width is None else (self.height, self.width)

    def known_clips(self, *, training: bool = False) -> tuple[Clip, ...]:
        """Clips as they are known without any data; empty where each copy has its own frame counts or sizes.

        Parameters
        ----------
        training : bool
            The training clips instead of the test clips.
        """
        if self.height is None or self.width is None:
            return ()
        counts = self.training_clips if training else self.clips
        return tuple(Clip(clip_id, frames, self.height, self.width) for clip_id, frames in counts.items())


@cache
def load_facts(dataset_id: str) -> DatasetFacts:
    """Facts of a data set by its id; `FileNotFoundError` for an id without facts."""
    text = resources.files(__package__).joinpath("facts", f"{dataset_id}.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    for name in ("clips", "training_clips"):
        table[name] = dict(sorted(table.get(name, {}).items()))
    table["folder_names"] = tuple(table.get("folder_names", ()))
    table["mask_clips"] = tuple(table.get("mask_clips", table["clips"]))
    return DatasetFacts(**table)

"""The clips that settings are chosen on: held-out normal clips with people of other held-out clips as anomalies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.simple.background import median_background
from baselines.simple.baseline import Progress, no_progress
from baselines.tao.box_table import BoxTable
from baselines.tao.filtering import FilterSettings, filter_boxes
from baselines.tao.selection.box_sources import BoxSource
from baselines.tao.selection.grey_clips import FrameArray, grey_frames_of
from baselines.tao.selection.selection_settings import SelectionSettings
from baselines.tao.selection.sprites import Sprite, cut_sprites
from baselines.tao.selection.synthetic_anomalies import moving_sprites, paste_anomalies
from baselines.views import View, view_of
from vadbench import Clip, DataError, Truth, overlay

_LINKED = FilterSettings(matches=0)
"""Boxes that overlap from frame to frame are one person; none is dropped."""

_PICTURES = 4


@dataclass(frozen=True)
class PastedClip:
    """A held-out clip with anomalies.

    Parameters
    ----------
    clip : Clip
        Its id is that of the source, a hyphen and a number.
    source_id : str
        Held-out clip that the anomalies were pasted into.
    sprite_ids : tuple of str
        Clips that the people were cut out of who could be pasted here.
    truth : Truth
        Every pixel of the anomalies.
    boxes : BoxTable
        As the detector finds them, or as they are given.
    pictures : tuple of (H, W, 3) uint8
        Frames at even steps through those with an anomaly, with the outline of the truth.
    """

    clip: Clip
    source_id: str
    sprite_ids: tuple[str, ...]
    truth: Truth
    boxes: BoxTable
    pictures: tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True)
class _HeldOut:
    """The used part of a held-out clip, and the people in it."""

    clip: Clip
    boxes: BoxTable
    sprites: list[Sprite]


def paste_clips(
    dataset_id: str,
    held_out: Sequence[Clip],
    source: BoxSource,
    backgrounds: Mapping[View, NDArray[np.float32]],
    settings: SelectionSettings,
    folder: Path,
    progress: Progress = no_progress,
) -> list[PastedClip]:
    """Cut people out of held-out clips, and paste them into other held-out clips of the same view as anomalies.

    Parameters
    ----------
    dataset_id : str
        Says what a view is.
    held_out : sequence of Clip
    source : BoxSource
    backgrounds : mapping from View to (H, W) float32
        Grey levels without people, of the fitted half.
    settings : SelectionSettings
    folder : Path
        Takes the frames of the pasted clips, so that memory does not.
    progress : callable, optional
        Called as clips are done.

    Returns
    -------
    list of PastedClip
        In turn into each held-out clip that somebody else can be pasted into.

    Raises
    ------
    DataError
        B272 if there is nobody to cut out, B276 if nothing of what was pasted is in a frame, B277 where frames are
        wrong.
    """
    usable = []
    for done, clip in enumerate(held_out, start=1):
        usable.append(_opened(dataset_id, clip, source, backgrounds, settings))
        progress("cutting people out", done, len(held_out))
    people = {part.clip.id: moving_sprites(part.sprites, part.clip.height) for part in usable}
    others = {
        target.clip.id: [
            part.clip.id
            for part in usable
            if part.clip.id != target.clip.id
            and people[part.clip.id]
            and view_of(dataset_id, part.clip) == view_of(dataset_id, target.clip)
        ]
        for target in usable
    }
    targets = [part for part in usable if others[part.clip.id]]
    if not targets:
        found = sum(len(part.sprites) for part in usable)
        raise DataError(
            "B272",
            "there is nobody to paste as an anomaly",
            where=f"held-out training clips {', '.join(clip.id for clip in held_out)}",
            expected="two held-out clips of one view, in one of which a person walks alone through "
            f"{settings.least_sprite} frames",
            got=f"{found} people who are alone that long, {sum(map(len, people.values()))} of whom move",
            hint="look at the boxes of the training clips: the detector may find nobody, or all of them as one",
        )
    pasted = []
    for number in range(settings.clips):
        target = targets[number % len(targets)]
        sprites = [sprite for other in others[target.clip.id] for sprite in people[other]]
        made = _pasted(target, sprites, number, number // len(targets) + 1, source, settings, folder)
        pasted.append(replace(made, sprite_ids=tuple(others[target.clip.id])))
        progress("pasting anomalies", number + 1, settings.clips)
    if not any(made.pictures for made in pasted):
        raise DataError(
            "B276",
            "no pasted anomaly is in a frame",
            where=f"held-out training clips {', '.join(clip.id for clip in held_out)}",
            hint="another --seed, or more --clips",
        )
    return pasted


def _opened(
    dataset_id: str,
    clip: Clip,
    source: BoxSource,
    backgrounds: Mapping[View, NDArray[np.float32]],
    settings: SelectionSettings,
) -> _HeldOut:
    frames = grey_frames_of(clip, settings.longest_clip)
    used = FrameArray(frames).clip(clip.id)
    boxes = source.of_clip(used)
    background = backgrounds.get(view_of(dataset_id, clip))
    if background is None:
        background = median_background([used], len(frames))
    linked = filter_boxes(boxes, _LINKED, used.frames)
    sprites = cut_sprites(frames, background, linked, least_frames=settings.least_sprite)
    # Read again when it is its turn: the frames of all held-out clips together may be too many.
    return _HeldOut(replace(clip, frames=used.frames), boxes, sprites)


def _pasted(
    target: _HeldOut,
    sprites: Sequence[Sprite],
    number: int,
    version: int,
    source: BoxSource,
    settings: SelectionSettings,
    folder: Path,
) -> PastedClip:
    made = paste_anomalies(
        grey_frames_of(target.clip, settings.longest_clip),
        sprites,
        np.random.default_rng([settings.seed, number]),
        count=settings.anomalies,
        missed=settings.missed,
        jitter=settings.jitter,
    )
    clip = FrameArray(mapped(folder / f"frames-{number}.npy", made.frames)).clip(f"{target.clip.id}-{version}")
    anomalous = np.flatnonzero(made.masks.any(axis=(1, 2)))
    shown = (
        np.unique(anomalous[np.linspace(0, anomalous.size - 1, _PICTURES).round().astype(int)])
        if anomalous.size
        else ()
    )
    pictures = tuple(overlay.overlay(made.frames[frame], made.masks[frame], None) for frame in shown)
    boxes = source.of_pasted(clip, target.boxes, made.boxes)
    return PastedClip(clip, target.clip.id, (), Truth.from_arrays(made.masks), boxes, pictures)


def mapped(path: Path, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same array in a file that is read where it is used."""
    np.save(path, array)
    return np.asarray(np.load(path, mmap_mode="r"))

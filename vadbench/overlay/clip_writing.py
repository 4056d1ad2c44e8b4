"""Overlays of a clip as MP4, GIF or PNG."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vadbench.errors import UsageError
from vadbench.overlay.clip_files import ClipFormat, check_speed, check_target, clip_file, clip_format, require_encoder
from vadbench.overlay.clip_pictures import GOOD_HEIGHT, checked_frames, clip_overlay
from vadbench.overlay.shown_method import shown_method
from vadbench.plots.shown_names import plain_text

if TYPE_CHECKING:
    from vadbench.datasets.base import Dataset
    from vadbench.overlay.shown_method import Predictions, Progress
    from vadbench.prediction import PredictionKind


@dataclass(frozen=True)
class WrittenOverlay:
    """What was written.

    Parameters
    ----------
    path : Path
    kind : ClipFormat
    frames : (int, int)
        First frame, and the one after the last.
    height, width : int
        Of a picture, in pixels.
    encoder : str
        Such as ``libx264``.
    """

    path: Path
    kind: ClipFormat
    frames: tuple[int, int]
    height: int
    width: int
    encoder: str


def write_clip_overlay(
    path: Path | str,
    dataset: Dataset,
    named: Mapping[str, Predictions],
    clip_id: str,
    *,
    frames: tuple[int | None, int | None] = (None, None),
    frames_per_second: float = 10.0,
    scale: int | None = None,
    kinds: frozenset[PredictionKind] | None = None,
    span: tuple[float | None, float | None] = (None, None),
    threshold: float | None = None,
    progress: Progress | None = None,
) -> WrittenOverlay:
    """Write what methods predict for a clip, over its frames.

    Parameters
    ----------
    path : path
        Ends in ``.mp4`` or ``.gif``; ``.png`` for one frame; else, or with a sign / at the end of a text, a folder.
    dataset : Dataset
        With frames.
    named : mapping from name to Submission or its path, or to a mapping from clip id to Prediction
        Side by side, by their titles.
    clip_id : str
    frames : (int or None, int or None)
        First frame and the one after the last, 0-based; all unless given.
    frames_per_second : float
        Of MP4 and GIF.
    scale : int, optional
        Whole number by which frames are enlarged; chosen to fill a screen unless given.
    kinds : set of PredictionKind, optional
        What is drawn; unless given, score maps, or instances where there are no maps, and detections.
    span : (float or None, float or None)
        Ends of the scale of scores, in stored units; those of all clips unless given.
    threshold : float, optional
        In stored units; the declared one unless given.
    progress : callable, optional
        Called as ``progress(done, total, what)``: clips that are walked through for the scale of each method, then
        frames that are drawn.

    Returns
    -------
    WrittenOverlay

    Raises
    ------
    DataError
        D210 if the clip has no frames on disk; others where truth or frames cannot be read.
    SubmissionError
        Where predictions do not fit the data set, or cannot be read.
    UsageError
        U110 for an unknown clip, U288 … U294 about name, target, PyAV, kinds, frames, numbers and encoder.

    Notes
    -----
    Every method has one scale of scores for all clips of the data set, so that pictures of different clips can be
    compared; finding it takes a walk through all its predictions, unless `span` says it. Memory is a few pictures
    whatever the length of the clip. The same input gives the same bytes with the same versions of PyAV and Pillow.
    """
    is_folder = isinstance(path, str) and path.endswith(("/", os.sep))
    target = Path(path)
    kind = clip_format(target, is_folder=is_folder)
    check_speed(kind, frames_per_second)
    check_target(target, kind)
    require_encoder(kind)
    clip = dataset.clip(clip_id)
    begin, end = checked_frames(clip, frames)
    if kind is ClipFormat.PNG and end - begin != 1:
        raise UsageError(
            "U288",
            "a single picture shows one frame",
            expected="--frames A:A+1, or a folder",
            got=f"{end - begin} frames",
        )
    # Raises where there are none, before anything that takes time.
    clip.read_frames()
    methods = [
        shown_method(
            name, predictions, dataset, kinds=kinds, span=span, threshold=threshold, progress=_walking(name, progress)
        )
        for name, predictions in named.items()
    ]
    # A GIF grows with every pixel; it is looked at small.
    good_height = GOOD_HEIGHT // 2 if kind is ClipFormat.GIF else GOOD_HEIGHT
    made = clip_overlay(dataset, methods, clip_id, frames=(begin, end), scale=scale, good_height=good_height)
    # Frames of two calls may lie in one folder where they are parts of one overlay, and only there.
    what = repr(
        (dataset.id, clip_id, made.scale, [(own.name, sorted(own.kinds), own.span, own.threshold) for own in methods])
    )
    with clip_file(target, kind, made.size, frames_per_second, what=what) as (take, encoder):
        for number, picture in enumerate(made.pictures()):
            take(picture, begin + number)
            if progress is not None:
                progress(number + 1, len(made), f"clip {clip_id}, frames")
    return WrittenOverlay(target, kind, (begin, end), *made.size, encoder)


def _walking(name: str, progress: Progress | None) -> Progress | None:
    if progress is None:
        return None
    shown = plain_text(name)
    return lambda done, total, clip_id: progress(done, total, f"scale of {shown}, clips")

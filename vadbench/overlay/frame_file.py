"""One frame with its overlay as a file: title, colour bar and legend around it, drawn by matplotlib."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import DataError, UsageError
from vadbench.overlay.picture import BOX_COLOUR, THRESHOLD_COLOUR, TRUTH_COLOUR, heat_colours, overlay, score_span
from vadbench.prediction import Prediction

if TYPE_CHECKING:
    from vadbench.datasets.base import Clip, Dataset
    from vadbench.plots.framed import ColourBar
    from vadbench.plots.score_scale import ScoreScale
    from vadbench.submission import Submission

_SMALLEST_HEIGHT = 480
"""Frames are enlarged, by a whole number, until they are at least so many pixels high."""


def write_overlay(
    path: Path | str,
    dataset: Dataset,
    predictions: Submission | Mapping[str, Prediction] | str | os.PathLike[str],
    clip_id: str,
    frame: int,
    *,
    lower: float | None = None,
    upper: float | None = None,
    threshold: float | None = None,
    method: str | None = None,
) -> Path:
    """Write an overlay of one frame with title, colour bar and legend.

    Parameters
    ----------
    path : path
        Ends in ``.png``, ``.pdf`` or ``.svg``.
    dataset : Dataset
        With frames.
    predictions : Submission or its path, or mapping from clip id to Prediction
        Score maps are shown as heat; without them the scores of instances; detections as boxes.
    clip_id : str
    frame : int
        0-based.
    lower, upper : float, optional
        Range of the colours in stored units; the extremes of the whole clip unless given, so that pictures of one
        clip can be compared.
    threshold : float, optional
        In stored units; that which the submission declares unless given.
    method : str, optional
        For the title; the name of the submission's method unless given.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        D210 if the clip has no frames on disk, D371 if the clip has fewer frames.
    UsageError
        U110 for an unknown clip, U153, U154, U155 about the picture.

    Notes
    -----
    The colour bar has the method's own scores where a submission says what they are (`lower` and `upper` of its
    score maps), and the stored numbers beside them.
    """
    from vadbench.plots.canvas import house_style, picture_format, save_figure
    from vadbench.plots.framed import DPI, framed_picture
    from vadbench.plots.shown_names import plain_text

    picture_format(path)
    clip = dataset.clip(clip_id)
    shown = _read_frame(clip, frame)
    predicted = _predicted(predictions, clip)
    prediction, scale = predicted.prediction, predicted.scale
    score_map, span = _scores_of_frame(prediction, clip, frame, (lower, upper))
    runs = dataset.truth(clip_id).mask_runs
    mask = None if runs is None else runs.decode(frame, frame + 1)[0]
    found = prediction.detections
    boxes = np.zeros((0, 4)) if found is None else found.boxes[found.frames == frame]
    # A declared threshold is one of score maps.
    mark = predicted.threshold if threshold is None and prediction.maps is not None else threshold
    picture = overlay(
        shown,
        mask,
        score_map,
        boxes=boxes,
        threshold=mark,
        lower=span[0],
        upper=span[1],
        scale=-(-_SMALLEST_HEIGHT // clip.height),
    )
    outlines = [("truth", TRUTH_COLOUR)] if mask is not None and mask.any() else []
    if mark is not None and score_map is not None:
        outlines.append((f"score ≥ {scale.shown(mark)}", THRESHOLD_COLOUR))
    if len(boxes):
        outlines.append(("detections", BOX_COLOUR))
    with house_style():
        title = f"{dataset.id} · clip {clip_id} · frame {frame} · {plain_text(method or predicted.method, 60)}"
        figure = framed_picture(picture, title, outlines=outlines, bar=_colour_bar(score_map, span, mark, scale))
        return save_figure(figure, path, dpi=DPI)


def most_anomalous_frame(dataset: Dataset) -> tuple[str, int]:
    """Clip id and 0-based frame with the largest anomalous area of all test clips; the first where several have it.

    Raises
    ------
    DataError
        D372 if no test clip has an anomalous pixel.
    """
    best, place = 0, None
    for clip in dataset.clips:
        runs = dataset.truth(clip.id).mask_runs
        if runs is None:
            continue
        frame_of_run = np.repeat(np.arange(runs.frames), np.diff(runs.offsets))
        areas = np.bincount(frame_of_run, weights=runs.lengths, minlength=runs.frames)
        if areas.size and areas.max() > best:
            best, place = int(areas.max()), (clip.id, int(areas.argmax()))
    if place is None:
        raise DataError("D372", f"no test clip of {dataset.id} has an anomalous pixel", hint="name clip and frame")
    return place


@dataclass(frozen=True)
class _Predicted:
    method: str
    threshold: int | float | None
    prediction: Prediction
    scale: ScoreScale


def _colour_bar(
    score_map: NDArray[Any] | None, span: tuple[float, float], mark: float | None, scale: ScoreScale
) -> ColourBar | None:
    """Heat as it looks over medium grey, from the lowest to the highest score; None where there is no heat."""
    from vadbench.plots.framed import ColourBar

    if score_map is None or span[0] == span[1]:
        return None
    return ColourBar(
        heat_colours(),
        scale.own(span[0]),
        scale.own(span[1]),
        label=scale.label(span),
        mark=None if mark is None else scale.own(mark),
    )


def _predicted(predictions: Submission | Mapping[str, Prediction] | str | os.PathLike[str], clip: Clip) -> _Predicted:
    """Name of the method, declared threshold, what is predicted for a clip, and what its scores stand for."""
    from vadbench.plots.score_scale import ScoreScale, declared_scale

    if isinstance(predictions, str | os.PathLike):
        from vadbench.submission import Submission

        predictions = Submission.open(predictions)
    if not isinstance(predictions, Mapping):
        metadata = predictions.metadata
        prediction = predictions.clip(clip)
        scale = declared_scale(metadata.score_maps, prediction.maps)
        return _Predicted(metadata.method.name, metadata.threshold, prediction, scale)
    if clip.id not in predictions:
        raise UsageError("U157", f"there is no prediction for clip {clip.id}", hint="every test clip needs one")
    return _Predicted("predictions", None, predictions[clip.id], ScoreScale())


def _read_frame(clip: Clip, frame: int) -> NDArray[np.uint8]:
    picture = next(islice(clip.read_frames(), frame, None), None) if frame >= 0 else None
    if picture is None:
        raise DataError(
            "D371",
            "the clip has no such frame",
            where=f"clip {clip.id}",
            expected=f"0 to {clip.frames - 1}",
            got=str(frame),
            hint="frames are 0-based",
        )
    return picture


def _scores_of_frame(
    prediction: Prediction, clip: Clip, frame: int, span: tuple[float | None, float | None]
) -> tuple[NDArray[Any] | None, tuple[float, float]]:
    """Scores of the pixels of a frame, and the span of those of the clip; None without maps and instances."""
    if prediction.maps is not None:
        shown = None
        extremes: list[float] = []
        for start, block in prediction.maps.blocks():
            if start <= frame < start + len(block):
                shown = block[frame - start].copy()
            extremes += score_span(block)
        return shown, score_span(np.array(extremes), *span)
    if prediction.instances is None:
        return None, (0.0, 0.0)
    rows = prediction.instances
    scores = np.full((clip.height, clip.width), -np.inf)
    for row in np.flatnonzero(rows.frames == frame):
        mask = rows.mask(int(row))
        scores[mask] = np.maximum(scores[mask], rows.scores[row])
    # A pixel under no instance must look different from one under the lowest.
    least, most = (float(rows.scores.min()), float(rows.scores.max())) if len(rows) else (0.0, 0.0)
    return scores, score_span(np.array([min(least, 0.0), most]), *span)

"""Score maps drawn over frames, with the outline of the truth: arrays in, a picture out; and the same as a file.

`overlay` needs NumPy alone; a file with title, colour bar and legend needs matplotlib (extra ``plots``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.errors import DataError, UsageError
from vadbench.prediction import Prediction

if TYPE_CHECKING:
    from vadbench.datasets.base import Clip, Dataset
    from vadbench.plots.framed import ColourBar
    from vadbench.plots.score_scale import ScoreScale
    from vadbench.submission import Submission

TRUTH_COLOUR = (0, 255, 220)
THRESHOLD_COLOUR = (255, 255, 255)
BOX_COLOUR = (255, 120, 255)

# The map "inferno" of Smith and van der Walt (CC0) at 17 even steps: lightness rises evenly, and none of its colours
# is near that of the outlines.
_HEAT = np.array(
    [
        [0, 0, 4], [11, 7, 36], [33, 12, 74], [61, 9, 101], [87, 16, 110], [113, 25, 110], [138, 34, 106],
        [163, 44, 97], [188, 55, 84], [210, 70, 68], [228, 90, 49], [241, 115, 29], [249, 142, 9], [252, 172, 17],
        [249, 203, 53], [242, 234, 105], [252, 255, 164],
    ],
    dtype=np.float64,
)  # fmt: skip

_SMALLEST_HEIGHT = 480
"""Frames are enlarged, by a whole number, until they are at least so many pixels high."""


def overlay(
    frame: ArrayLike,
    truth_mask: ArrayLike | None,
    score_map: ArrayLike | None,
    *,
    boxes: ArrayLike = (),
    threshold: float | None = None,
    lower: float | None = None,
    upper: float | None = None,
    opacity: float = 0.75,
    scale: int = 1,
) -> NDArray[np.uint8]:
    """Picture of one frame: grey, the scores as heat over it, the truth as an outline.

    Parameters
    ----------
    frame : (H, W) or (H, W, 3) uint8
        Shown in grey.
    truth_mask : (H, W) bool, or None
        Its inner border is drawn: pixels of the mask that have a pixel outside it, or the frame's end,
        above, below or beside.
    score_map : (H, W) real, or None
        Higher is more anomalous. −∞ counts as the lowest.
    boxes : (N, 4) real
        Half-open ``x1, y1, x2, y2``; drawn on their outermost pixels.
    threshold : float, optional
        The border of the pixels with score ≥ threshold is drawn.
    lower, upper : float, optional
        Scores without colour, and of full colour; the finite extremes of the map unless given.
    opacity : float
        Of the heat at `upper`, in [0, 1]; it rises evenly from 0 at `lower`, so that calm places show the frame.
    scale : int
        Every pixel becomes `scale` x `scale`; lines get two pixels wide, one at scale 1.

    Returns
    -------
    (scale * H, scale * W, 3) uint8
        RGB. Where lines meet, truth lies over the threshold, boxes lie over both.

    Raises
    ------
    DataError
        D370 if shapes disagree, or the range of scores is empty the wrong way round.

    Examples
    --------
    >>> mask = np.zeros((4, 4), dtype=bool)
    >>> mask[0:3, 0:3] = True
    >>> picture = overlay(np.full((4, 4), 100, np.uint8), mask, np.eye(4))
    >>> picture[0, 0].tolist(), picture[1, 1].tolist(), picture[0, 3].tolist()
    ([0, 255, 220], [214, 216, 148], [100, 100, 100])
    """
    grey = _grey(np.asarray(frame))
    _check_shapes(grey.shape, truth_mask=truth_mask, score_map=score_map)
    picture = np.repeat(grey[:, :, None], 3, axis=2)
    scores = None if score_map is None else np.asarray(score_map)
    if scores is not None:
        bottom, top = score_span(scores, lower, upper)
        picture = heat_over(picture, _levels(scores, bottom, top), opacity)
    enlarged: NDArray[np.uint8] = _enlarged(np.rint(picture).astype(np.uint8), scale)
    width = min(scale, 2)
    if scores is not None and threshold is not None:
        enlarged[_border(_enlarged(scores >= threshold, scale), width)] = THRESHOLD_COLOUR
    if truth_mask is not None:
        enlarged[_border(_enlarged(np.asarray(truth_mask) != 0, scale), width)] = TRUTH_COLOUR
    for box in np.asarray(boxes, dtype=np.float64).reshape(-1, 4):
        x1, y1, x2, y2 = np.rint(box * scale).astype(int)
        inside = np.zeros(enlarged.shape[:2], dtype=np.bool_)
        inside[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = True
        enlarged[_border(inside, width)] = BOX_COLOUR
    return enlarged


def heat_over(grey: NDArray[Any], levels: NDArray[np.float64], opacity: float = 0.75) -> NDArray[np.float64]:
    """Blend heat over a picture.

    Parameters
    ----------
    grey : (..., 3) real
        Grey levels in three equal channels, 0 to 255.
    levels : (...) float64
        In [0, 1]: 0 shows the picture alone, 1 the hottest colour with `opacity`.
    opacity : float

    Returns
    -------
    (..., 3) float64
    """
    steps = np.linspace(0.0, 1.0, len(_HEAT))
    heat = np.stack([np.interp(levels, steps, _HEAT[:, channel]) for channel in range(3)], axis=-1)
    share = opacity * levels[..., None]
    return np.asarray((1.0 - share) * grey + share * heat)


def score_span(scores: NDArray[Any], lower: float | None = None, upper: float | None = None) -> tuple[float, float]:
    """Lowest and highest finite score, or the given ones; (0, 0) where none is finite.

    Raises
    ------
    DataError
        D370 if `lower` is above `upper`.
    """
    finite = scores[np.isfinite(scores)] if scores.dtype.kind == "f" else scores
    bottom = lower if lower is not None else float(finite.min()) if finite.size else 0.0
    top = upper if upper is not None else float(finite.max()) if finite.size else bottom
    if lower is not None and upper is not None and lower > upper:
        raise DataError("D370", "the range of scores is the wrong way round", got=f"lower {lower}, upper {upper}")
    return bottom, max(bottom, top)


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
        title = f"{dataset.id} · clip {clip_id} · frame {frame} · {method or predicted.method}"
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
    colours = heat_over(np.full((256, 3), 128.0), np.linspace(0.0, 1.0, 256))
    return ColourBar(
        np.rint(colours).astype(np.uint8),
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


def _check_shapes(shape: tuple[int, ...], **arrays: ArrayLike | None) -> None:
    for name, given in arrays.items():
        if given is not None and np.shape(given) != shape:
            raise DataError(
                "D370",
                f"{name.replace('_', ' ')} and frame differ in size",
                expected=str(shape),
                got=str(np.shape(given)),
            )


def _grey(frame: NDArray[Any]) -> NDArray[np.float64]:
    if frame.ndim not in {2, 3} or (frame.ndim == 3 and frame.shape[2] != 3):
        raise DataError("D370", "this is no frame", expected="(H, W) or (H, W, 3)", got=str(frame.shape))
    return np.asarray(frame @ np.array([0.299, 0.587, 0.114]) if frame.ndim == 3 else frame, dtype=np.float64)


def _levels(scores: NDArray[Any], bottom: float, top: float) -> NDArray[np.float64]:
    """Scores as levels in [0, 1]; a map of one score, whatever it is, has no heat."""
    if top <= bottom:
        return np.zeros(scores.shape)
    return np.asarray(np.clip((scores.astype(np.float64) - bottom) / (top - bottom), 0.0, 1.0))


def _enlarged(image: NDArray[Any], scale: int) -> NDArray[Any]:
    return image if scale == 1 else image.repeat(scale, axis=0).repeat(scale, axis=1)


def _border(inside: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Pixels inside that are at most `width` steps up, down or sideways from one outside, or from the frame's end."""
    core = inside.copy()
    for _ in range(width):
        padded = np.pad(core, 1)
        core = core & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(inside & ~core)

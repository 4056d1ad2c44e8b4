"""One frame as an array: grey, the scores as heat over it, the truth as an outline.

NumPy alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.errors import DataError

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
    grey = grey_frame(np.asarray(frame))
    _check_shapes(grey.shape, truth_mask=truth_mask, score_map=score_map)
    picture = np.repeat(grey[:, :, None], 3, axis=2)
    scores = None if score_map is None else np.asarray(score_map)
    if scores is not None:
        bottom, top = score_span(scores, lower, upper)
        picture = heat_over(picture, _levels(scores, bottom, top), opacity)
    flagged = None if scores is None or threshold is None else scores >= threshold
    return draw_outlines(
        enlarged(np.rint(picture).astype(np.uint8), scale),
        truth_mask=None if truth_mask is None else np.asarray(truth_mask) != 0,
        flagged=flagged,
        boxes=boxes,
        scale=scale,
    )


def draw_outlines(
    picture: NDArray[np.uint8],
    *,
    truth_mask: NDArray[np.bool_] | None = None,
    flagged: NDArray[np.bool_] | None = None,
    boxes: ArrayLike = (),
    scale: int = 1,
) -> NDArray[np.uint8]:
    """Draw the borders of what is flagged, of the truth and of boxes, in this order, into an enlarged picture.

    Parameters
    ----------
    picture : (scale * H, scale * W, 3) uint8
        Changed.
    truth_mask, flagged : (H, W) bool, optional
    boxes : (N, 4) real
        Half-open, in pixels of the frame.
    scale : int

    Returns
    -------
    (scale * H, scale * W, 3) uint8
        The picture given.
    """
    width = min(scale, 2)
    for inside, colour in ((flagged, THRESHOLD_COLOUR), (truth_mask, TRUTH_COLOUR)):
        if inside is not None and inside.any():
            picture[inner_border(enlarged(inside, scale), width)] = colour
    for box in np.asarray(boxes, dtype=np.float64).reshape(-1, 4):
        x1, y1, x2, y2 = np.maximum(np.rint(box * scale).astype(int), 0)
        within = picture[y1:y2, x1:x2]
        for side in (within[:width], within[-width:], within[:, :width], within[:, -width:]):
            side[...] = BOX_COLOUR
    return picture


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


def heat_colours(steps: int = 256) -> NDArray[np.uint8]:
    """Heat as it looks over medium grey, from the lowest score to the highest, (steps, 3) uint8."""
    colours = heat_over(np.full((steps, 3), 128.0), np.linspace(0.0, 1.0, steps))
    return np.rint(colours).astype(np.uint8)


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


def _check_shapes(shape: tuple[int, ...], **arrays: ArrayLike | None) -> None:
    for name, given in arrays.items():
        if given is not None and np.shape(given) != shape:
            raise DataError(
                "D370",
                f"{name.replace('_', ' ')} and frame differ in size",
                expected=str(shape),
                got=str(np.shape(given)),
            )


def grey_frame(frame: NDArray[Any]) -> NDArray[np.float64]:
    """Grey levels of a frame, (H, W) float64; raises `DataError` D370 for an array that is no frame."""
    if frame.ndim not in {2, 3} or (frame.ndim == 3 and frame.shape[2] != 3):
        raise DataError("D370", "this is no frame", expected="(H, W) or (H, W, 3)", got=str(frame.shape))
    return np.asarray(frame @ np.array([0.299, 0.587, 0.114]) if frame.ndim == 3 else frame, dtype=np.float64)


def _levels(scores: NDArray[Any], bottom: float, top: float) -> NDArray[np.float64]:
    """Scores as levels in [0, 1]; a map of one score, whatever it is, has no heat."""
    if top <= bottom:
        return np.zeros(scores.shape)
    return np.asarray(np.clip((scores.astype(np.float64) - bottom) / (top - bottom), 0.0, 1.0))


def enlarged(image: NDArray[Any], scale: int) -> NDArray[Any]:
    """Every pixel of an array (H, W, …) as `scale` x `scale` pixels."""
    return image if scale == 1 else image.repeat(scale, axis=0).repeat(scale, axis=1)


def inner_border(inside: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Pixels inside that are at most `width` steps up, down or sideways from one outside, or from the frame's end."""
    core = inside.copy()
    for _ in range(width):
        padded = np.pad(core, 1)
        core = core & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(inside & ~core)

"""Checks of the arrays that a notebook hands to the metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.errors import DataError


def checked_arrays(truth: ArrayLike, scores: ArrayLike, dimensions: int | None = None) -> tuple[NDArray[np.bool_], Any]:
    """Truth as bool and scores, of one shape (with that many dimensions); raises `DataError` D350 to D354."""
    masks, values = np.asarray(truth), np.asarray(scores)
    check_shape(masks.shape, values.shape)
    if dimensions is not None and masks.ndim != dimensions:
        raise DataError("D351", "the arrays have the wrong shape", expected="(T, H, W)", got=str(masks.shape))
    values = checked_scores(values)
    if masks.dtype.kind not in "bui" and not np.isin(masks, (0, 1)).all():
        raise DataError(
            "D353",
            "truth must be boolean",
            expected="bool, or 0 and 1",
            got=f"dtype {masks.dtype}",
            hint="truth comes first, scores second",
        )
    return masks != 0 if masks.dtype.kind != "b" else masks, values


def check_shape(truth: tuple[int, ...], scores: tuple[int, ...]) -> None:
    """Raise `DataError` D350 where the shapes differ."""
    if truth != scores:
        raise DataError("D350", "truth and scores differ in shape", expected=str(truth), got=str(scores))


def checked_scores(scores: ArrayLike) -> NDArray[Any]:
    """Scores as an array of finite real numbers; raises `DataError` D352 or D354."""
    values = np.asarray(scores)
    if values.dtype.kind not in "buif":
        raise DataError("D352", "scores must be real numbers", got=f"dtype {values.dtype}")
    # The extremes hide neither a NaN nor an infinity, and need no array of booleans.
    if values.dtype.kind == "f" and values.size and not np.isfinite([values.min(), values.max()]).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise DataError(
            "D354", "scores must be finite", where=f"index {place}", got=str(values[place]), hint="NaN has no rank"
        )
    return values

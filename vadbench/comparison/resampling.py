"""Resamples of clips, or of scenes with all their clips: how often each clip stands in each resample.

Source: docs/statistics.md, "Resampling"; Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vadbench.choices import Choice
from vadbench.errors import UsageError, quoted

MOST_RESAMPLES = 100_000


class Unit(Choice):
    """What is drawn again and again."""

    CLIPS = "clips"
    SCENES = "scenes"


_ONE_CAMERA = frozenset({"ucsd-ped1", "ucsd-ped2", "avenue"})
_SEVERAL_CAMERAS = "shanghaitech"

_FEWEST_AT_AN_END = 5
"""Resamples beyond each end of an interval: of fewer its ends are chance."""

_STREAMS = {Unit.CLIPS: 0, Unit.SCENES: 1}


def scenes_of(dataset_id: str, clip_ids: Sequence[str]) -> tuple[str, ...]:
    """Scene of each clip: the camera that filmed it, (C,).

    Parameters
    ----------
    dataset_id : str
    clip_ids : sequence of str

    Returns
    -------
    tuple of str
        ShanghaiTech: the digits before the underscore of the clip's id. UCSD Ped1, Ped2 and Avenue were filmed by one
        camera each; of other data sets the scenes are not known here. All their clips get the name of the data set.

    Examples
    --------
    >>> scenes_of("shanghaitech", ["01_0014", "01_0015", "12_0142"])
    ('01', '01', '12')
    >>> scenes_of("ucsd-ped2", ["01", "02"])
    ('ucsd-ped2', 'ucsd-ped2')
    """
    if dataset_id != _SEVERAL_CAMERAS:
        return (dataset_id,) * len(clip_ids)
    matches = ((clip_id, re.match(r"(\d+)_", clip_id)) for clip_id in clip_ids)
    return tuple(match[1] if match else clip_id for clip_id, match in matches)


def why_not_resampled(dataset_id: str, clip_ids: Sequence[str], unit: Unit) -> str | None:
    """Reason why no interval can come of resampling clips or scenes; None where one can."""
    if unit is Unit.CLIPS:
        return None if len(clip_ids) > 1 else f"{dataset_id} has one clip"
    if not scenes_known(dataset_id):
        return f"the scenes of {dataset_id} are not known here"
    scenes = set(scenes_of(dataset_id, clip_ids))
    return None if len(scenes) > 1 else f"all clips of {dataset_id} are from one camera"


def scenes_known(dataset_id: str) -> bool:
    """Whether it is known which clips of a data set share a camera."""
    return dataset_id == _SEVERAL_CAMERAS or dataset_id in _ONE_CAMERA


def fewest_resamples(confidence: float) -> int:
    """Resamples that intervals and ranks of a confidence need: five beyond each end, 200 of 95 %.

    >>> fewest_resamples(0.95), fewest_resamples(0.9)
    (200, 100)
    """
    # The quotient is rounded: 10 / (1 - 0.95) is a little more than 200.
    return math.ceil(2 * _FEWEST_AT_AN_END / (1 - confidence) * (1 - 1e-12))


def resampled_weights(
    dataset_id: str, clip_ids: Sequence[str], *, resamples: int = 1000, seed: int = 0, unit: Unit = Unit.CLIPS
) -> NDArray[np.float64]:
    """How often each clip stands in each resample, (B, C) float64.

    Parameters
    ----------
    dataset_id : str
    clip_ids : sequence of str
        C of them.
    resamples : int
        B.
    seed : int
        At least 0. The resamples depend on it, B, the unit and the number of clips (of scenes: and on which clips share
        one) alone, so that those of two methods are the same; the first rows of a larger B are those of a smaller.
    unit : Unit
        Scenes come with all their clips, so that the number of clips differs from resample to resample.

    Raises
    ------
    UsageError
        U260 for a number out of range, U263 where there is nothing to resample: one clip, or one scene.
    """
    check_numbers(resamples=resamples, seed=seed)
    reason = why_not_resampled(dataset_id, clip_ids, unit)
    if reason is not None:
        raise UsageError("U263", "there is nothing to resample", got=reason)
    if unit is Unit.CLIPS:
        return _drawn(len(clip_ids), resamples, seed, unit)
    scenes = scenes_of(dataset_id, clip_ids)
    names = sorted(set(scenes))
    return _drawn(len(names), resamples, seed, unit)[:, [names.index(scene) for scene in scenes]]


def _drawn(n: int, resamples: int, seed: int, unit: Unit) -> NDArray[np.float64]:
    """Draw n of n with replacement, (B, n) times each.

    The raw bits of the generator are used, because they alone are promised to stay the same in later versions of NumPy,
    and tables made of these numbers are kept.
    """
    bits = np.random.PCG64(np.random.SeedSequence([seed, n, _STREAMS[unit]])).random_raw(resamples * n)
    drawn = ((bits >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32)
    cells = drawn.astype(np.int64).reshape(resamples, n) + np.arange(resamples)[:, None] * n
    return np.bincount(cells.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def check_numbers(*, resamples: int = 1, seed: int = 0, confidence: float = 0.95, flips: int = 1) -> None:
    """Raise `UsageError` U260 for a number out of range."""
    ranges = [
        ("resamples", f"a whole number from 1 to {MOST_RESAMPLES}", resamples, 1 <= resamples <= MOST_RESAMPLES),
        ("seed", "a whole number from 0 below 2^63", seed, 0 <= seed < 2**63),
        ("confidence", "above 0 and below 1, such as 0.95", confidence, 0 < confidence < 1),
        ("flips", "a whole number from 1 to 1000000", flips, 1 <= flips <= 1_000_000),
    ]
    for name, expected, value, fits in ranges:
        if not fits:
            raise UsageError("U260", f"{name} is out of range", expected=expected, got=quoted(value))

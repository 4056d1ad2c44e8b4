"""Pixel-F1 of each frame of a clip by itself, counted as the protocol counts it.

Source: protocols.md, "Pixel metrics".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.errors import UsageError
from vadbench.evaluation.collectors import InstanceMaps
from vadbench.evaluation.pixel_collectors import PixelChoices
from vadbench.masks import MaskRuns
from vadbench.metrics.pixel import f1_of_counts
from vadbench.prediction import Instances, ScoreMapArray, ScoreMaps
from vadbench.protocol.protocol import PixelProtocol
from vadbench.statistics.detections import InstanceScores
from vadbench.statistics.pixels import MapScaling
from vadbench.statistics.scores import least_flagged_score


def frame_pixel_f1(
    truth_masks: MaskRuns | ArrayLike,
    predicted: ScoreMaps | Instances | ArrayLike,
    threshold: float,
    *,
    scaling: MapScaling | str = MapScaling.NONE,
    inclusive: bool = True,
    instance_scores: InstanceScores | str = InstanceScores.GIVEN,
    silent_is_zero: bool = False,
) -> NDArray[np.float64]:
    """Pixel-F1 of each frame.

    Parameters
    ----------
    truth_masks : MaskRuns, or (T, H, W) array
        Any non-zero value is anomalous.
    predicted : ScoreMaps, (T, H, W) real array, or Instances
        Of instances the maps are made as scoring makes them.
    threshold : float
        Of the scores after `scaling`.
    scaling : MapScaling
        ``none`` or ``frame-maximum``, as the protocol's ``pixel.map_scaling``.
    inclusive : bool
        Whether a score equal to the threshold is flagged: True where the threshold is that of the best F1, False for
        the rule ``at(x)``.
    instance_scores : InstanceScores
        ``given`` or ``one``, as the protocol's ``instances.scores``.
    silent_is_zero : bool
        Whether a frame whose map is 0 everywhere after scaling has the value 0 whatever the threshold, as under
        ``pixel.silent_frames=zero``.

    Returns
    -------
    (T,) float64
        In [0, 1]. NaN for a frame without an anomalous pixel: F1 has no definition there, and a line is broken.

    Raises
    ------
    UsageError
        U163 if truth and predictions differ in shape.

    Notes
    -----
    Under ``tao-release`` the mean over the frames that have a value, of all clips, is the report's ``pixel_f1``.

    Examples
    --------
    >>> masks = np.array([[[1, 1, 0]], [[0, 0, 0]]])
    >>> frame_pixel_f1(masks, np.array([[[4.0, 1.0, 0.0]], [[5.0, 0.0, 0.0]]]), 0.5, scaling="frame-maximum").tolist()
    [0.6666666666666666, nan]
    """
    runs = truth_masks if isinstance(truth_masks, MaskRuns) else MaskRuns.from_array(np.asarray(truth_masks))
    maps = _maps(predicted, runs.frames, InstanceScores(instance_scores))
    shape = (runs.frames, runs.height, runs.width)
    if maps.shape != shape:
        raise UsageError(
            "U163", "truth and predictions of a clip differ in shape", expected=str(shape), got=str(maps.shape)
        )
    choices = PixelChoices(maps.dtype, runs, PixelProtocol(map_scaling=MapScaling(scaling)))
    least = least_flagged_score(threshold, choices.ranked_dtype, inclusive=inclusive)
    anomalous = runs.anomalous_frames()
    values = np.full(runs.frames, np.nan)
    for start, block in maps.blocks_of(anomalous):
        scaled, masks = choices.scaled(block), runs.decode(start, start + len(block))
        for offset in np.flatnonzero(anomalous[start : start + len(block)]):
            score_map, mask = scaled[offset], masks[offset]
            if silent_is_zero and not score_map.any():
                values[start + offset] = 0.0
                continue
            flagged = np.zeros(mask.shape, dtype=bool) if least is None else score_map >= least[0]
            hits = int(np.count_nonzero(flagged & mask))
            false = int(np.count_nonzero(flagged)) - hits
            values[start + offset] = f1_of_counts(hits, false, int(np.count_nonzero(mask)))
    return values


def _maps(predicted: Any, frames: int, scores: InstanceScores) -> ScoreMaps:
    if isinstance(predicted, Instances):
        return InstanceMaps(predicted, frames, scores)
    return predicted if isinstance(predicted, ScoreMaps) else ScoreMapArray(predicted)

"""Timelines of what was predicted: scores of a clip cut at the threshold of the report."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import UsageError, quoted
from vadbench.evaluation.collectors import InstanceMaps
from vadbench.evaluation.predictions import MemoryPredictions, StoredPredictions
from vadbench.evaluation.sources import NotAvailable, Source, choose_sources
from vadbench.plots.clip_timeline import Timeline
from vadbench.plots.frame_f1 import frame_pixel_f1
from vadbench.prediction import Prediction
from vadbench.protocol.protocol import Protocol, SilentFrames
from vadbench.statistics.frames import highest_by_frame

if TYPE_CHECKING:
    from vadbench.datasets.base import Clip, Dataset
    from vadbench.evaluation.predictions import PredictionSource
    from vadbench.evaluation.report import Report
    from vadbench.submission import Submission

    Predictions: TypeAlias = Submission | Mapping[str, Prediction] | str | os.PathLike[str]


def timeline_of_predictions(
    name: str, report: Report, predictions: Predictions, dataset: Dataset, clip: Clip
) -> Timeline:
    """Pixel-F1 and score of every frame of a clip, from what was predicted of it.

    Raises
    ------
    UsageError
        U165 if the report has no Pixel-F1 to take the threshold from.
    """
    protocol = report.parsed_signature.protocol
    source = _source(predictions, dataset)
    sources = choose_sources(source.kinds, source.threshold, protocol)
    if isinstance(sources.pixel, NotAvailable):
        raise _no_f1(name, sources.pixel.reason)
    threshold, inclusive = _cut(name, report, protocol)
    prediction, runs = source.clip(clip), dataset.truth(clip.id).mask_runs
    maps = prediction.maps
    if sources.pixel is Source.INSTANCES and prediction.instances is not None:
        maps = InstanceMaps(prediction.instances, clip.frames, protocol.instances.scores)
    if maps is None or runs is None:
        raise AssertionError("a chosen source, or the masks that were asked for, are absent")
    values = frame_pixel_f1(
        runs,
        maps,
        threshold,
        scaling=protocol.pixel.map_scaling,
        inclusive=inclusive,
        silent_is_zero=protocol.pixel.silent_frames is SilentFrames.ZERO,
    )
    frames = None if isinstance(sources.frames, NotAvailable) else _frame_scores(prediction, sources.frames, clip)
    return Timeline(name, values, frames)


def _cut(name: str, report: Report, protocol: Protocol) -> tuple[float, bool]:
    """Threshold of Pixel-F1, and whether a score equal to it is flagged."""
    if protocol.pixel.f1.threshold is not None:
        return protocol.pixel.f1.threshold, False
    score = report.scores.get("pixel_f1")
    if score is None or score.threshold is None:
        reason = "it was not asked for" if score is None else score.reason
        raise _no_f1(name, reason or "under this protocol each pool has a threshold of its own")
    return (-math.inf if score.threshold == "all" else score.threshold), True


def _frame_scores(prediction: Prediction, source: Source, clip: Clip) -> NDArray[np.float64]:
    """Score of each frame, as the frame metrics read it (protocols.md, "Which prediction feeds which metric")."""
    if source is Source.FRAME_SCORES and prediction.frame_scores is not None:
        return prediction.frame_scores.astype(np.float64)
    if source is Source.SCORE_MAPS and prediction.maps is not None:
        highest = [block.reshape(len(block), -1).max(axis=1) for _, block in prediction.maps.blocks()]
        return np.concatenate(highest).astype(np.float64)
    rows = prediction.instances if source is Source.INSTANCES else prediction.detections
    if rows is None:
        raise AssertionError("a chosen source is absent from a clip")
    return highest_by_frame(rows.frames, rows.scores, clip.frames).astype(np.float64)


def _source(predictions: Predictions, dataset: Dataset) -> PredictionSource:
    from vadbench.submission import Submission

    if isinstance(predictions, Mapping):
        given: PredictionSource = MemoryPredictions(predictions)
    else:
        given = StoredPredictions(predictions if isinstance(predictions, Submission) else Submission.open(predictions))
    given.check_against(dataset)
    return given


def _no_f1(name: str, reason: str) -> UsageError:
    return UsageError(
        "U165",
        "there is no Pixel-F1 whose threshold the frames could be cut at",
        where=quoted(name),
        got=reason,
        hint="score with `standard`, or with a protocol that names the threshold, such as `tao-release`",
    )

"""The comparison of predictions with the labels of the test set, where a data set is at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Dataset
from vadbench.errors import DataError
from vadbench.prediction import PredictionKind
from vadbench.validation.clip_contents import ClipContents, RowFacts
from vadbench.validation.score_facts import ScoreFacts
from vadbench.validation.suspicion import LabelledScores, Presence, presence_remarks, separation_remarks
from vadbench.validation.validation import Check
from vadbench.validation.warnings import Remark

_NAME = "predictions against the labels of the test set"


def oracle_check(dataset: Dataset | None, found: Mapping[str, ClipContents]) -> tuple[Check, list[Remark]]:
    """Whether predictions are there exactly on the frames labelled anomalous, and how far that could be checked.

    A kind is left out unless it is right in every clip: of what remains, the frames without a prediction may be those
    that could not be read.

    Parameters
    ----------
    dataset : Dataset or None
        None: there are no labels to compare with.
    found : mapping from clip id to ClipContents
        Empty where nothing was read.
    """
    if dataset is None:
        return _not_made("there are no labels without the data set: give --root"), []
    if not found:
        return _not_made("the arrays were not read"), []
    try:
        labels = _labels(dataset, found)
    except DataError as error:
        return _not_made(f"the truth cannot be read: [{error.code}] {error.message}"), []
    if not labels:
        return _not_made("no clip that can be read has labels"), []
    remarks, made, left_out = [], False, []
    for kind in PredictionKind:
        if all(_has(kind, found[clip_id], len(own)) for clip_id, own in labels.items()):
            made = True
            remarks += list(_remarks(kind, labels, found))[:1]  # the second would say the same in other words
        elif any(_holds(kind, found[clip_id]) for clip_id in labels):
            left_out.append(str(kind))
    remark = f"not of {', '.join(left_out)}, which cannot be read in every clip" if left_out else ""
    if not made:
        return _not_made(remark or "there are no predictions that can be read"), []
    return Check(name=_NAME, made=True, remark=remark), remarks


def _not_made(remark: str) -> Check:
    return Check(name=_NAME, made=False, remark=remark)


def _labels(dataset: Dataset, found: Mapping[str, ClipContents]) -> dict[str, NDArray[np.bool_]]:
    labels = {}
    for clip in dataset.clips:
        if clip.id in found and found[clip.id].n_frames == clip.frames:
            own = dataset.truth(clip.id).labels
            if own is not None:
                labels[clip.id] = np.asarray(own, dtype=bool)
    return labels


def _holds(kind: PredictionKind, own: ClipContents) -> bool:
    return kind in own.rows or getattr(own, kind, None) is not None


def _has(kind: PredictionKind, own: ClipContents, n_frames: int) -> bool:
    """Whether it is known of every frame of a clip what the kind predicts in it."""
    if kind in {PredictionKind.INSTANCES, PredictionKind.DETECTIONS}:
        rows = own.rows.get(kind)
        return rows is not None and rows.frames is not None
    scores: ScoreFacts | None = getattr(own, kind)
    return scores is not None and len(scores.by_frame) == n_frames


def _remarks(
    kind: PredictionKind, labels: Mapping[str, NDArray[np.bool_]], found: Mapping[str, ClipContents]
) -> Iterator[Remark]:
    if kind in {PredictionKind.INSTANCES, PredictionKind.DETECTIONS}:
        yield from presence_remarks(kind, [_rows_beside(own, found[i].rows[kind]) for i, own in labels.items()])
        return
    scores: dict[str, ScoreFacts] = {clip_id: getattr(found[clip_id], kind) for clip_id in labels}
    least = min(own.least for own in scores.values())
    yield from presence_remarks(kind, [Presence(labels[i], own.by_frame > least) for i, own in scores.items()])
    if kind is PredictionKind.SCORE_MAPS:
        # Nothing is found in a frame whose pixels all have one score, whichever it is.
        uneven = [Presence(labels[i], own.by_frame > own.least_by_frame) for i, own in scores.items()]
        yield from presence_remarks(kind, uneven)
    yield from separation_remarks(kind, [LabelledScores(labels[i], own.by_frame) for i, own in scores.items()])


def _rows_beside(labels: NDArray[np.bool_], rows: RowFacts) -> Presence:
    predicted = np.zeros(len(labels), dtype=bool)
    if rows.frames is not None:
        predicted[rows.frames] = True
    return Presence(labels, predicted)

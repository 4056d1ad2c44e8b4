"""All warnings of a submission, from what was kept of its metadata and clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vadbench.prediction import PredictionKind
from vadbench.submission.schema import MetadataScan
from vadbench.validation.clip_contents import ClipContents
from vadbench.validation.row_warnings import (
    empty_remarks,
    fraction_remarks,
    frame_base_check,
    id_remarks,
    repeated_remarks,
    run_order_remarks,
)
from vadbench.validation.score_facts import ScoreFacts
from vadbench.validation.suspicion import normalisation_remarks
from vadbench.validation.validation import Check
from vadbench.validation.warnings import (
    Remark,
    StoredRange,
    chosen_on_test,
    constant_scores,
    range_remarks,
    sourceless_models,
    threshold_remarks,
    training_contradictions,
)


def all_remarks(metadata: MetadataScan, found: Mapping[str, ClipContents]) -> Iterator[Remark]:
    """Warnings about everything but the truth, which only a data set can tell (`oracle`).

    Parameters
    ----------
    metadata : MetadataScan
    found : mapping from clip id to ClipContents
        Empty where nothing was read.
    """
    yield from _declared(metadata)
    maps = {clip_id: own.score_maps for clip_id, own in found.items() if own.score_maps is not None}
    frames = {clip_id: own.frame_scores for clip_id, own in found.items() if own.frame_scores is not None}
    scale = metadata.score_maps
    yield from constant_scores(_ranges(maps))
    # One frame has one score: that says nothing.
    yield from constant_scores(_ranges({i: own for i, own in frames.items() if own.n_scores > 1}), of_frames=True)
    if len(maps) == len(found):
        # Of some clips alone the range of all stored scores is not known.
        yield from threshold_remarks(
            _ranges(maps),
            None if scale is None else scale.threshold,
            dtype=next((own.dtype for own in maps.values()), ""),
            is_binary=_is_binary(maps),
        )
    lower, upper = (None, None) if scale is None else (scale.lower, scale.upper)
    yield from range_remarks(_stored_range(maps) if len(maps) == len(found) else None, lower, upper)
    yield from normalisation_remarks("score_maps", maps)
    yield from normalisation_remarks("frame_scores", frames)
    for kind in (PredictionKind.INSTANCES, PredictionKind.DETECTIONS):
        rows = {clip_id: own.rows[kind] for clip_id, own in found.items() if kind in own.rows}
        yield from repeated_remarks(kind, rows)
        yield from id_remarks(kind, rows)
        yield from fraction_remarks(kind, rows)
        yield from run_order_remarks(kind, rows)
        if len(rows) == len(found):
            yield from empty_remarks(kind, rows)


def frames_check(found: Mapping[str, ClipContents], *, frames_known: bool) -> Check | None:
    """Whether the frames of rows are counted from 0; None where faults tell that, or there are no rows."""
    if frames_known or any(own.n_frames is not None for own in found.values()):
        return None
    return frame_base_check({clip_id: tuple(own.rows.values()) for clip_id, own in found.items()})


def _declared(metadata: MetadataScan) -> Iterator[Remark]:
    training = metadata.training
    if training is None:
        return
    yield from sourceless_models(training.pretrained)
    yield from chosen_on_test(training.threshold_chosen_on)
    if metadata.dataset is not None:
        yield from training_contradictions(metadata.dataset, training.supervision, training.data)


def _ranges(clips: Mapping[str, ScoreFacts]) -> dict[str, tuple[float, float]]:
    return {clip_id: (own.least, own.greatest) for clip_id, own in clips.items()}


def _is_binary(maps: Mapping[str, ScoreFacts]) -> bool:
    values = {value for own in maps.values() for value in (own.least, own.greatest)}
    return len(values) <= 2 and all(own.n_values <= 2 for own in maps.values())


def _stored_range(maps: Mapping[str, ScoreFacts]) -> StoredRange | None:
    if not maps:
        return None
    return StoredRange(
        dtype=next(iter(maps.values())).dtype,
        least=min(own.least for own in maps.values()),
        greatest=max(own.greatest for own in maps.values()),
        is_whole=all(own.is_whole for own in maps.values()),
        is_binary=_is_binary(maps),
    )

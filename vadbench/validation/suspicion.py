"""Signs that the truth of the test set, or its statistics, went into the scores; a sign is no proof.

A warning accuses people, so each rule asks for what honest methods do not show, and much is let pass for that. What
cannot be told from a good method: predictions in a part of the anomalous frames only, labels moved by more than
`NEAR` frames or by another number in each clip, labels with noise that makes their scores overlap, scales that are
divided by a clip's extremes plus a small number, or rounded until several frames share the greatest score.

Source: tao.md, "Step by step" (a released stage looks only at frames whose test label is anomalous).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vadbench.validation.score_facts import FEW_VALUES, ScoreFacts
from vadbench.validation.warnings import Remark

FEWEST_NORMAL_FRAMES = 20
FEWEST_BOUNDARIES = 6
FEWEST_CLIPS = 3
FEWEST_SCALED_CLIPS = 5
NEAR = 2
"""Frames on either side of a change of label by which predictions from labels may be moved."""

_MOST = 0.8
_FEW_NORMAL_FRAMES = 0.01
_PIXELS_AT_GREATEST = 3
_SCALED_FRAMES = 0.95
_TRUTH = (
    "did a stage look only at frames whose test label is anomalous? No part of a method may read the test\n"
    "labels; where the predictions are right all the same, say in `description` how that comes about"
)


@dataclass(frozen=True)
class Presence:
    """In which frames of a clip a kind predicts anything, beside the labels.

    Attributes
    ----------
    labels : (T,) bool
        Whether a frame is anomalous.
    predicted : (T,) bool
        Whether a frame has a row, or a score that differs from those of frames in which nothing is found.
    """

    labels: NDArray[np.bool_]
    predicted: NDArray[np.bool_]


@dataclass(frozen=True)
class LabelledScores:
    """Scores of the frames of a clip, beside the labels.

    Attributes
    ----------
    labels : (T,) bool
    scores : (T,) array
        Higher is more anomalous; of score maps the greatest of each frame.
    """

    labels: NDArray[np.bool_]
    scores: NDArray[np.number]


def presence_remarks(kind: str, clips: Sequence[Presence]) -> Iterator[Remark]:
    """S155: next to no normal frame has a prediction, and predictions begin and end where the labels do.

    Parameters
    ----------
    kind : str
        Name of the kind of prediction.
    clips : sequence of Presence
        Of all clips that have labels.

    Notes
    -----
    Asked for: at least 20 normal frames further than 2 frames from any change of label, at most 1 % of them with a
    prediction; at least 6 changes within clips; and one offset of at most 2 frames for all beginnings, one for all
    ends, at which 80 % of each are met to the frame. Detectors, background models and thresholds without the labels
    come late, leave early, or vary by some frames from one object to the next, as the annotators do; a few clips may
    fit by chance, which is why fewer than 6 changes say nothing, and beginnings do not count for ends.
    """
    near = [_near_a_change(own.labels) for own in clips]
    pairs = list(zip(clips, near, strict=True))
    n_normal = sum(int(np.count_nonzero(~own.labels & ~close)) for own, close in pairs)
    n_false = sum(int(np.count_nonzero(own.predicted & ~own.labels & ~close)) for own, close in pairs)
    if n_normal < FEWEST_NORMAL_FRAMES or n_false > _FEW_NORMAL_FRAMES * n_normal:
        return
    begin, n_begins, begins = _best_offset(clips)
    # An end is a beginning in a clip that runs backwards.
    end, n_ends, ends = _best_offset([Presence(own.labels[::-1], own.predicted[::-1]) for own in clips])
    n_boundaries = n_begins + n_ends
    if n_boundaries < FEWEST_BOUNDARIES or begins < _MOST * n_begins or ends < _MOST * n_ends:
        return
    n_anomalous = sum(int(np.count_nonzero(own.labels)) for own in clips)
    n_found = sum(int(np.count_nonzero(own.predicted & own.labels)) for own in clips)
    moved = f", moved by {begin:+d} frames where they begin and {-end:+d} where they end" if begin or end else ""
    yield Remark(
        "S155",
        f"{n_false or 'none'} of the {n_normal} normal frames that are not beside a change of label "
        f"{'has' if n_false < 2 else 'have'} a prediction, {n_found} of the {n_anomalous} anomalous frames have one, "
        f"and at {begins + ends} of the {n_boundaries} frames at which the label changes predictions begin or end"
        f"{moved}",
        (kind,),
        hint=_TRUTH,
    )


def separation_remarks(kind: str, clips: Sequence[LabelledScores]) -> Iterator[Remark]:
    """S155: every anomalous frame of all clips scores higher than every normal one.

    Parameters
    ----------
    kind : str
        Name of the kind of prediction.
    clips : sequence of LabelledScores
        Of all clips that have labels.

    Notes
    -----
    Asked for: at least 3 clips with both labels, 20 normal frames and 6 changes of label within clips. One frame on
    the wrong side of one change is enough for silence. Methods that look at pixels change their scores by degrees
    while an object comes into view, and labels begin at a frame that somebody chose: none gets all of them right.
    """
    mixed = [own for own in clips if own.labels.any() and not own.labels.all()]
    n_boundaries = sum(int(np.count_nonzero(own.labels[1:] != own.labels[:-1])) for own in mixed)
    n_normal = sum(int(np.count_nonzero(~own.labels)) for own in clips)
    if len(mixed) < FEWEST_CLIPS or n_boundaries < FEWEST_BOUNDARIES or n_normal < FEWEST_NORMAL_FRAMES:
        return
    lowest = min(own.scores[own.labels].min() for own in clips if own.labels.any())
    highest = max(own.scores[~own.labels].max() for own in clips if not own.labels.all())
    if lowest <= highest:
        return
    n_anomalous = sum(int(np.count_nonzero(own.labels)) for own in clips)
    yield Remark(
        "S155",
        f"each of the {n_anomalous} anomalous frames scores higher than each of the {n_normal} normal frames, to the "
        f"frame at all {n_boundaries} changes of label",
        (kind,),
        hint=_TRUTH,
    )


def _near_a_change(labels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    near = np.zeros(len(labels), dtype=bool)
    for frame in np.flatnonzero(labels[1:] != labels[:-1]) + 1:
        near[max(frame - NEAR, 0) : frame + NEAR] = True
    return near


def _best_offset(clips: Sequence[Presence]) -> tuple[int, int, int]:
    """Offset from the beginning of a label at which most predictions begin; number of beginnings, and of those met.

    Predictions begin with the first frame near the change that has one, whatever gaps follow.
    """
    counts = dict.fromkeys(sorted(range(-NEAR, NEAR + 1), key=abs), 0)
    n_begins = 0
    for own in clips:
        for begin in np.flatnonzero(own.labels[1:] & ~own.labels[:-1]) + 1:
            n_begins += 1
            start = max(begin - NEAR - 1, 0)
            found = np.flatnonzero(own.predicted[start : begin + NEAR + 1])
            # What is there from the first frame looked at has begun before.
            if len(found) and found[0] > 0:
                counts[int(start + found[0] - begin)] += 1
    best = max(counts, key=lambda offset: counts[offset])
    return best, n_begins, counts[best]


def normalisation_remarks(kind: str, clips: Mapping[str, ScoreFacts]) -> Iterator[Remark]:
    """S156: clips, or frames of score maps, reach the same greatest score as a division by their own maximum gives it.

    Parameters
    ----------
    kind : str
        Name of the kind of prediction.
    clips : mapping from clip id to ScoreFacts

    Notes
    -----
    Of clips is asked for: 80 % of those with more than one score, at least 5, have exactly the same greatest score,
    and each of these reaches it in a single frame, among more than 16 scores of frames. A common scale that ends there,
    by saturation, clipping or an integer type, is reached by an anomalous object as long as it is seen, in many
    frames of some clips and in none of others; even where single frames reach it by chance, it is exactly one in no
    more than 1/e of the clips. Counts and votes have few scores.

    Of frames is asked for: 95 % of those that are not flat reach it, each at 3 pixels at most on average, in clips with
    more than 16 such frames and 16 scores. Where a scale ends, pixels by the hundred are equal; and where equal pixels
    are rare by chance, as among all numbers of 16 bits, more than 5 % of the frames have none.
    """
    varied = {clip_id: own for clip_id, own in clips.items() if not own.is_constant}
    scaled = {clip_id: own.greatest for clip_id, own in varied.items() if _is_scaled_by_frame(own)}
    greatest, members = _commonest(scaled)
    if len(members) >= max(FEWEST_CLIPS, _MOST * len(varied)):
        yield Remark(
            "S156",
            f"in {len(members)} of the {len(varied)} clips with more than one score nearly every frame reaches "
            f"{greatest:g} exactly, at few pixels",
            (kind,),
            members,
            "score maps seem to be scaled by the extremes of their own frame: a frame without anomaly then looks as\n"
            "bad as any. Scale all frames alike, by training clips",
            len(members),
        )
        return
    greatest, members = _commonest({clip_id: own.greatest for clip_id, own in varied.items()})
    members = tuple(clip_id for clip_id in members if _is_scaled_by_clip(varied[clip_id]))
    if len(members) >= max(FEWEST_SCALED_CLIPS, _MOST * len(varied)):
        yield Remark(
            "S156",
            f"{len(members)} of the {len(varied)} clips with more than one score reach {greatest:g} exactly, as their "
            "greatest score, and in one frame only",
            (kind,),
            members,
            "scores seem to be scaled by the extremes of their own test clip: the same score then means different\n"
            "things in different clips, and a clip without anomaly looks as bad as any. Scale all clips alike, by\n"
            "training clips",
            len(members),
        )


def _commonest(values: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
    """The value that most clips have, and those clips; none where there is no clip."""
    if not values:
        return 0, ()
    ((common, _),) = Counter(values.values()).most_common(1)
    return common, tuple(clip_id for clip_id, value in values.items() if value == common)


def _is_scaled_by_clip(own: ScoreFacts) -> bool:
    return int(np.count_nonzero(own.by_frame == own.greatest)) == 1 and len(np.unique(own.by_frame)) > FEW_VALUES


def _is_scaled_by_frame(own: ScoreFacts) -> bool:
    uneven = own.by_frame > own.least_by_frame
    reached = uneven & (own.by_frame == own.greatest)
    n_uneven, n_reached = int(np.count_nonzero(uneven)), int(np.count_nonzero(reached))
    return (
        own.has_many_values
        and n_uneven > FEW_VALUES
        and n_reached >= _SCALED_FRAMES * n_uneven
        and own.n_greatest <= _PIXELS_AT_GREATEST * n_reached
    )

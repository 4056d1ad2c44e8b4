"""A threshold from a quantile of the scores that a method gives to training clips, and its place in a submission.

Source: docs/sending.md, "A threshold from training clips"; submission.md, "submission.toml".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Clip
from vadbench.errors import SubmissionError, UsageError, quoted
from vadbench.prediction import PredictionKind
from vadbench.submission.agreement import clip_differences, frame_count_differs, frame_size_differs
from vadbench.submission.problems import problem
from vadbench.submission.quantiles import ReachedThreshold, threshold_at_quantile
from vadbench.submission.reader import Submission, content_sha256
from vadbench.submission.score_maps import StoredScoreMaps
from vadbench.submission.tree import METADATA

_MOST_DIGITS = 100

Progress = Callable[[int, int, str], None]
"""Called after each clip that was read with (clips read, all clips of all rounds, clip id)."""


class ScoresOf(StrEnum):
    """Which scores the quantile is one of."""

    PIXELS = "pixels"
    FRAME_MAXIMA = "frame-maxima"


@dataclass(frozen=True)
class ChosenThreshold:
    """A threshold and how it was chosen.

    Parameters
    ----------
    reached : ReachedThreshold
        The threshold in stored units, and how many training scores reach it.
    quantile : Fraction
    scores_of : ScoresOf
    n_clips, n_frames, n_pixels : int
        Of the training submission.
    training_fingerprint : str
        Of the training submission, 64 hex digits.
    """

    reached: ReachedThreshold
    quantile: Fraction
    scores_of: ScoresOf
    n_clips: int
    n_frames: int
    n_pixels: int
    training_fingerprint: str

    def provenance(self) -> dict[str, Any]:
        """What ``provenance.json`` says of it."""
        return {
            "threshold": self.reached.value,
            "quantile": _decimal(self.quantile),
            "of": str(self.scores_of),
            "share_reached": self.reached.share,
            "training_submission": self.training_fingerprint,
            "training_clips": self.n_clips,
            "training_frames": self.n_frames,
            "training_pixels": self.n_pixels,
        }


def _decimal(quantile: Fraction) -> float | str:
    """The quantile as a number, or as text where a float would read back as another one."""
    number = float(quantile)
    if Fraction(repr(number)) == quantile:
        return number
    with localcontext(prec=_MOST_DIGITS):
        return str(Decimal(quantile.numerator) / Decimal(quantile.denominator))


def choose_threshold(
    training: Submission, quantile: Fraction, scores_of: ScoresOf = ScoresOf.PIXELS, *, progress: Progress | None = None
) -> ChosenThreshold:
    """Choose the least score of training clips that at most the share ``1 - quantile`` of them reach.

    Parameters
    ----------
    training : Submission
        Score maps of training clips; `check_training_submission` has looked at it.
    quantile : Fraction
        Above 0, at most 1.
    scores_of : ScoresOf
        All pixels, or the greatest score of each frame.
    progress : callable, optional

    Returns
    -------
    ChosenThreshold
        See `threshold_at_quantile` for its value.

    Raises
    ------
    UsageError
        U206 if no threshold is reached by so few.
    SubmissionError
        S12x, S13x, S140 where scores cannot be read.

    Notes
    -----
    Exact for every dtype. Pixels are read once (integers), twice (float32) or four times (float64); memory is a chunk.
    """
    readers = {clip_id: training.layout(clip_id).arrays[PredictionKind.SCORE_MAPS][""] for clip_id in training.clip_ids}
    maps = {clip_id: StoredScoreMaps(reader) for clip_id, reader in readers.items()}
    dtype = next(iter(maps.values())).dtype
    of_frames = scores_of is ScoresOf.FRAME_MAXIMA
    rounds = 1 if of_frames else -(-dtype.itemsize // 2)
    hashes: dict[str, str] = {}
    n_read = 0

    def blocks() -> Iterator[NDArray[Any]]:
        nonlocal n_read
        for clip_id, own in maps.items():
            hasher = hashlib.sha256()
            for _, block in own.blocks():
                if clip_id not in hashes:
                    hasher.update(np.ascontiguousarray(block.astype(dtype.newbyteorder("<"), copy=False)).data)
                yield block
            hashes.setdefault(clip_id, hasher.hexdigest())
            n_read += 1
            if progress is not None:
                progress(n_read, rounds * len(maps), clip_id)

    if of_frames:
        maxima = np.concatenate([block.reshape(len(block), -1).max(axis=1) for block in blocks()])
        reached = threshold_at_quantile(lambda: [maxima], dtype, quantile)
    else:
        reached = threshold_at_quantile(blocks, dtype, quantile)
    lines = [
        line
        for clip_id in training.clip_ids
        for line in training.content_lines(clip_id, score_maps_sha256=hashes[clip_id])
    ]
    return ChosenThreshold(
        reached=reached,
        quantile=quantile,
        scores_of=scores_of,
        n_clips=len(maps),
        n_frames=sum(own.shape[0] for own in maps.values()),
        n_pixels=sum(own.shape[0] * own.shape[1] * own.shape[2] for own in maps.values()),
        training_fingerprint=training.fingerprint_of(lines),
    )


def check_training_submission(
    submission: Submission, training: Submission, training_clips: Sequence[Clip], test_clips: Sequence[Clip] = ()
) -> None:
    """Check that a threshold for one submission may be chosen on another one.

    Parameters
    ----------
    submission : Submission
        Of test clips; it gets the threshold.
    training : Submission
        Of all training clips of the same data set: by the same method, with the same dtype and range.
    training_clips : sequence of Clip
        Of the data set; number of frames T and size count.
    test_clips : sequence of Clip
        Of the data set, for the hint where they were given by mistake.

    Raises
    ------
    UsageError
        U203 if one has no score maps; U207 if the two are the same, or hold the same score maps, are of other methods,
        or hold whole numbers that stand for scores over other ranges.
    SubmissionError
        S102 another data set, S103 other clips, S104, S105 other sizes, S106 missing maps, S107 another dtype.

    Notes
    -----
    Reads metadata, and clips of both as long as they are equal.
    """
    if _same_place(submission, training):
        raise _same(submission, training, "both are one submission")
    if training.metadata.dataset != submission.metadata.dataset:
        raise problem(
            "S102",
            where=training.shown,
            expected=f"{submission.metadata.dataset}, as {submission.shown}",
            got=training.metadata.dataset,
        )
    for own in (submission, training):
        if PredictionKind.SCORE_MAPS not in own.predictions:
            raise UsageError(
                "U203",
                "only score maps have a threshold",
                where=(own.shown, METADATA),
                expected="predictions with score_maps",
                got=", ".join(own.predictions),
            )
    _check_method(submission, training)
    _check_clips(training, training_clips, test_clips)
    first = submission.layout(submission.clip_ids[0]).arrays.get(PredictionKind.SCORE_MAPS, {}).get("")
    for clip in training_clips:
        maps = training.layout(clip.id).arrays.get(PredictionKind.SCORE_MAPS, {}).get("")
        if first is None or maps is None:
            raise problem("S106", where=(training.shown, f"clip {clip.id}"), expected="score_maps", got="none")
        if maps.shape[0] != clip.frames:
            raise frame_count_differs(maps.where, clip.frames, maps.shape[0], "training clip of the data set")
        if maps.shape[1:] != (clip.height, clip.width):
            raise frame_size_differs(maps.where, (clip.height, clip.width), maps.shape[1:])
        if maps.dtype != first.dtype:
            raise problem(
                "S107",
                where=maps.where,
                expected=f"{first.dtype}, as in {submission.shown}",
                got=f"{maps.dtype}",
                hint="a threshold is in stored units: both must be stored alike, over one range",
            )
    if first is not None and first.dtype.kind in "iu":
        _check_range(submission, training)
    if _same_maps(submission, training):
        raise _same(submission, training, "their score maps are the same")


def _check_method(submission: Submission, training: Submission) -> None:
    ours, theirs = (f"{own.metadata.method.name} {own.metadata.method.version or ''}" for own in (submission, training))
    if ours != theirs:
        raise UsageError(
            "U207",
            "a threshold cannot be chosen on the scores of another method",
            where=(training.shown, METADATA),
            expected=f"the method {quoted(ours.strip())}, as {submission.shown}",
            got=quoted(theirs.strip()),
            hint="let the same method score the training clips; name and version must be those of the submission",
        )


def _check_range(submission: Submission, training: Submission) -> None:
    """What stored whole numbers stand for must be the same in both, where one of them says it."""
    ours, theirs = (_range(own) for own in (submission, training))
    if ours != theirs:
        raise UsageError(
            "U207",
            "a threshold cannot be chosen on scores that are stored over another range",
            where=(training.shown, METADATA, "score_maps"),
            expected=f"{_shown(ours)}, as {submission.shown}",
            got=_shown(theirs),
            hint="store both over one range; `vadbench convert --part training --quantize --range-of SUBMISSION` does",
        )


def _range(submission: Submission) -> tuple[float, float] | None:
    scale = submission.metadata.score_maps
    if scale is None or scale.lower is None or scale.upper is None:
        return None
    return scale.lower, scale.upper


def _shown(limits: tuple[float, float] | None) -> str:
    return "no lower and upper" if limits is None else f"lower = {limits[0]!r}, upper = {limits[1]!r}"


def _check_clips(training: Submission, training_clips: Sequence[Clip], test_clips: Sequence[Clip]) -> None:
    expected = [clip.id for clip in training_clips]
    tested = [clip.id for clip in test_clips]
    hint = "every training clip must be there"
    if list(training.clip_ids) == tested:
        hint = "these are the test clips; a threshold is chosen on training clips, never on the test set"
    for error in clip_differences((training.shown,), training.clip_ids, expected, hint=hint):
        raise SubmissionError(
            error.code,
            error.message,
            where=error.where,
            expected=f"the training clips, {error.expected}",
            got=error.got,
            hint=error.hint,
        )


def _same_place(first: Submission, second: Submission) -> bool:
    if first.path is None or second.path is None:
        return first.path is second.path and first.shown == second.shown
    return first.path.samefile(second.path)


def _same_maps(first: Submission, second: Submission) -> bool:
    """Whether every clip of the first has the same score maps in the second; looks no further than the first other."""
    for clip_id in first.clip_ids:
        if clip_id not in second.clip_ids:
            return False
        ours, theirs = (own.layout(clip_id).arrays[PredictionKind.SCORE_MAPS][""] for own in (first, second))
        if ours.shape != theirs.shape or content_sha256(ours) != content_sha256(theirs):
            return False
    return True


def _same(submission: Submission, training: Submission, got: str) -> UsageError:
    return UsageError(
        "U207",
        "a threshold cannot be chosen on the submission that it is for",
        where=tuple(dict.fromkeys((submission.shown, training.shown))),
        expected="a second submission with the scores of the training clips",
        got=got,
        hint="let the method score the training clips; docs/sending.md shows how",
    )


def check_declarable(submission: Submission, out: Path | None, *, replace: bool) -> None:
    """Check that a threshold can be declared in a submission, before anything is read.

    Parameters
    ----------
    submission : Submission
    out : Path or None
        Where a changed copy goes; None: the submission itself is changed.
    replace : bool
        Whether a threshold that is there may be replaced.

    Raises
    ------
    UsageError
        U203 if it is no folder on disk and `out` is not given, U208 if it has a threshold already.
    """
    if out is None and (submission.path is None or submission.tree.is_archive):
        raise UsageError(
            "U203",
            "only a folder is changed in place",
            where=submission.shown,
            hint="--out NEW writes a copy with the threshold: a folder, or a zip if NEW ends in .zip",
        )
    if submission.metadata.threshold is not None and not replace:
        raise UsageError(
            "U208",
            "the submission declares a threshold already",
            where=(submission.shown, METADATA),
            got=f"{submission.metadata.threshold}, chosen on: {submission.metadata.training.threshold_chosen_on}",
            hint="--replace puts the new one in its place",
        )

"""AED text from a submission: a folder with ``CLIP.txt``, one row ``frame,x1,y1,x2,y2,score`` a box.

Identities of objects have no place in the format, nor have masks: an instance becomes its extremal box only where the
caller says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vadbench.conversion.objects.number_rows import shown_number
from vadbench.conversion.objects.rows import Corners
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError
from vadbench.prediction import Detections, Prediction, PredictionKind

_NUMBER = rb"-?[0-9][0-9.e+-]*"
_ROW = re.compile(rb"[0-9]+(?:," + _NUMBER + rb"){5}\n")

if TYPE_CHECKING:
    from vadbench.evaluation.executors import Progress
    from vadbench.submission import Submission


def write_aed(
    submission: Submission,
    clips: Sequence[Clip],
    path: Path,
    progress: Progress | None = None,
    *,
    corners: Corners = Corners.INCLUSIVE,
    kind: PredictionKind | None = None,
) -> int:
    """Write the boxes of all clips.

    Parameters
    ----------
    submission : Submission
    clips : sequence of Clip
        Every clip gets a file, an empty one where it has no box.
    path : Path
        Folder to be made.
    progress : callable, optional
        Called after each clip with (clips done, all clips, clip id).
    corners : Corners
        Inclusive, as the released code reads them: 1 is taken from x2 and y2.
    kind : PredictionKind, optional
        ``detections`` if absent; ``instances`` writes the extremal box of each mask, which loses the mask.

    Returns
    -------
    int
        Number of rows. Numbers are in the shortest form that reads back as the same float64, so that scores stay
        identical.

    Raises
    ------
    ConversionError
        C180 if the submission has no such kind, C181 for a box that inclusive corners cannot express exactly.
    """
    chosen = exported_kind(submission, kind, wanted=PredictionKind.DETECTIONS)
    path.mkdir()
    n_rows = 0
    for done, clip in enumerate(clips, start=1):
        found = _boxes(submission.clip(clip), chosen)
        with (path / f"{clip.id}.txt").open("w", encoding="ascii", newline="\n") as file:
            file.writelines(_lines(found, clip, corners))
        n_rows += len(found.frames)
        if progress is not None:
            progress(done, len(clips), clip.id)
    return n_rows


def is_written_row(line: bytes) -> bool:
    r"""Whether a line, or an empty file, is as `write_aed` writes it: six numbers with commas between them.

    >>> is_written_row(b"3,40,20,51,43,0.82\n"), is_written_row(b""), is_written_row(b"frame,x1\n")
    (True, True, False)
    """
    return not line or _ROW.fullmatch(line) is not None


def exported_kind(
    submission: Submission, kind: PredictionKind | None, *, wanted: PredictionKind | None
) -> PredictionKind:
    """The kind that is written.

    Parameters
    ----------
    submission : Submission
    kind : PredictionKind, optional
        What the caller says.
    wanted : PredictionKind, optional
        What is written where the caller says nothing; None: the one that is there.

    Raises
    ------
    ConversionError
        C180 if it is not there, or if both are and the caller says nothing.
    """
    objects = (PredictionKind.INSTANCES, PredictionKind.DETECTIONS)
    there = [one for one in submission.predictions if one in objects]
    if kind is None and wanted is None and len(there) == 1:
        return there[0]
    chosen = kind or wanted
    if chosen is not None and chosen in there:
        return chosen
    hint = "score maps and frame scores have no place in this format"
    if there and chosen is not None:
        hint = f"--kind {there[0]} writes these instead" + (
            "; their masks are lost: a mask becomes the smallest box around it"
            if there[0] is PredictionKind.INSTANCES and wanted is PredictionKind.DETECTIONS
            else ""
        )
    elif there:
        hint = "say which: --kind instances or --kind detections"
    raise ConversionError(
        "C180",
        "the submission does not say what to write" if there and chosen is None else "the submission holds none of it",
        where=submission.shown,
        expected=str(chosen) if chosen else "one of instances and detections",
        got=", ".join(submission.predictions),
        hint=hint,
    )


def _boxes(prediction: Prediction, kind: PredictionKind) -> Detections:
    if kind is PredictionKind.INSTANCES and prediction.instances is not None:
        rows = prediction.instances
        return Detections(rows.frames.astype(np.int64), rows.boxes(), rows.scores)
    if prediction.detections is None:
        raise ValueError("a clip without the kind that the submission declares")
    return prediction.detections


def _lines(found: Detections, clip: Clip, corners: Corners) -> Iterator[str]:
    boxes = np.asarray(found.boxes, dtype=np.float64)
    greater = boxes[:, 2:] - corners.beyond
    inexact = np.flatnonzero((greater + corners.beyond != boxes[:, 2:]).any(axis=1))
    if len(inexact):
        row = int(inexact[0])
        raise ConversionError(
            "C181",
            "a box cannot be written with inclusive corners without rounding",
            where=(f"clip {clip.id}", f"frame {found.frames[row]}"),
            expected="corners that 1 can be taken from and added to exactly",
            got=", ".join(map(shown_number, boxes[row])),
            hint="write them half-open: --corners half-open",
        )
    values = np.hstack([boxes[:, :2], greater]).tolist()
    # float() of a float32 score is exact; its repr is the shortest form that reads back as that float64.
    for frame, box, score in zip(found.frames.tolist(), values, found.scores.astype(np.float64).tolist(), strict=True):
        yield f"{frame},{','.join(map(shown_number, box))},{score!r}\n"

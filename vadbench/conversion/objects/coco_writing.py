"""COCO JSON from a submission: one file with ``images``, ``categories`` and ``annotations``, each with a score.

``annotations`` alone is a list of results as the COCO API's ``loadRes`` takes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.conversion.objects.aed_writing import exported_kind
from vadbench.conversion.objects.coco_json import CORNERS
from vadbench.conversion.objects.coco_rle import text_of_counts
from vadbench.datasets.base import Clip
from vadbench.prediction import Detections, Instances, PredictionKind

if TYPE_CHECKING:
    from vadbench.evaluation.executors import Progress
    from vadbench.submission import Submission

CATEGORY = {"id": 1, "name": "anomaly"}


def _beginning(kind: PredictionKind) -> str:
    return f'{{\n"info": {json.dumps({"description": f"{kind} of a vadbench submission"})},\n'


BEGINNINGS = tuple(_beginning(kind).encode() for kind in (PredictionKind.INSTANCES, PredictionKind.DETECTIONS))
"""First bytes of every file that `write_coco` makes, one for each kind."""


def write_coco(
    submission: Submission,
    clips: Sequence[Clip],
    path: Path,
    progress: Progress | None = None,
    *,
    kind: PredictionKind | None = None,
) -> int:
    """Write the instances or detections of all clips.

    Parameters
    ----------
    submission : Submission
    clips : sequence of Clip
        Every frame of each is an image ``CLIP/FRAME``, with a finding or without; ids count from 1.
    path : Path
        File to be made.
    progress : callable, optional
        Called after each clip with (clips done, all clips, clip id).
    kind : PredictionKind, optional
        Which of the two; needed where the submission has both.

    Returns
    -------
    int
        Number of annotations, in order of clip and row. Scores are in the shortest form that reads back as the same
        float64; object ids are ``track_id``. A box whose x + width is not exactly its x2 has the key ``corners``,
        ``[x1, y1, x2, y2]``, as well.

    Raises
    ------
    ConversionError
        C180 if there is no such kind.
    """
    chosen = exported_kind(submission, kind, wanted=None)
    n_rows, first_image = 0, 1
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(_beginning(chosen))
        file.write(f'"categories": [{json.dumps(CATEGORY)}],\n"images": [\n')
        file.write(",\n".join(_images(clips)))
        file.write('\n],\n"annotations": [')
        for done, clip in enumerate(clips, start=1):
            prediction = submission.clip(clip)
            rows = prediction.instances if chosen is PredictionKind.INSTANCES else prediction.detections
            if rows is None:
                raise ValueError("a clip without the kind that the submission declares")
            entries = _masks(rows) if isinstance(rows, Instances) else _boxes(rows)
            for entry, frame, score in zip(entries, rows.frames.tolist(), rows.scores.tolist(), strict=True):
                whole = {"id": n_rows + 1, "image_id": first_image + frame, "category_id": CATEGORY["id"]}
                file.write(",\n" if n_rows else "\n")
                file.write(json.dumps({**whole, **entry, "iscrowd": 0, "score": float(score)}, allow_nan=False))
                n_rows += 1
            first_image += clip.frames
            if progress is not None:
                progress(done, len(clips), clip.id)
        file.write("\n]\n}\n")
    return n_rows


def _images(clips: Sequence[Clip]) -> Iterator[str]:
    number = 1
    for clip in clips:
        for frame in range(clip.frames):
            name = f"{clip.id}/{frame:03d}"
            yield json.dumps({"id": number, "file_name": name, "height": clip.height, "width": clip.width})
            number += 1


def _masks(rows: Instances) -> Iterator[dict[str, Any]]:
    size = [rows.height, rows.width]
    objects = None if rows.objects is None else rows.objects.tolist()
    for row, (x1, y1, x2, y2) in enumerate(rows.boxes().tolist()):
        counts = rows.counts[rows.offsets[row] : rows.offsets[row + 1]]
        yield {
            "segmentation": {"size": size, "counts": text_of_counts(counts)},
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": int(counts[1::2].sum(dtype=np.int64)),
            **({} if objects is None else {"track_id": objects[row]}),
        }


def _boxes(rows: Detections) -> Iterator[dict[str, Any]]:
    boxes = np.asarray(rows.boxes, dtype=np.float64)
    sizes = boxes[:, 2:] - boxes[:, :2]
    # A width is rounded like any difference: where x1 + width misses x2 by it, the corners are written as well.
    misses = (boxes[:, :2] + sizes != boxes[:, 2:]).any(axis=1).tolist()
    objects = None if rows.objects is None else rows.objects.tolist()
    for row, (box, size) in enumerate(zip(boxes.tolist(), sizes.tolist(), strict=True)):
        yield {
            "bbox": [*box[:2], *size],
            "area": size[0] * size[1],
            **({CORNERS: box} if misses[row] else {}),
            **({} if objects is None else {"track_id": objects[row]}),
        }

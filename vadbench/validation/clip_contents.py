"""What the arrays of one clip hold: read once, every mistake found, and what warnings and fingerprint need kept.

Memory is a chunk of score maps, and the rows of the clip.

Source: submission.md, "predictions.zarr" and "Identity".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Clip
from vadbench.errors import SubmissionError
from vadbench.masks import BLOCK_FRAMES
from vadbench.prediction import PredictionKind
from vadbench.submission.arrays import ArrayReader
from vadbench.submission.faults import Fault
from vadbench.submission.fingerprint import array_line
from vadbench.submission.layout import ARRAYS, OPTIONAL_ARRAY, LayoutScan
from vadbench.submission.reader import sha256_of
from vadbench.submission.rows import detection_faults, distinct, instance_faults, map_faults, score_faults
from vadbench.submission.score_maps import each_chunk, piece_faults
from vadbench.validation.object_ids import IdFacts, id_facts
from vadbench.validation.repeated_rows import repeated_detections, repeated_instances
from vadbench.validation.run_order import RunOrder, run_order
from vadbench.validation.score_facts import MapFacts, ScoreFacts, facts_of_scores

MOST_ROWS = 2_000_000
"""Rows of a clip that are looked at for repetition and ids; no real clip comes near."""


@dataclass(frozen=True)
class RowFacts:
    """What is kept of the rows of a kind in one clip.

    Attributes
    ----------
    n_rows : int
    frames : (k,) int or None
        Frames that have a row, increasing; None where the frames are wrong.
    repeated : tuple of two int
        Rows that are there already in their frame, and the frame of the first of them (0 where there is none).
    ids : IdFacts or None
        None where the rows have no ids, or are wrong.
    farthest_corner : float or None
        Greatest x2 or y2 of all boxes; None where there is none, or rows are wrong.
    order : RunOrder or None
        None where the rows have no masks or are wrong, or the order cannot be told from them.
    """

    n_rows: int
    frames: NDArray[Any] | None
    repeated: tuple[int, int] = (0, 0)
    ids: IdFacts | None = None
    farthest_corner: float | None = None
    order: RunOrder | None = None


@dataclass
class ClipContents:
    """What is kept of a clip, and its mistakes.

    Attributes
    ----------
    clip_id : str
    n_frames : int or None
        As far as it is known.
    score_maps, frame_scores : ScoreFacts or None
        None where there are none, or something is wrong with them.
    rows : mapping from kind to RowFacts
        Of instances and detections, where they can be read.
    faults : list of Fault
    frame_spans : mapping from kind to two int
        Least and greatest frame of the rows, for each kind that has some.
    lines : list of bytes
        What the fingerprint reads of the clip; whole where there is no fault.
    """

    clip_id: str
    n_frames: int | None = None
    score_maps: ScoreFacts | None = None
    frame_scores: ScoreFacts | None = None
    rows: dict[PredictionKind, RowFacts] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    frame_spans: dict[PredictionKind, tuple[int, int]] = field(default_factory=dict)
    lines: list[bytes] = field(default_factory=list)


def read_contents(scan: LayoutScan, clip: Clip | None) -> ClipContents:
    """Read all arrays of a clip whose metadata are sound.

    Parameters
    ----------
    scan : LayoutScan
    clip : Clip or None
        None: frames and size are known from the submission's own arrays alone, if at all.
    """
    frames, height, width = _size(scan, clip)
    found = ClipContents(scan.clip_id, frames)
    for kind, readers in scan.arrays.items():
        if kind is PredictionKind.SCORE_MAPS:
            _read_maps(readers.get(""), scan, found)
        elif kind is PredictionKind.FRAME_SCORES:
            _read_frame_scores(readers.get(""), scan, found)
        else:
            _read_rows(kind, readers, scan, found, (height, width))
    return found


def _size(scan: LayoutScan, clip: Clip | None) -> tuple[int | None, int | None, int | None]:
    if clip is not None:
        return clip.frames, clip.height, clip.width
    if scan.layout.map_shape is not None:
        return scan.layout.map_shape
    scores = scan.arrays.get(PredictionKind.FRAME_SCORES, {}).get("")
    return (None if scores is None else scores.shape[0]), None, None


def _read_maps(reader: ArrayReader | None, scan: LayoutScan, found: ClipContents) -> None:
    if reader is None:
        return
    if reader.path in scan.misformed:
        found.faults += piece_faults(reader, scan.stored.get(reader.path))
        return
    hasher, facts, is_sound = hashlib.sha256(), MapFacts(reader.dtype), reader.path not in scan.stored
    little = reader.dtype.newbyteorder("<")
    not_finite: list[Fault] = []
    for first_frame, chunk in each_chunk(reader, scan.stored.get(reader.path)):
        if isinstance(chunk, SubmissionError):
            found.faults.append(Fault(chunk))
            is_sound = False
            continue
        hasher.update(np.ascontiguousarray(chunk, dtype=little).reshape(-1).view(np.uint8).data)
        for start in range(0, len(chunk), BLOCK_FRAMES):
            block = chunk[start : start + BLOCK_FRAMES]
            if not facts.add(block):
                not_finite += map_faults(block, first_frame + start, reader.where)
                not_finite[1:] = []  # the first place is enough; the others are counted
                is_sound = False
    if not_finite:
        found.faults.append(Fault(not_finite[0].error, facts.n_not_finite))
    if is_sound:
        found.score_maps = facts.facts()
        found.lines.append(array_line(reader.path, reader.meta.data_type, reader.shape, hasher.hexdigest()))


def _read_frame_scores(reader: ArrayReader | None, scan: LayoutScan, found: ClipContents) -> None:
    scores = _read({"": reader} if reader else {}, scan, found).get("")
    if scores is None or reader is None:
        return
    faults = list(score_faults(scores, None, reader.where))
    found.faults += faults
    if not faults and reader.path not in scan.misformed:
        found.frame_scores = facts_of_scores(scores)


def _read_rows(
    kind: PredictionKind,
    readers: dict[str, ArrayReader],
    scan: LayoutScan,
    found: ClipContents,
    size: tuple[int | None, int | None],
) -> None:
    arrays = _read(readers, scan, found)
    where = (*scan.where, kind)
    faults_of = detection_faults if kind is PredictionKind.DETECTIONS else instance_faults
    # Rows that do not belong together have no common frame: each array is checked by itself.
    parts = _alone(arrays) if kind in scan.uneven else [arrays]
    faults = [
        fault
        for part in parts
        for fault in faults_of(part, where, n_frames=found.n_frames, height=size[0], width=size[1])
    ]
    found.faults += faults
    frames = arrays.get("frame")
    if frames is None:
        return
    if len(frames):
        found.frame_spans[kind] = (int(frames.min()), int(frames.max()))
    is_whole = arrays.keys() >= ARRAYS[kind].keys() - {OPTIONAL_ARRAY}
    if faults or not is_whole or len(arrays) < len(readers) or kind in scan.uneven or kind not in scan.whole:
        sound = not any(fault.error.code == "S141" for fault in faults)
        found.rows[kind] = RowFacts(len(frames), distinct(frames) if sound else None)
        return
    repeated = repeated_detections if kind is PredictionKind.DETECTIONS else repeated_instances
    height, width = (length if length is not None else 0 for length in size)
    few = _first_rows(arrays)
    found.rows[kind] = RowFacts(
        len(frames),
        distinct(frames),
        repeated(few),
        id_facts(few, height) if "object" in arrays else None,
        float(arrays["box"][:, 2:].max()) if "box" in arrays and len(frames) else None,
        run_order(few["counts"], few["offsets"], height, width) if "counts" in few and height and width else None,
    )


def _first_rows(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """At most `MOST_ROWS` rows, for warnings: what they need of memory and time is bounded."""
    few = {name: array[:MOST_ROWS] for name, array in arrays.items() if name != "counts"}
    if "counts" in arrays:
        few["offsets"] = arrays["offsets"][: MOST_ROWS + 1]
        few["counts"] = arrays["counts"][: few["offsets"][-1]]
    return few


def _alone(arrays: dict[str, NDArray[Any]]) -> Iterable[dict[str, NDArray[Any]]]:
    runs: dict[str, NDArray[Any]] = {name: arrays[name] for name in ("offsets", "counts") if name in arrays}
    return [*({name: array} for name, array in arrays.items() if name not in runs), runs]


def _read(readers: dict[str, ArrayReader], scan: LayoutScan, found: ClipContents) -> dict[str, NDArray[Any]]:
    """Arrays that can be read; their lines of the fingerprint and their mistakes go into `found`."""
    arrays = {}
    for name, reader in readers.items():
        if reader.path in scan.stored:
            continue  # a chunk is missing, which is known already
        try:
            arrays[name] = reader.read()
        except SubmissionError as error:
            found.faults.append(Fault(error))
            continue
        digest = sha256_of([arrays[name]])
        found.lines.append(array_line(reader.path, reader.meta.data_type, reader.shape, digest))
    return arrays

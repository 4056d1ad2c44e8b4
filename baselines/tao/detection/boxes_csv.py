"""Detector that reads given boxes: what another program has found, as CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Never

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import CORNERS, BoxTable
from baselines.tao.detection.detector import Part
from baselines.tao.progress import FrameProgress, no_frame_progress
from vadbench import Clip, DataError, Dataset, UsageError
from vadbench.errors import did_you_mean, quoted, shortened

_COLUMNS = ("clip", "frame", *CORNERS)
_ENDINGS = {Part.TRAINING: "_train.csv", Part.TEST: "_test.csv"}


class CsvDetector:
    """Boxes of two files: one of the training clips, one of the test clips.

    A file has a header with the columns ``clip,frame,x1,y1,x2,y2`` in any order, others are ignored; frames are
    0-based, boxes half-open and in pixels. Boxes are cut to the frame. Clips and frames that no line names have no
    boxes. The order of the boxes of a frame is that of the file.

    Parameters
    ----------
    folder : Path
        Holds one file whose name ends in ``_train.csv`` and one in ``_test.csv``.
    dataset : Dataset
        Its clips alone count.

    Raises
    ------
    UsageError
        B207 if there is no such folder.
    DataError
        B207 if a file is missing or there are several, B208 where a line is wrong: an unknown clip, a frame that the
        clip does not have, a value that is no number, a box without area or wholly outside the frame.
    """

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        if not folder.is_dir():
            raise UsageError(
                "B207",
                "the folder of the given boxes is not there",
                where=str(folder),
                expected="a folder with one *_train.csv and one *_test.csv",
                got="a file" if folder.exists() else "nothing",
            )
        clips = {Part.TRAINING: dataset.training_clips, Part.TEST: dataset.clips}
        # Both files are looked for before one is read.
        files = {part: _only_file(folder, _ENDINGS[part]) for part in Part}
        self._tables = {part: read_boxes(files[part], clips[part]) for part in Part}

    def detect(self, clip: Clip, part: Part, progress: FrameProgress = no_frame_progress) -> BoxTable:
        """Boxes of a clip; see `Detector`."""
        progress(clip.frames)
        return self._tables[part].get(clip.id, BoxTable.empty())


def read_boxes(path: Path, clips: Sequence[Clip]) -> dict[str, BoxTable]:
    """Boxes of a file by clip id; clips without boxes are left out.

    Parameters
    ----------
    path : Path
    clips : sequence of Clip
        Clips that the file may name.

    Raises
    ------
    DataError
        B208 naming file and line; see `CsvDetector`.
    """
    lines, names, table = _read_columns(path)
    known = {clip.id: number for number, clip in enumerate(clips)}
    for name in dict.fromkeys(names):
        if name not in known:
            _refuse(
                path,
                lines[names.index(name)],
                "a line of the given boxes names an unknown clip",
                got=quoted(name),
                hint=did_you_mean(name, known),
            )
    clip_index = np.array([known[name] for name in names], dtype=np.int64)
    _check_frames(path, lines, clips, clip_index, table[:, 0])
    boxes = _cut_to_frame(path, lines, clips, clip_index, table[:, 1:])
    order = np.lexsort((table[:, 0], clip_index))
    frames = table[order, 0].astype(np.int64)
    starts = np.searchsorted(clip_index[order], np.arange(len(clips) + 1))
    return {
        clip.id: BoxTable(frames[first:last], boxes[order[first:last]])
        for clip, first, last in zip(clips, starts[:-1], starts[1:], strict=True)
        if first < last
    }


def _only_file(folder: Path, ending: str) -> Path:
    found = sorted(path for path in folder.iterdir() if path.name.endswith(ending))
    if len(found) != 1:
        raise DataError(
            "B207",
            "the folder of the given boxes has several such files" if found else "a file of given boxes is missing",
            where=str(folder),
            expected=f"one file *{ending}",
            got=shortened([path.name for path in found], between=", ") or "none",
        )
    return found[0]


def _read_columns(path: Path) -> tuple[list[int], list[str], NDArray[np.float64]]:
    """Line numbers, clip names, and frame and corners as (N, 5), all finite."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            rows = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            "B208", "a file of given boxes cannot be read", where=str(path), expected="CSV in UTF-8", got=str(error)
        ) from error
    if any(header.count(name) != 1 for name in _COLUMNS):
        raise DataError(
            "B208",
            "a file of given boxes has another header",
            where=(str(path), "line 1"),
            expected=f"the columns {','.join(_COLUMNS)}, each once",
            got=quoted(",".join(header)),
        )
    for line, row in rows:
        if len(row) != len(header):
            _refuse(
                path,
                line,
                "a line of the given boxes has too few or too many values",
                expected=f"{len(header)} values, as the header has",
                got=f"{len(row)}: {quoted(','.join(row))}",
            )
    columns = [_numbers(path, rows, header.index(name), name) for name in _COLUMNS[1:]]
    place = header.index("clip")
    table = np.stack(columns, axis=1) if rows else np.empty((0, len(columns)))
    return [line for line, _ in rows], [row[place].strip() for _, row in rows], table


def _numbers(path: Path, rows: Sequence[tuple[int, Sequence[str]]], place: int, name: str) -> NDArray[np.float64]:
    values = []
    for line, row in rows:
        try:
            values.append(float(row[place]))
        except ValueError:
            values.append(math.nan)
        if not math.isfinite(values[-1]):
            _refuse(
                path,
                line,
                f"the {name} of a given box is not a number",
                expected="a finite number",
                got=quoted(row[place]),
            )
    return np.array(values, dtype=np.float64)


def _check_frames(
    path: Path,
    lines: Sequence[int],
    clips: Sequence[Clip],
    clip_index: NDArray[np.int64],
    frames: NDArray[np.float64],
) -> None:
    counts = np.array([clip.frames for clip in clips], dtype=np.float64)
    wrong = np.flatnonzero((frames < 0) | (frames >= counts[clip_index]) | (frames != np.floor(frames)))
    if wrong.size:
        row = int(wrong[0])
        clip = clips[clip_index[row]]
        beyond = frames[row] == clip.frames
        _refuse(
            path,
            lines[row],
            "a given box is in no frame of its clip",
            expected=f"a whole number from 0 to {clip.frames - 1} (clip {clip.id})",
            got=f"frame {frames[row]:g}",
            hint="frames are 0-based; take 1 off if the file counts from 1" if beyond else "",
        )


def _cut_to_frame(
    path: Path,
    lines: Sequence[int],
    clips: Sequence[Clip],
    clip_index: NDArray[np.int64],
    boxes: NDArray[np.float64],
) -> NDArray[np.float64]:
    inverted = (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
    if inverted.any():
        row = int(inverted.argmax())
        _refuse(
            path,
            lines[row],
            "a given box has no area",
            expected="x1 < x2 and y1 < y2, half-open",
            got=_box_text(boxes[row]),
        )
    sizes = np.array([(clip.width, clip.height) for clip in clips], dtype=np.float64).reshape(-1, 2)[clip_index]
    cut = np.clip(boxes, 0.0, np.hstack([sizes, sizes]))
    outside = (cut[:, 2:] <= cut[:, :2]).any(axis=1)
    if outside.any():
        row = int(outside.argmax())
        width, height = sizes[row]
        _refuse(
            path,
            lines[row],
            "a given box lies wholly outside the frame",
            expected=f"a box that meets the frame of {width:g} x {height:g} pixels (width x height)",
            got=_box_text(boxes[row]),
            hint="the boxes may be of frames of another size, or have another order of corners",
        )
    return cut


def _box_text(box: NDArray[np.float64]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in zip(CORNERS, box.tolist(), strict=True))


def _refuse(path: Path, line: int, message: str, *, expected: str = "", got: str = "", hint: str = "") -> Never:
    raise DataError("B208", message, where=(str(path), f"line {line}"), expected=expected, got=got, hint=hint)

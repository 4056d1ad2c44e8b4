"""One CSV file with the boxes of all clips, its columns named in a header."""

from __future__ import annotations

import csv
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.objects.aed_text import no_detections
from vadbench.conversion.objects.number_rows import numbers_of_fields, read_foreign_text, whole_numbers
from vadbench.conversion.objects.rows import BoxRows, BoxRules, detections_of
from vadbench.conversion.objects.source import ObjectSource
from vadbench.conversion.shown import shown_path
from vadbench.conversion.source import Timing
from vadbench.datasets.base import Clip
from vadbench.datasets.listing import natural_key
from vadbench.errors import ConversionError, UsageError, did_you_mean, quoted
from vadbench.prediction import Detections, Prediction

NEEDED = ("clip", "frame", "x1", "y1", "x2", "y2")
OPTIONAL = ("score", "object")


class BoxesCsv(ObjectSource):
    """Detections of all clips in one CSV file.

    Parameters
    ----------
    path : Path
        First line: ``clip,frame,x1,y1,x2,y2`` with or without ``score`` and ``object``, in any order. Rows of a clip
        need not stand together.
    rules : BoxRules
        A file without scores needs ``constant_score``; one with scores refuses it.

    Raises
    ------
    UsageError
        U216 if there is no such file.
    ConversionError
        C150 if it cannot be read, C151 for a row with another number of fields, C152 for a field that is no number,
        C156 for a wrong header, C157 without scores, C158 without any row or for a row without clip.

    Notes
    -----
    Holds the whole file in memory, about 150 bytes a row.
    """

    missing_clip_hint = "--missing-clips empty says that a clip without rows is one without a finding"

    def __init__(self, path: Path, rules: BoxRules) -> None:
        if not path.is_file():
            raise UsageError(
                "U216", "the CSV file does not exist", where=shown_path(path), expected="a file", got="none"
            )
        super().__init__()
        self._path, self._rules = path, rules
        header, rows, self._lines = _split(path)
        columns = self._columns(header)
        clip_column = columns.index("clip")
        clips = [fields[clip_column].strip() if len(fields) == len(columns) else "" for fields in rows]
        if "" in clips:
            row = clips.index("")
            if len(rows[row]) == len(columns):
                raise ConversionError("C158", "a row names no clip", where=self._place(row), got=quoted(rows[row]))
            numbers_of_fields(rows[row : row + 1], columns, lambda _: self._place(row))
        for fields in rows:
            del fields[clip_column]
        columns.remove("clip")
        self._values = dict(zip(columns, numbers_of_fields(rows, columns, self._place).T, strict=True))
        self._frames = whole_numbers(self._values["frame"], "frame", self._place)
        self._objects = self._object_ids()
        self._rows = _rows_by_clip(clips)
        self.clip_names = tuple(sorted(self._rows, key=natural_key))
        if not rows:
            raise ConversionError(
                "C158",
                "the file has a header and no rows",
                where=shown_path(path),
                expected="a row for each box",
                got="none",
            )

    def read(self, name: str, clip: Clip, timing: Timing) -> Prediction:
        """Detections of a clip.

        Raises
        ------
        ConversionError
            C106, C154, C155 with file and line.
        """
        own = self._rows[name]
        scores = self._values.get("score")
        rows = BoxRows(
            self._frames[own],
            np.stack([self._values[column][own] for column in ("x1", "y1", "x2", "y2")], axis=1),
            np.full(len(own), self._rules.constant_score) if scores is None else scores[own],
            lambda row: self._place(int(own[row])),
            None if self._objects is None else self._objects[own],
        )
        self.note_numbers(rows.frames)
        detections, n_cut = detections_of(rows, clip, timing, self._rules)
        self.counts["boxes_cut_at_the_frame"] += n_cut
        return Prediction(detections=detections)

    def empty(self, clip: Clip) -> Prediction:
        """What a clip without rows is."""
        nothing = no_detections(self._rules)
        ids = None if self._objects is None else np.zeros(0, dtype=np.int64)
        return Prediction(detections=Detections(nothing.frames, nothing.boxes, nothing.scores, ids))

    def record(self) -> dict[str, Any]:
        """What provenance says of the conversion, once it is done."""
        return {**self._rules.record(), **self.done()}

    def _place(self, row: int) -> tuple[str, ...]:
        return shown_path(self._path), f"line {self._lines[row]}"

    def _columns(self, header: list[str]) -> list[str]:
        columns = [field.strip() for field in header]
        known = {*NEEDED, *OPTIONAL}
        missing = [column for column in NEEDED if column not in columns]
        unknown = [column for column in columns if column not in known]
        if missing or unknown or len(set(columns)) < len(columns):
            raise ConversionError(
                "C156",
                "the header of the CSV file is wrong",
                where=(shown_path(self._path), "line 1"),
                expected=f"{','.join(NEEDED)}, and {' and '.join(OPTIONAL)} where there are any",
                got=quoted(",".join(header)),
                hint=_header_hint(columns, missing, unknown),
            )
        has_scores, constant = "score" in columns, self._rules.constant_score
        if has_scores == (constant is not None):
            raise ConversionError(
                "C157",
                "the file has scores, and a constant score is given" if has_scores else "the file has no scores",
                where=(shown_path(self._path), "line 1"),
                expected="a column score, or --constant-score",
                got="both" if has_scores else quoted(",".join(columns)),
                hint="leave out --constant-score"
                if has_scores
                else "--constant-score 1.0 gives every box the same one",
            )
        return columns

    def _object_ids(self) -> NDArray[np.int64] | None:
        if "object" not in self._values:
            return None
        ids = whole_numbers(self._values["object"], "object", self._place)
        if len(ids) and ids.min() < 0:
            row = int((ids < 0).argmax())
            raise ConversionError(
                "C152", "an object id is below 0", where=self._place(row), expected="0 or more", got=str(ids[row])
            )
        return ids


def _split(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Header, fields of the other lines that are not blank, and their line numbers."""
    reader = csv.reader(read_foreign_text(path).splitlines(keepends=True), strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        for fields in reader:
            if fields and any(map(str.strip, fields)):
                lines.append(reader.line_num)
                rows.append(fields)
    except csv.Error as error:
        raise ConversionError(
            "C150",
            "the text is not CSV",
            where=(shown_path(path), f"line {reader.line_num}"),
            expected="fields with commas between them",
            got=str(error),
        ) from error
    if not rows:
        raise ConversionError(
            "C156",
            "the CSV file is empty",
            where=shown_path(path),
            expected=f"a header: {','.join(NEEDED)}",
            got="nothing",
        )
    return rows[0], rows[1:], lines[1:]


def _rows_by_clip(clips: list[str]) -> dict[str, NDArray[np.int64]]:
    """Indices of the rows of each clip, in order."""
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(clip, len(numbers)) for clip in clips], dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(numbers) + 1))
    return {clip: order[bounds[code] : bounds[code + 1]] for clip, code in numbers.items()}


def _header_hint(columns: list[str], missing: list[str], unknown: list[str]) -> str:
    lower = {column.lower() for column in columns}
    if unknown and set(NEEDED) <= lower <= {*NEEDED, *OPTIONAL}:
        return "names of columns are in lower case"
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(columns) == 1 and mark in columns[0]:
            return f"the fields need commas between them, not {name}"
    if set(missing) == set(NEEDED):
        return "the first line must name the columns; AED text, which has no header, is a folder with one file a clip"
    if unknown:
        near = did_you_mean(unknown[0], chain(missing or NEEDED, OPTIONAL))
        return f"{quoted(unknown[0])}: rename or remove the column; {near}"
    return f"missing: {', '.join(missing)}" if missing else "a column comes twice"

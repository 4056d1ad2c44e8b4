"""AED text: a folder with one file a clip, ``CLIP.txt``, one row a box.

Source: the code beside Georgescu et al., TPAMI 2021, which reads ``frame,x_min,y_min,x_max,y_max,score`` with
``np.loadtxt(..., delimiter=",")``, counts frames from 0 and adds 1 to every width: its corners are inclusive.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vadbench.conversion.clip_files import find_clip_files
from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.objects.number_rows import numbers_of_fields, read_foreign_text, whole_numbers
from vadbench.conversion.objects.rows import BoxRows, BoxRules, detections_of
from vadbench.conversion.objects.source import ObjectSource
from vadbench.conversion.shown import shown_path
from vadbench.conversion.source import Timing
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, quoted
from vadbench.prediction import Detections, Prediction

COLUMNS = ("frame", "x1", "y1", "x2", "y2", "score")
"""Fields of a row; without the last one where a constant score is given."""


class AedSource(ObjectSource):
    """Detections in AED text files.

    Parameters
    ----------
    folder : Path
        Holds ``CLIP.txt``; hidden files are left out. An empty file is a clip without a finding.
    rules : BoxRules
        With ``constant_score``, rows have five fields and no score.
    pattern : ClipPattern, optional
        How names of files say the clip.

    Raises
    ------
    UsageError
        U216 if there is no such folder.
    ConversionError
        C102 if it holds no text file, C158 if it holds one a frame.
    """

    missing_clip_hint = "an empty file is a clip without a finding; --missing-clips empty says it of every missing file"

    def __init__(self, folder: Path, rules: BoxRules, pattern: ClipPattern | None = None) -> None:
        super().__init__()
        self._rules = rules
        self._files = _text_files(folder, pattern)
        self.clip_names = tuple(self._files)

    def read(self, name: str, clip: Clip, timing: Timing) -> Prediction:
        """Detections of a clip.

        Raises
        ------
        ConversionError
            C106, C150 … C155 with file and line.
        """
        rows = self._rows(name, clip)
        self.note_numbers(rows.frames)
        detections, n_cut = detections_of(rows, clip, timing, self._rules)
        self.counts["boxes_cut_at_the_frame"] += n_cut
        return Prediction(detections=detections)

    def empty(self, clip: Clip) -> Prediction:
        """What a clip without a file is, where the caller says that this means "without a finding"."""
        return Prediction(detections=no_detections(self._rules))

    def record(self) -> dict[str, Any]:
        """What provenance says of the conversion, once it is done."""
        return {**self._rules.record(), **self.done()}

    def _rows(self, name: str, clip: Clip) -> BoxRows:
        path = self._files[name]
        lines: list[int] = []
        fields: list[list[str]] = []
        for number, line in enumerate(read_foreign_text(path).splitlines(), start=1):
            # As np.loadtxt does, which the released code reads these files with.
            content = line.split("#", 1)[0]
            if content.strip():
                lines.append(number)
                fields.append(content.split(","))

        def place(row: int) -> tuple[str, ...]:
            return shown_path(path), f"clip {clip.id}", f"line {lines[row]}"

        constant = self._rules.constant_score
        columns = COLUMNS if constant is None else COLUMNS[:-1]
        if constant is not None and fields and len(fields[0]) == len(COLUMNS):
            raise ConversionError(
                "C151",
                "a constant score is given, and the file has scores",
                where=place(0),
                expected=f"{len(columns)} fields: {','.join(columns)}",
                got=f"{len(COLUMNS)} fields",
                hint="leave out --constant-score",
            )
        values = numbers_of_fields(fields, columns, place)
        return BoxRows(
            whole_numbers(values[:, 0], "frame", place),
            values[:, 1:5],
            np.full(len(values), constant) if constant is not None else values[:, 5],
            place,
        )


def no_detections(rules: BoxRules) -> Detections:
    """Detections of a clip without any, in the types of the others."""
    return Detections(np.zeros(0, dtype=np.int64), np.zeros((0, 4), dtype=rules.dtype), np.zeros(0, dtype=rules.dtype))


def _text_files(folder: Path, pattern: ClipPattern | None) -> dict[str, Path]:
    """Files ``*.txt`` by the name of their clip, in natural order; raises as `AedSource` does."""
    found = find_clip_files(folder, (".txt",), pattern, what="text files")
    for name, files in found.items():
        if files.numbers is not None:
            raise ConversionError(
                "C158",
                "AED text has one file for each clip",
                where=(shown_path(folder), f"clip {quoted(name)}"),
                expected="CLIP.txt, such as 01.txt",
                got=f"{len(files.paths)} files, one a frame",
                hint="put the rows of a clip into one file; each begins with the number of its frame",
            )
    return {name: files.paths[0] for name, files in found.items()}

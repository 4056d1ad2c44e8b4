"""The boxes of a clip, from one stage to the next: a table in memory, and the same table as a CSV file.

Source: TAO, section 3.1 (boxes and scores) and Algorithm 1 (labels).
"""

from __future__ import annotations

import csv
import io
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench import DataError
from vadbench.errors import quoted

CORNERS = ("x1", "y1", "x2", "y2")
SCORE, LABEL, PROMPT = "score", "label", "prompt"
NO_LABEL = -1
"""Label of a box that belongs to no object."""


@dataclass(frozen=True)
class BoxTable:
    """Boxes of one clip in order of frame; what later stages say of them is there once they have said it.

    Parameters
    ----------
    frames : (N,) int64
        0-based, not decreasing.
    boxes : (N, 4) float64
        Half-open ``x1, y1, x2, y2`` in pixels, inside the frame, each with an area.
    scores : (N,) float64, optional
        Anomaly score of each box; higher is more anomalous.
    labels : (N,) int64, optional
        Object that the box belongs to, or `NO_LABEL`.
    prompts : (N,) bool, optional
        Whether the box is a prompt of the segmentation.
    attributes : mapping of str to (N,) float64
        Calibrated attributes, of which the score is the sum.

    Raises
    ------
    DataError
        B200 if the columns do not fit each other, frames are not in order, a box has no area, or a score or attribute
        is not a finite number.
    """

    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64] | None = None
    labels: NDArray[np.int64] | None = None
    prompts: NDArray[np.bool_] | None = None
    attributes: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        set_field = object.__setattr__
        set_field(self, "frames", np.asarray(self.frames, dtype=np.int64).reshape(-1))
        set_field(self, "boxes", np.asarray(self.boxes, dtype=np.float64).reshape(-1, 4))
        for name, dtype in (("scores", np.float64), ("labels", np.int64), ("prompts", np.bool_)):
            values = getattr(self, name)
            set_field(self, name, None if values is None else np.asarray(values, dtype=dtype).reshape(-1))
        set_field(self, "attributes", {n: np.asarray(v, dtype=np.float64) for n, v in self.attributes.items()})
        lengths = {name: len(values) for name, values in self._columns()}
        if set(lengths.values()) - {len(self.frames)}:
            raise DataError("B200", "the columns of a table of boxes differ in length", got=str(lengths))
        if (np.diff(self.frames) < 0).any() or (self.frames < 0).any():
            raise DataError("B200", "the boxes of a clip must be in order of frame, 0-based", hint="sort them by frame")
        flat = ~((self.boxes[:, 2:] > self.boxes[:, :2]).all(axis=1) & np.isfinite(self.boxes).all(axis=1))
        if flat.any():
            row = int(np.flatnonzero(flat)[0])
            raise DataError(
                "B200",
                "a box has no area",
                where=f"row {row}, frame {self.frames[row]}",
                expected="x1 < x2 and y1 < y2, half-open",
                got=str(self.boxes[row].tolist()),
            )
        for name, values in (*self.attributes.items(), *(() if self.scores is None else ((SCORE, self.scores),))):
            wrong = np.flatnonzero(~np.isfinite(values))
            if wrong.size:
                row = int(wrong[0])
                raise DataError(
                    "B200",
                    f"the {name} of a box is not a number",
                    where=f"row {row}, frame {self.frames[row]}",
                    expected="a finite number",
                    got=str(values[row]),
                )

    @classmethod
    def empty(cls) -> Self:
        """A table without boxes."""
        return cls(np.empty(0, np.int64), np.empty((0, 4)))

    @classmethod
    def of_frames(cls, boxes: Mapping[int, ArrayLike]) -> Self:
        """Table of the boxes of each frame, (n, 4) by frame number."""
        arrays = {frame: np.asarray(boxes[frame], dtype=np.float64).reshape(-1, 4) for frame in sorted(boxes)}
        if not arrays:
            return cls.empty()
        frames = np.repeat(np.fromiter(arrays, np.int64), [len(array) for array in arrays.values()])
        return cls(frames, np.concatenate(list(arrays.values())))

    def __len__(self) -> int:
        return len(self.frames)

    def rows(self, frame: int) -> slice:
        """Rows of a frame."""
        first, last = np.searchsorted(self.frames, [frame, frame + 1])
        return slice(int(first), int(last))

    def by_frame(self) -> Iterator[tuple[int, slice]]:
        """Yield each frame that has boxes, with its rows."""
        starts = np.flatnonzero(np.diff(self.frames, prepend=-1))
        ends = [*starts[1:], len(self)] if len(self) else []
        for first, last in zip(starts, ends, strict=True):
            yield int(self.frames[first]), slice(int(first), int(last))

    def select(self, rows: ArrayLike) -> Self:
        """Table of some rows only, given as a mask (N,) or as row numbers in order."""
        chosen = np.asarray(rows)
        return replace(
            self,
            frames=self.frames[chosen],
            boxes=self.boxes[chosen],
            scores=None if self.scores is None else self.scores[chosen],
            labels=None if self.labels is None else self.labels[chosen],
            prompts=None if self.prompts is None else self.prompts[chosen],
            attributes={name: values[chosen] for name, values in self.attributes.items()},
        )

    def with_scores(
        self, scores: NDArray[np.float64], attributes: Mapping[str, NDArray[np.float64]] | None = None
    ) -> Self:
        """The same boxes with scores, and the attributes that they are made of."""
        return replace(self, scores=scores, attributes={} if attributes is None else attributes)

    def with_labels(self, labels: NDArray[np.int64], prompts: NDArray[np.bool_]) -> Self:
        """The same boxes with the objects they belong to, and which of them are prompts."""
        return replace(self, labels=labels, prompts=prompts)

    def _columns(self) -> Iterator[tuple[str, NDArray[Any]]]:
        yield "frame", self.frames
        for number, corner in enumerate(CORNERS):
            yield corner, self.boxes[:, number]
        yield from self.attributes.items()
        for name, values in ((SCORE, self.scores), (LABEL, self.labels), (PROMPT, self.prompts)):
            if values is not None:
                yield name, values

    def to_csv(self) -> str:
        """The table as text: a header, then a row a box; numbers are shortest exact decimals, flags 0 and 1."""
        columns = dict(self._columns())
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(map(_shortest, values.tolist()) for values in columns.values()), strict=True))
        return text.getvalue()

    @classmethod
    def from_csv(cls, text: str, where: str) -> Self:
        """Table of a text that `to_csv` has written.

        Raises
        ------
        DataError
            B216 naming the line that is wrong, B200 if the lines do not make a table.
        """
        lines = csv.reader(io.StringIO(text))
        header = next(lines, [])
        if header[:5] != ["frame", *CORNERS] or len(set(header)) < len(header):
            raise DataError(
                "B216",
                "this is no table of boxes",
                where=where,
                expected=f"a first line that begins with frame,{','.join(CORNERS)}, each name once",
                got=quoted(",".join(header)),
            )
        whole = [place for place, name in enumerate(header) if name in {"frame", LABEL, PROMPT}]
        rows = []
        for number, line in enumerate(lines, start=2):
            try:
                values = [float(value) for value in line]
            except ValueError:
                values = []
            is_row = len(values) == len(header) and all(map(math.isfinite, values))
            # Larger ones are whole, but stand for several numbers.
            if not is_row or not all(values[place].is_integer() and abs(values[place]) < 2**53 for place in whole):
                raise DataError(
                    "B216",
                    "a line of a table of boxes is wrong",
                    where=(where, f"line {number}"),
                    expected=f"{len(header)} finite numbers, whole ones for frame, label and prompt",
                    got=quoted(",".join(line)),
                )
            rows.append(values)
        table = np.array(rows, dtype=np.float64).reshape(-1, len(header))
        columns = {name: table[:, number] for number, name in enumerate(header)}
        known = {"frame", *CORNERS, SCORE, LABEL, PROMPT}
        try:
            return cls(
                columns["frame"].astype(np.int64),
                table[:, 1:5],
                columns.get(SCORE),
                None if LABEL not in columns else columns[LABEL].astype(np.int64),
                None if PROMPT not in columns else columns[PROMPT].astype(np.bool_),
                {name: values for name, values in columns.items() if name not in known},
            )
        except DataError as error:
            raise DataError(
                error.code, error.message, where=(where, *error.where), expected=error.expected, got=error.got
            ) from error

    def write(self, path: Path) -> None:
        """Write the table as CSV; the file appears when it is whole."""
        write_whole(path, self.to_csv().encode())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a table that `write` has written; raises `DataError` B200 or B216."""
        try:
            text = path.read_text(encoding="utf-8")
            return cls.from_csv(text, str(path))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(
                "B216",
                "this is no table of boxes that can be read",
                where=str(path),
                got=f"{type(error).__name__}: {error}",
            ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it and rename it, so that a killed run leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # `mkstemp` makes files that nobody else may read.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _shortest(value: float | bool) -> str:
    if isinstance(value, bool) or value == int(value):
        return str(int(value))
    return repr(value)

"""A table of the scores of objects, for masks that bring none."""

from __future__ import annotations

import csv
from pathlib import Path

from vadbench.conversion.objects.number_rows import numbers_of_fields, read_foreign_text, whole_numbers
from vadbench.conversion.shown import shown_path
from vadbench.errors import ConversionError, UsageError, quoted

_HEADERS = (("clip", "object", "score"), ("clip", "frame", "object", "score"))


class ObjectScores:
    """Scores by clip and object, or by clip, frame and object.

    Parameters
    ----------
    path : Path
        CSV with the header ``clip,object,score`` or ``clip,frame,object,score``; clips and frames as the files call
        them.

    Attributes
    ----------
    by_frame : bool
        Whether an object has a score in each frame.

    Raises
    ------
    UsageError
        U216 if there is no such file.
    ConversionError
        C150 … C152 for a file or field that cannot be read, C156 for a wrong header, C170 for an object that comes
        twice.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise UsageError(
                "U216", "the table of scores does not exist", where=shown_path(path), expected="a CSV file"
            )
        self._path = path
        lines = _lines(path)
        header = tuple(field.strip() for field in lines[0][1]) if lines else ()
        if header not in _HEADERS:
            raise ConversionError(
                "C156",
                "the header of the table of scores is wrong",
                where=(shown_path(path), "line 1"),
                expected=" or ".join(",".join(columns) for columns in _HEADERS),
                got=quoted(",".join(header)) if header else "an empty file",
            )
        self.by_frame = "frame" in header

        def place(row: int) -> tuple[str, ...]:
            return shown_path(path), f"line {lines[row + 1][0]}"

        values = numbers_of_fields([fields[1:] for _, fields in lines[1:]], header[1:], place)
        keys = whole_numbers(values[:, :-1].ravel(), "object", lambda index: place(index // (len(header) - 2)))
        names = [fields[0].strip() for _, fields in lines[1:]]
        self._scores: dict[tuple[str | int, ...], float] = {}
        self._used: set[tuple[str | int, ...]] = set()
        for row, (name, key, score) in enumerate(
            zip(names, keys.reshape(len(names), -1).tolist(), values[:, -1].tolist(), strict=True)
        ):
            if (name, *key) in self._scores:
                raise ConversionError(
                    "C170",
                    "an object has two scores",
                    where=place(row),
                    expected="one row for each " + ("clip, frame and object" if self.by_frame else "clip and object"),
                    got=f"clip {quoted(name)}, " + ", ".join(f"{n} {v}" for n, v in zip(header[1:], key, strict=False)),
                )
            self._scores[name, *key] = score

    def score(self, clip: str, frame: int, number: int) -> float:
        """Score of an object in a frame; raises `ConversionError` C170 where the table has none."""
        key = (clip, frame, number) if self.by_frame else (clip, number)
        found = self._scores.get(key)
        if found is None:
            given = f"clip {quoted(clip)}" + (f", frame {frame}" if self.by_frame else "") + f", object {number}"
            known = sorted({str(name) for name, *_ in self._scores})
            hint = "" if clip in known else f"clips of the table: {', '.join(map(quoted, known[:8]))}"
            raise ConversionError(
                "C170",
                "an object of the masks has no score",
                where=shown_path(self._path),
                expected=f"a row for {given}",
                got="none",
                hint=hint or "every object in the images needs a score",
            )
        self._used.add(key)
        return found

    @property
    def n_unused(self) -> int:
        """Number of rows that no object has asked for."""
        return len(self._scores) - len(self._used)


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Number and fields of each line that is not blank."""
    reader = csv.reader(read_foreign_text(path).splitlines(), strict=True)
    try:
        return [(reader.line_num, fields) for fields in reader if fields]
    except csv.Error as error:
        raise ConversionError(
            "C150",
            "the text is not CSV",
            where=(shown_path(path), f"line {reader.line_num}"),
            expected="fields with commas between them",
            got=str(error),
        ) from error

"""Rows of numbers in text, as one array; every error names file and line.

``np.loadtxt`` would read the same, ten times slower, and accept what is no number of the format (``1_000``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.shown import shown_error, shown_path
from vadbench.errors import ConversionError, quoted

LARGEST_TEXT = 512 * 2**20
"""Bytes of the largest file of another format that is read; reading takes about ten times as much memory."""

_MARKS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_LOOKED_AT = 4096

Place = Callable[[int], tuple[str, ...]]
"""Where a row stands, from the outside in, for messages."""


def read_foreign_text(path: Path, where: tuple[str, ...] = ()) -> str:
    """Text of a file, UTF-8 with or without byte-order mark.

    Raises
    ------
    ConversionError
        C150 if the file cannot be read, is larger than `LARGEST_TEXT` or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_TEXT + 1)
        if len(data) > LARGEST_TEXT:
            raise _unreadable(path, where, f"at most {LARGEST_TEXT} bytes", "more", "give it in parts, such as clips")
        # Of other encodings only those with two or four bytes a character have zeros in plain text.
        if data.startswith(_MARKS_OF_UTF_16) or b"\0" in data[:_LOOKED_AT]:
            raise _unreadable(
                path, where, "UTF-8 text", "text of another encoding, such as UTF-16", "save the file as UTF-8"
            )
        return data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        hint = "save the file as UTF-8" if isinstance(error, UnicodeDecodeError) else ""
        raise _unreadable(path, where, "UTF-8 text", shown_error(error, path), hint) from error


def _unreadable(path: Path, where: tuple[str, ...], expected: str, got: str, hint: str = "") -> ConversionError:
    return ConversionError(
        "C150", "a file cannot be read", where=(shown_path(path), *where), expected=expected, got=got, hint=hint
    )


def numbers_of_fields(rows: Sequence[Sequence[str]], columns: Sequence[str], place: Place) -> NDArray[np.float64]:
    """Finite numbers of rows that were split into fields.

    Parameters
    ----------
    rows : sequence of N sequences of str
        Fields, with or without blanks around them.
    columns : sequence of F str
        What each field is.
    place : callable
        Where row n stands.

    Returns
    -------
    (N, F) float64

    Raises
    ------
    ConversionError
        C151 for another number of fields, C152 for a field that is no finite number; the first such row is named.
    """
    if not set(map(len, rows)) <= {len(columns)}:
        row = next(index for index, fields in enumerate(rows) if len(fields) != len(columns))
        raise _wrong_number_of_fields(rows[row], columns, place(row))
    fields = list(chain.from_iterable(rows))
    try:
        values = np.fromiter(map(float, fields), np.float64, len(fields))
    except ValueError:
        values = np.array([_number(field) for field in fields])
    wrong = np.flatnonzero(~np.isfinite(values))
    # Python reads 1_000 and digits of other scripts as numbers; no other program writes or reads them.
    together = "".join(fields)
    strange: list[int] = []
    if "_" in together or not together.isascii():
        strange = [index for index, field in enumerate(fields) if "_" in field or not field.isascii()]
    faults = [*wrong[:1].tolist(), *strange]
    if faults:
        row, column = divmod(min(faults), len(columns))
        raise _not_a_number(columns[column], rows[row][column], place(row), first=row == 0)
    return values.reshape(len(rows), len(columns))


def _number(field: str) -> float:
    try:
        return float(field)
    except ValueError:
        return float("nan")


def _wrong_number_of_fields(fields: Sequence[str], columns: Sequence[str], where: tuple[str, ...]) -> ConversionError:
    text = ",".join(fields)
    hint = ""
    if len(fields) == 1 and len(text.split()) == len(columns):
        hint = "the fields need commas between them, not blanks or tabs"
    elif len(fields) == 1 and len(text.split(";")) == len(columns):
        hint = "the fields need commas between them, not semicolons"
    elif len(fields) == len(columns) + 1 and not fields[-1].strip():
        hint = "the comma at the end of the row is one too many"
    elif len(fields) == len(columns) - 1 and columns[-1] == "score":
        hint = "the score is missing; --constant-score 1.0 gives every box the same one"
    return ConversionError(
        "C151",
        "a row has the wrong number of fields",
        where=where,
        expected=f"{len(columns)} fields: {','.join(columns)}",
        got=f"{len(fields)} in {quoted(text)}",
        hint=hint,
    )


def _not_a_number(column: str, field: str, where: tuple[str, ...], *, first: bool) -> ConversionError:
    hint = ""
    if first and field.strip().replace("_", "").isalpha():
        hint = "files of this format have no header"
    if field.strip().lower().lstrip("+-") in {"nan", "inf", "infinity"}:
        hint = "leave out the row, or give the score that you mean: nothing can stand for it unseen"
    if field.strip().startswith(('"', "'")):
        hint = "numbers stand without quotes"
    if not field.strip():
        hint = "fill the field in every row" + (", or leave the column out" if column == "object" else "")
    return ConversionError(
        "C152",
        f"the field {column} is not a finite number",
        where=where,
        expected="a number such as 12 or 0.75",
        got=quoted(field.strip()),
        hint=hint,
    )


def whole_numbers(values: NDArray[np.float64], column: str, place: Place) -> NDArray[np.int64]:
    """Values (N,) as whole numbers; ``12.0`` is one. Raises `ConversionError` C152 for the first that is none."""
    wrong = np.flatnonzero((values % 1 != 0) | (np.abs(values) >= 2**31))
    if len(wrong):
        row = int(wrong[0])
        raise ConversionError(
            "C152",
            f"the field {column} is not a whole number",
            where=place(row),
            expected="a whole number below 2147483648",
            got=shown_number(values[row]),
        )
    return values.astype(np.int64)


def shown_number(value: Any) -> str:
    """A number as messages and text files show it: the shortest form that reads back as the same float64."""
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)

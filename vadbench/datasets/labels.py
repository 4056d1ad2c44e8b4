"""Frame labels in text: MATLAB ranges as UCSD writes them, and one 0 or 1 a line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Clip
from vadbench.datasets.mismatches import counted
from vadbench.errors import DataError, quoted

_STATEMENT = re.compile(r"TestVideoFile\s*\{\s*(end\s*\+\s*1|\d+)\s*\}\s*\.\s*gt_frame\s*=\s*(\[[^\]]*\]|[\d:\s]+)")
_RANGE = re.compile(r"(\d+)(?:\s*:\s*(\d+))?")


def read_text(path: Path) -> str:
    """Text of a small file; raises `DataError` D206 if it cannot be read or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            "D206", "a text file cannot be read", where=str(path), expected="UTF-8 text", got=str(error)
        ) from error


def parse_matlab_ranges(text: str, where: str = "") -> list[list[tuple[int, int]]]:
    """Read the anomalous ranges of all clips from the text of a UCSD ``.m`` file.

    Parameters
    ----------
    text : str
        Lines such as ``TestVideoFile{end+1}.gt_frame = [5:90, 140:200];``, 1-based and inclusive.
    where : str
        Name of the file, for errors.

    Returns
    -------
    list, one entry a clip, of lists of (start, stop)
        0-based and half-open; an empty list for a clip without anomalous frames (``[]``).

    Raises
    ------
    DataError
        D207 if a statement cannot be read.

    Examples
    --------
    >>> parse_matlab_ranges("TestVideoFile{end+1}.gt_frame = [5:90, 140:200];")
    [[(4, 90), (139, 200)]]
    """
    code = "\n".join(_without_comment(line) for line in text.splitlines())
    statements = list(_STATEMENT.finditer(code))
    if len(statements) != code.count("gt_frame") or not statements:
        raise _bad_ranges(
            where,
            "lines that are not of this form",
            f"{counted(code.count('gt_frame'), 'statements')}, {len(statements)} readable",
        )
    clips = []
    for number, statement in enumerate(statements, start=1):
        index, ranges = statement[1], statement[2].strip("[]")
        if index.isdecimal() and int(index) != number:
            raise _bad_ranges(where, "clips out of order", f"clip {index} in place {number}")
        rest = _RANGE.sub("", ranges).replace(",", "").replace(";", "").strip()
        pairs = [(int(first), int(last or first)) for first, last in _RANGE.findall(ranges)]
        if rest or any(first < 1 or last < first for first, last in pairs):
            raise _bad_ranges(where, f"an invalid range for clip {number}", quoted(statement[0]))
        clips.append([(first - 1, last) for first, last in pairs])
    return clips


def _bad_ranges(where: str, what: str, got: str) -> DataError:
    return DataError(
        "D207",
        f"the label file has {what}",
        where=where,
        expected="TestVideoFile{end+1}.gt_frame = [first:last, ...]; 1-based, inclusive, one statement a clip",
        got=got,
        hint="use the label file of the original archive",
    )


def read_matlab_text(path: Path) -> str:
    """Text of a ``.m`` file, whose comments may be in any encoding; raises `DataError` D206.

    MATLAB wrote comments in the encoding of the author's system for years; statements are ASCII in all of them.
    """
    try:
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("ascii", errors="replace")
    except OSError as error:
        raise DataError("D206", "a text file cannot be read", where=str(path), got=str(error)) from error
    for number, line in enumerate(text.splitlines(), start=1):
        if not _without_comment(line).isascii():
            raise DataError(
                "D206",
                "a label file holds letters that are no MATLAB",
                where=(str(path), f"line {number}"),
                expected="ASCII; other letters in comments only",
                got=quoted(line),
                hint="use the label file of the original archive",
            )
    return text


def _without_comment(line: str) -> str:
    return line.split("%", 1)[0]


@dataclass(frozen=True)
class MatlabRanges:
    """Labels of one clip in a UCSD ``.m`` file.

    Parameters
    ----------
    path : Path
    position, clips : int
        Place of the clip among all clips in order of id, and how many there are.
    """

    path: Path
    position: int
    clips: int

    def paths(self) -> tuple[Path, ...]:
        """The label file."""
        return (self.path,)

    def labels(self, clip: Clip) -> NDArray[np.bool_]:
        """Labels (T,) bool; raises `DataError` D207 or D208."""
        everyone = parse_matlab_ranges(read_matlab_text(self.path), str(self.path))
        if len(everyone) != self.clips:
            raise DataError(
                "D208",
                "the label file has another number of clips",
                where=str(self.path),
                expected=counted(self.clips, "statements"),
                got=counted(len(everyone), "statements"),
                hint="use the label file of the original archive",
            )
        labels = np.zeros(clip.frames, dtype=np.bool_)
        for start, stop in everyone[self.position]:
            if stop > clip.frames:
                raise DataError(
                    "D208",
                    "a labelled range ends after the clip",
                    where=(str(self.path), f"clip {clip.id}"),
                    expected=f"frames 1 to {clip.frames}",
                    got=f"{start + 1}:{stop}",
                )
            labels[start:stop] = True
        return labels


@dataclass(frozen=True)
class TextLabels:
    """Labels of one clip in a text file, one 0 or 1 a line."""

    path: Path

    def paths(self) -> tuple[Path, ...]:
        """The label file."""
        return (self.path,)

    def labels(self, clip: Clip) -> NDArray[np.bool_]:
        """Labels (T,) bool; raises `DataError` D207 or D208."""
        lines = [line.strip() for line in read_text(self.path).rstrip().splitlines()]
        for number, line in enumerate(lines, start=1):
            if line not in {"0", "1"}:
                raise DataError(
                    "D207",
                    "a label is neither 0 nor 1",
                    where=(str(self.path), f"line {number}"),
                    expected="0 (normal) or 1 (anomalous)",
                    got=quoted(line),
                )
        if len(lines) != clip.frames:
            raise DataError(
                "D208",
                "the number of labels is not the number of frames",
                where=(str(self.path), f"clip {clip.id}"),
                expected=counted(clip.frames, "lines"),
                got=counted(len(lines), "lines"),
                hint="every frame needs a line, in order",
            )
        return np.array([line == "1" for line in lines], dtype=np.bool_)

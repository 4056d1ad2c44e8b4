"""Every way in which a submission can be wrong: one code, one meaning, one title.

Source: submission.md; style.md, "Errors".
"""

from __future__ import annotations

from collections.abc import Sequence

from vadbench.errors import SubmissionError

TITLES = {
    "S100": "the submission has several problems",
    "S101": "there is no submission here",
    "S102": "the submission is for another data set",
    "S103": "the clips are not those of the data set",
    "S104": "frame count differs",
    "S105": "frame size differs",
    "S106": "the kinds of prediction differ from the list `predictions`",
    "S107": "a kind of prediction has another dtype than in the other clips",
    "S108": "object ids are given in some clips only",
    "S109": "the submission names a data set that does not exist",
    "S110": "the text of a file cannot be read",
    "S111": "submission.toml is not TOML",
    "S112": "submission.toml does not follow the format",
    "S113": "provenance.json does not follow the format",
    "S120": "a name does not belong into a submission",
    "S121": "a submission holds a link or a special file",
    "S122": "the zip is not a plain stored archive",
    "S123": "a file is larger than the format allows",
    "S124": "a file of the submission cannot be read",
    "S125": "access to the submission is refused",
    "S126": "there is nothing at the URL",
    "S127": "the submission cannot be reached",
    "S128": "the server does not give parts of a file",
    "S130": "a zarr.json is not valid JSON",
    "S131": "a zarr.json holds what the format does not allow",
    "S132": "an array has the wrong dtype or shape",
    "S133": "a chunk is not stored",
    "S134": "a chunk is damaged",
    "S135": "an array or group is missing",
    "S136": "an array is too large to be read at once",
    "S140": "a score is not finite",
    "S141": "the frames of the rows are not in order or outside the clip",
    "S142": "a box is outside the frame or has no area",
    "S143": "the run lengths of a mask are wrong",
    "S144": "an object id is out of range",
    "S145": "the arrays of a kind have different lengths",
}
"""Title of each code; the table of errors in the documentation is made from it."""


def problem(
    code: str, *, where: str | Sequence[str] = (), expected: str = "", got: str = "", hint: str = ""
) -> SubmissionError:
    """Error of that code under its title.

    >>> print(problem("S104", where=("m.zip", "clip 04"), expected="180 frames", got="165 frames"))
    error[S104] frame count differs
      where     m.zip · clip 04
      expected  180 frames
      got       165 frames
    """
    return SubmissionError(code, TITLES[code], where=where, expected=expected, got=got, hint=hint)

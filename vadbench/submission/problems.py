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
    "S129": "a file changed while it was read",
    "S130": "a zarr.json is not valid JSON",
    "S131": "a zarr.json holds what the format does not allow",
    "S132": "an array has the wrong dtype or shape",
    "S133": "a chunk is not stored",
    "S134": "a chunk is damaged",
    "S135": "an array or group is missing",
    "S136": "an array is too large to be read at once",
    "S137": "the arrays of the submission are larger together than the format allows",
    "S140": "a score is not finite",
    "S141": "the frames of the rows are not in order or outside the clip",
    "S142": "a box is outside the frame or has no area",
    "S143": "the run lengths of a mask are wrong",
    "S144": "an object id is out of range",
    "S145": "the arrays of a kind have different lengths",
    "S150": "every score of a clip is the same",
    "S151": "a detection comes twice in a frame",
    "S152": "the declared threshold does not fit the stored scores",
    "S153": "declared pre-training without a source",
    "S154": "the declared threshold was chosen on the test set",
    "S155": "predictions are there exactly on the frames labelled anomalous",
    "S156": "the scores seem to be normalised clip by clip",
    "S157": "the stored scores do not fit the declared or usual range",
    "S158": "the ids of objects are not consistent over time",
    "S160": "a kind of prediction is empty in every clip",
    "S161": "what is said of the training contradicts itself",
    "S162": "the boxes seem to be fractions of the frame",
    "S163": "the run lengths seem to go row by row",
    "S170": "the check ran out of memory",
    "S171": "the check took too long",
    "S172": "the check ended without a result",
    "S180": "there is no entry here",
    "S181": "a name does not belong into an entry",
    "S182": "the folder of an entry is not named after it",
    "S183": "a report cannot be read",
    "S184": "a report contradicts itself",
    "S185": "a report is of another protocol",
    "S186": "a report is of other data than the published ones",
    "S187": "the truth that a report was made with cannot be recognised",
    "S188": "a value of a report is out of range",
    "S189": "report and submission.toml differ",
    "S190": "nobody else can score the entry again",
    "S191": "the file is not the one that was declared",
    "S192": "a download is larger or slower than allowed",
    "S193": "an address is not fetched",
    "S194": "the predictions are not those of the report",
    "S195": "a verification does not go with what is sent",
    "S196": "two entries claim the same row",
    "S197": "the branch changes more than one of entries may",
    "S198": "statistics beside a report cannot be read",
    "S199": "statistics are not those of the report beside them",
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

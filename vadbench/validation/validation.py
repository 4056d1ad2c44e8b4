"""The result of a check as a value: JSON ``vadbench.validation/1``, strict and bounded whatever the submission holds.

Source: style.md, "Errors".
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vadbench.datasets.findings import Severity
from vadbench.errors import VadbenchError

LARGEST_JSON = 4 * 2**20
"""Bytes that no result reaches (`findings` bounds what goes in)."""

LONGEST_NAME = 500
"""Characters of a submission's path or URL that are kept."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Group(_Part):
    """Equal findings: the same mistake in some places."""

    code: Annotated[str, Field(pattern=r"^[BCDMPSU][0-9]{3}$")] = Field(description="stable code, as in docs/errors.md")
    severity: Literal[Severity.ERROR, Severity.WARNING] = Field(description="a warning never changes the exit code")
    message: str = Field(description="what is true")
    count: int = Field(ge=1, description="how many places: rows, pixels, chunks, files or clips")
    n_clips: int = Field(default=0, ge=0, description="how many clips these places are in; 0: in none")
    clips: tuple[str, ...] = Field(default=(), description="ids of the first of these clips")
    where: tuple[str, ...] = Field(default=(), description="the first places, each from the outside in")
    expected: str = Field(default="", description="what belongs there; of the first place")
    got: str = Field(default="", description="what is there; of the first place")
    hint: str = Field(default="", description="what to do")


class Check(_Part):
    """One thing that is looked at, or the reason why it was not."""

    name: str
    made: bool
    remark: str = Field(default="", description="against what it was checked; why it was not")


class Validation(_Part):
    """Everything that a check of a submission found.

    Attributes
    ----------
    submission : str
        How messages call it: path, or URL without credentials.
    dataset : str or None
        Id that the submission names, as far as it can be read.
    fingerprint : str or None
        Of the submission, 64 hex digits; only where everything was read and no error was found.
    checks : tuple of Check
    groups : tuple of Group
        Errors first.
    n_errors, n_warnings : int
        Groups of each severity, those included that are left out of ``groups`` because there are too many.

    Examples
    --------
    ::

        validation = validate("out/my-method")
        if validation.exit_code:
            print(validation.groups[0].hint)
    """

    format: Literal["vadbench.validation/1"] = "vadbench.validation/1"
    submission: str
    dataset: str | None = None
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="of the submission; only where everything was read and no error was found"
    )
    checks: tuple[Check, ...] = Field(default=(), description="what was looked at, and what was not and why")
    groups: tuple[Group, ...] = Field(default=(), description="what was found, errors first")
    n_errors: int = Field(default=0, ge=0, description="groups of errors, those left out included")
    n_warnings: int = Field(default=0, ge=0, description="groups of warnings, those left out included")

    @property
    def exit_code(self) -> int:
        """0 without an error, else 1."""
        return 1 if self.n_errors else 0

    def to_json(self) -> str:
        """JSON text in ASCII with a line feed at its end; control characters are escaped, no NaN or Infinity."""
        import json

        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=True, allow_nan=False) + "\n"

    @classmethod
    def of_error(cls, submission: str, error: VadbenchError, *, dataset: str | None = None) -> Validation:
        """Result of a check that could not even begin, or did not end: that one error."""
        from vadbench.validation.findings import Findings, plain

        findings = Findings()
        findings.add(error)
        return cls(submission=plain(submission, LONGEST_NAME), dataset=dataset, groups=findings.groups(), n_errors=1)

"""What ``submission.toml`` and ``provenance.json`` may say.

Source: submission.md, "submission.toml".
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from vadbench.errors import did_you_mean, quoted
from vadbench.prediction import PredictionKind
from vadbench.submission.checked_json import parse_json
from vadbench.submission.problems import problem
from vadbench.submission.toml_text import LARGEST_TOML, parse_toml, write_toml

FORMAT = "vadbench.submission/1"
LARGEST_PROVENANCE = 64 * 2**10
PROVENANCE_LEVELS = 5
_SHORT, _LONG = 500, 4_000
_LARGEST_INTEGER = 2**63 - 1
_MOST_LINES = 20
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_URL = re.compile(
    r"https://[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?(:[0-9]{1,5})?"
    r"([/?#][!#-&(-;=?-\[\]-~]*)?"
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Supervision(StrEnum):
    """What a method learned from."""

    ZERO_SHOT = "zero-shot"
    ONE_CLASS = "one-class"
    WEAKLY_SUPERVISED = "weakly-supervised"
    FINE_TUNED = "fine-tuned"
    SUPERVISED = "supervised"


class ThresholdChoice(StrEnum):
    """Which data the declared threshold was chosen on."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"
    NONE = "none"


def text_fault(text: str, *, longest: int = _SHORT, line_breaks: bool = False) -> str | None:
    """What is wrong with a string of a submission, in words; None if nothing is."""
    if len(text) > longest:
        return f"{len(text)} characters; at most {longest} are allowed"
    for character in text:
        category = unicodedata.category(character)
        if (category == "Cc" and not (line_breaks and character in "\n\t")) or category == "Cs":
            return f"the control character U+{ord(character):04X}"
        if character in _BIDIRECTIONAL:
            return f"the bidirectional control U+{ord(character):04X}"
    if not any(unicodedata.category(c)[0] in "LNPS" and c not in _INVISIBLE_LETTERS for c in text):
        return "no visible character"
    return None


def _fault(words: str) -> PydanticCustomError:
    return PydanticCustomError("vadbench", "{words}", {"words": words})


def _checked_text(text: str) -> str:
    if fault := text_fault(text):
        raise _fault(fault)
    return text


def _checked_long_text(text: str) -> str:
    if fault := text_fault(text, longest=_LONG, line_breaks=True):
        raise _fault(fault)
    return text


def _checked_url(text: str) -> str:
    if len(text) > _SHORT or not _URL.fullmatch(text):
        raise _fault("not such a URL")
    return text


def _checked_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise _fault("not an id")
    return text


def _without_repeats(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for value in values:
        if values.count(value) > 1:
            raise _fault(f"{_shown(value)} comes twice")
    return values


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _checked_number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _fault("not a number")
    if isinstance(value, int) and not -_LARGEST_INTEGER - 1 <= value <= _LARGEST_INTEGER:
        raise _fault("beyond 64 bits")
    if not math.isfinite(value):
        raise _fault("not finite")
    return value


Text = Annotated[str, AfterValidator(_checked_text)]
LongText = Annotated[str, AfterValidator(_checked_long_text)]
Url = Annotated[str, AfterValidator(_checked_url)]
Number = Annotated[int | float, PlainValidator(_checked_number)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_tuple), AfterValidator(_without_repeats)]
Kinds = Annotated[
    tuple[Annotated[PredictionKind, Field(strict=False)], ...],
    BeforeValidator(_as_tuple),
    AfterValidator(_without_repeats),
    Field(min_length=1),
]

_TEXT = "a string of at most 500 characters, some visible, no control characters"
_LONG_TEXT = "a string of at most 4000 characters, some visible, no control characters but line feed and tab"
_URL_TEXT = "https://, a host, and a path in printable ASCII, at most 500 characters"
_TEXTS = "a list of such strings, none twice; [] for none"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Method(_Table):
    """Table ``[method]``: who made the predictions, and with what."""

    name: Text = Field(description=_TEXT)
    version: Text | None = Field(None, description=_TEXT)
    authors: Texts = Field(description=_TEXTS)
    year: int = Field(ge=1990, le=2100, description="a whole number from 1990 to 2100")
    paper: Url | None = Field(None, description=_URL_TEXT)
    code: Url | None = Field(None, description=_URL_TEXT)
    bibtex: LongText | None = Field(None, description=_LONG_TEXT)
    description: LongText | None = Field(None, description=_LONG_TEXT)
    frames_per_second: Number | None = Field(None, gt=0, description="a finite number above 0")
    hardware: Text | None = Field(None, description=_TEXT)

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if self.paper is None and self.code is None:
            raise _fault("neither paper nor code is given; one is needed")
        if (self.frames_per_second is None) != (self.hardware is None):
            raise _fault("frames_per_second and hardware belong together: give both or neither")
        return self


class Training(_Table):
    """Table ``[training]``: what the method had seen before."""

    supervision: Annotated[Supervision, Field(strict=False)] = Field(description=f"one of {', '.join(Supervision)}")
    data: Texts = Field(description=_TEXTS)
    pretrained: Texts = Field(description=_TEXTS)
    threshold_chosen_on: Annotated[ThresholdChoice, Field(strict=False)] = Field(
        description=f"one of {', '.join(ThresholdChoice)}"
    )


class MapScale(_Table):
    """Table ``[score_maps]``: the declared threshold, and what the stored numbers stand for."""

    threshold: Number | None = Field(None, description="a finite number, in stored units")
    lower: Number | None = Field(None, description="a finite number")
    upper: Number | None = Field(None, description="a finite number")

    @model_validator(mode="after")
    def _check_pair(self) -> Self:
        if (self.lower is None) != (self.upper is None):
            raise _fault("lower and upper belong together: give both or neither")
        return self


class Files(_Table):
    """Table ``[files]``: where the predictions can be had."""

    url: Url = Field(description=_URL_TEXT)
    sha256: str = Field(pattern=r"^[0-9a-fA-F]{64}\z", description="64 hex digits")


class Metadata(_Table):
    """All of ``submission.toml``.

    Attributes
    ----------
    dataset : str
        Id of the data set.
    predictions : tuple of PredictionKind
        The kinds that every clip holds.
    method, training, score_maps, files
        The tables of the same name; the last two may be None.
    """

    format: Literal["vadbench.submission/1"] = Field(description=f'"{FORMAT}"')
    dataset: Annotated[str, AfterValidator(_checked_id)] = Field(
        description="the id of a data set: letters, digits, dot, dash and underscore"
    )
    predictions: Kinds = Field(description=f"a list of at least one of {', '.join(PredictionKind)}, none twice")
    method: Method = Field(description="a table")
    training: Training = Field(description="a table")
    score_maps: MapScale | None = Field(None, description="a table")
    files: Files | None = Field(None, description="a table")

    @model_validator(mode="after")
    def _check_threshold(self) -> Self:
        if self.score_maps is not None and PredictionKind.SCORE_MAPS not in self.predictions:
            raise _fault("there is a table score_maps, but predictions does not list score_maps")
        declared = self.score_maps is not None and self.score_maps.threshold is not None
        chosen_on = self.training.threshold_chosen_on
        if declared and chosen_on is ThresholdChoice.NONE:
            raise _fault("there is a threshold: training.threshold_chosen_on must say how it was chosen")
        if not declared and chosen_on is not ThresholdChoice.NONE:
            raise _fault('there is no score_maps.threshold: training.threshold_chosen_on must be "none"')
        return self

    @property
    def threshold(self) -> int | float | None:
        """The declared threshold in stored units, if there is one."""
        return None if self.score_maps is None else self.score_maps.threshold

    def to_toml(self) -> bytes:
        """Text of ``submission.toml``; the same bytes for the same metadata."""
        return write_toml(self.model_dump(mode="json", exclude_none=True))


def read_metadata(data: bytes, where: str | tuple[str, ...]) -> Metadata:
    """Metadata of the bytes of a ``submission.toml``.

    Raises
    ------
    SubmissionError
        S110, S111 if the text cannot be read; S112 with one line for each key that is wrong.
    """
    place = (where,) if isinstance(where, str) else where
    return checked_metadata(parse_toml(data, place), place)


def checked_metadata(table: Mapping[str, Any], where: tuple[str, ...]) -> Metadata:
    """Metadata of a table as TOML gives it; raises `SubmissionError` S112 with one line for each wrong key."""
    try:
        metadata = Metadata.model_validate(dict(table))
    except ValidationError as error:
        lines, hints = [], []
        for fault in error.errors(include_url=False, include_context=False):
            line, hint = _explained(fault["type"], fault["loc"], fault["msg"], fault["input"])
            lines.append(line)
            hints += [hint] if hint else []
        if len(lines) > _MOST_LINES:
            lines[_MOST_LINES:] = [f"and {len(lines) - _MOST_LINES} more"]
        raise problem("S112", where=where, got="\n".join(lines), hint="\n".join(hints[:_MOST_LINES])) from error
    size = len(metadata.to_toml())
    if size > LARGEST_TOML:
        raise problem("S110", where=where, expected=f"at most {LARGEST_TOML} bytes", got=f"{size} bytes")
    return metadata


def _explained(kind: str, location: tuple[int | str, ...], words: str, value: object) -> tuple[str, str]:
    """One line about a key, and a hint."""
    names = [part for part in location if isinstance(part, str)]
    table: type[BaseModel] = Metadata
    field = None
    path: list[str] = []
    for name in names:
        field = table.model_fields.get(name)
        if field is None:
            if kind == "extra_forbidden":
                path.append(name)
            break
        path.append(name)
        table = _TABLES.get(name, table) if table is Metadata else table
    key = ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", part) else quoted(part) for part in path)
    if kind == "extra_forbidden":
        return f"{key}: unknown key", f"{key}: {did_you_mean(path[-1], table.model_fields)}"
    expected = field.description if field is not None and field.description else "a table of the format"
    if kind == "missing":
        return f"{key}: missing; expected {expected}", ""
    if field is None or (kind == "vadbench" and isinstance(value, Mapping)) or isinstance(value, BaseModel):
        return f"{key}: {words}" if key else words, ""
    said = f" ({words})" if kind == "vadbench" else ""
    return f"{key}: expected {expected}; got {_shown(value)}{said}", ""


_TABLES: dict[str, type[BaseModel]] = {
    "method": Method,
    "training": Training,
    "score_maps": MapScale,
    "files": Files,
}


def _shown(value: object) -> str:
    try:
        return quoted(value) if isinstance(value, str) else quoted(repr(value)).strip('"')
    except ValueError:  # Python does not print whole numbers of thousands of digits
        return "a number of thousands of digits"


def check_provenance(data: bytes, where: tuple[str, ...]) -> dict[str, Any]:
    """Content of a ``provenance.json``.

    Raises
    ------
    SubmissionError
        S123 if it is larger than 64 KiB, S113 if it is not as the format says.
    """
    if len(data) > LARGEST_PROVENANCE:
        raise problem("S123", where=where, expected=f"at most {LARGEST_PROVENANCE} bytes", got=f"{len(data)} bytes")
    try:
        content = parse_json(data, levels=PROVENANCE_LEVELS)
        if not isinstance(content, dict):
            raise ValueError("not an object")
        _check_strings(content)
    except ValueError as error:
        raise problem("S113", where=where, got=str(error)) from error
    return content


def _check_strings(value: Any) -> None:
    if isinstance(value, str):
        if fault := text_fault(value):
            raise ValueError(f"{fault}, in {quoted(value)}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_strings(key)
            _check_strings(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_strings(inner)

"""What ``submission.toml`` and ``provenance.json`` may say.

Source: submission.md, "submission.toml".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from vadbench.errors import SubmissionError, did_you_mean, nearest_name, quoted
from vadbench.prediction import PredictionKind
from vadbench.submission.checked_json import parse_json
from vadbench.submission.faults import Fault, raise_first
from vadbench.submission.metadata_values import (
    ID,
    LONG_TEXT_WORDS,
    TEXT_WORDS,
    TEXTS_WORDS,
    URL_WORDS,
    Kinds,
    LongText,
    Number,
    Text,
    Texts,
    Url,
    above_zero,
    checked_id,
    shown_value,
    text_fault,
    value_fault,
)
from vadbench.submission.problems import problem
from vadbench.submission.toml_text import LARGEST_TOML, parse_toml, write_toml

FORMAT = "vadbench.submission/1"
LARGEST_PROVENANCE = 64 * 2**10
PROVENANCE_LEVELS = 5
_MOST_LINES = 20


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


def method_rules(table: Mapping[str, Any]) -> Iterator[str]:
    """Broken rules between the keys of ``[method]``, in words."""
    if table.get("paper") is None and table.get("code") is None:
        yield "neither paper nor code is given; one is needed"
    if (table.get("frames_per_second") is None) != (table.get("hardware") is None):
        yield "frames_per_second and hardware belong together: give both or neither"


def map_scale_rules(table: Mapping[str, Any]) -> Iterator[str]:
    """Broken rules between the keys of ``[score_maps]``, in words."""
    if (table.get("lower") is None) != (table.get("upper") is None):
        yield "lower and upper belong together: give both or neither"


def rules_between_tables(table: Mapping[str, Any]) -> Iterator[str]:
    """Broken rules between the tables, in words; says nothing of keys that are wrong themselves."""
    scale, training, kinds = table.get("score_maps"), table.get("training"), table.get("predictions")
    has_scale = isinstance(scale, Mapping)
    listed = kinds if isinstance(kinds, list | tuple) and all(kind in list(PredictionKind) for kind in kinds) else ()
    if has_scale and listed and PredictionKind.SCORE_MAPS not in listed:
        yield "there is a table score_maps, but predictions does not list score_maps"
    chosen_on = training.get("threshold_chosen_on") if isinstance(training, Mapping) else None
    if not isinstance(chosen_on, str) or chosen_on not in list(ThresholdChoice):
        return
    declared = isinstance(scale, Mapping) and scale.get("threshold") is not None
    if declared and chosen_on == ThresholdChoice.NONE:
        yield "there is a threshold: training.threshold_chosen_on must say how it was chosen"
    if not declared and chosen_on != ThresholdChoice.NONE:
        yield 'there is no score_maps.threshold: training.threshold_chosen_on must be "none"'


class _Table(BaseModel):
    # Docstrings are written for the documentation; the schema has descriptions of its own.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Method(_Table):
    """Table ``[method]``: who made the predictions, and with what."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": ["paper"]}, {"required": ["code"]}],
            "dependentRequired": {"frames_per_second": ["hardware"], "hardware": ["frames_per_second"]},
        }
    )

    name: Text = Field(description=TEXT_WORDS)
    version: Text | None = Field(None, description=TEXT_WORDS)
    authors: Texts = Field(description=TEXTS_WORDS)
    year: int = Field(ge=1990, le=2100, description="a whole number from 1990 to 2100")
    paper: Url | None = Field(None, description=URL_WORDS)
    code: Url | None = Field(None, description=URL_WORDS)
    bibtex: LongText | None = Field(None, description=LONG_TEXT_WORDS)
    description: LongText | None = Field(None, description=LONG_TEXT_WORDS)
    frames_per_second: Number | None = Field(
        None, gt=0, description="a finite number above 0", json_schema_extra=above_zero
    )
    hardware: Text | None = Field(None, description=TEXT_WORDS)

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        for words in method_rules(vars(self)):
            raise value_fault(words)
        return self


class Training(_Table):
    """Table ``[training]``: what the method had seen before."""

    supervision: Annotated[Supervision, Field(strict=False)] = Field(description=f"one of {', '.join(Supervision)}")
    data: Texts = Field(description=TEXTS_WORDS)
    pretrained: Texts = Field(description=TEXTS_WORDS)
    threshold_chosen_on: Annotated[ThresholdChoice, Field(strict=False)] = Field(
        description=f"one of {', '.join(ThresholdChoice)}"
    )


class MapScale(_Table):
    """Table ``[score_maps]``: the declared threshold, and what the stored numbers stand for."""

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"lower": ["upper"], "upper": ["lower"]}},
    )

    threshold: Number | None = Field(None, description="a finite number, in stored units")
    lower: Number | None = Field(None, description="a finite number")
    upper: Number | None = Field(None, description="a finite number")

    @model_validator(mode="after")
    def _check_pair(self) -> Self:
        for words in map_scale_rules(vars(self)):
            raise value_fault(words)
        return self


class Files(_Table):
    """Table ``[files]``: where the predictions can be had."""

    url: Url = Field(description=URL_WORDS)
    sha256: str = Field(
        pattern=r"^[0-9a-fA-F]{64}\z", description="64 hex digits", json_schema_extra={"pattern": "^[0-9a-fA-F]{64}$"}
    )


_HAS_THRESHOLD: dict[str, Any] = {
    "required": ["score_maps"],
    "properties": {
        "score_maps": {"type": "object", "required": ["threshold"], "properties": {"threshold": {"type": "number"}}}
    },
}
_CHOSEN_ON_NOTHING = {"properties": {"training": {"properties": {"threshold_chosen_on": {"const": "none"}}}}}
_CHOSEN_ON_SOMETHING = {"properties": {"training": {"properties": {"threshold_chosen_on": {"not": {"const": "none"}}}}}}
_RULES_BETWEEN_TABLES: list[Any] = [
    {"if": _HAS_THRESHOLD, "then": _CHOSEN_ON_SOMETHING, "else": _CHOSEN_ON_NOTHING},
    {
        "if": {"required": ["score_maps"], "properties": {"score_maps": {"type": "object"}}},
        "then": {"properties": {"predictions": {"contains": {"const": "score_maps"}}}},
    },
]
"""What `Metadata` checks between its tables, as JSON Schema says it."""


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

    model_config = ConfigDict(json_schema_extra={"allOf": _RULES_BETWEEN_TABLES})

    format: Literal["vadbench.submission/1"] = Field(description=f'"{FORMAT}"')
    dataset: Annotated[str, AfterValidator(checked_id)] = Field(
        description="the id of a data set: letters, digits, dot, dash and underscore",
        json_schema_extra={"pattern": f"^{ID.pattern}$"},
    )
    predictions: Kinds = Field(description=f"a list of at least one of {', '.join(PredictionKind)}, none twice")
    method: Method = Field(description="a table")
    training: Training = Field(description="a table")
    score_maps: MapScale | None = Field(None, description="a table")
    files: Files | None = Field(None, description="a table")

    @model_validator(mode="after")
    def _check_threshold(self) -> Self:
        for words in rules_between_tables(self.model_dump(mode="json")):
            raise value_fault(words)
        return self

    @property
    def threshold(self) -> int | float | None:
        """The declared threshold in stored units, if there is one."""
        return None if self.score_maps is None else self.score_maps.threshold

    def to_toml(self) -> bytes:
        """Text of ``submission.toml``; the same bytes for the same metadata."""
        return write_toml(self.model_dump(mode="json", exclude_none=True))


@dataclass(frozen=True)
class MetadataScan:
    """What a ``submission.toml`` says, its mistakes included.

    Attributes
    ----------
    metadata : Metadata or None
        None where anything is wrong.
    table : mapping
        What stands in the file; empty where it is not TOML.
    faults : tuple of Fault
    """

    metadata: Metadata | None
    table: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def dataset(self) -> str | None:
        """Id of the data set, where it is one."""
        name = self.table.get("dataset")
        return name if isinstance(name, str) and ID.fullmatch(name) else None

    @property
    def predictions(self) -> tuple[PredictionKind, ...] | None:
        """Kinds that are listed, in the order of the format; None where the list is wrong."""
        listed = self.table.get("predictions")
        if not isinstance(listed, list) or not listed or any(name not in list(PredictionKind) for name in listed):
            return None
        return tuple(kind for kind in PredictionKind if kind in listed)

    @property
    def training(self) -> Training | None:
        """Table ``[training]``, where it is right."""
        return _valid(Training, self.table.get("training"))

    @property
    def score_maps(self) -> MapScale | None:
        """Table ``[score_maps]``, where it is there and right."""
        return _valid(MapScale, self.table.get("score_maps"))


_SomeTable = TypeVar("_SomeTable", bound=BaseModel)


def _valid(kind: type[_SomeTable], table: object) -> _SomeTable | None:
    try:
        return kind.model_validate(table)
    except ValidationError:
        return None


def scan_metadata(data: bytes, where: tuple[str, ...]) -> MetadataScan:
    """Everything that a ``submission.toml`` says, and every mistake; raises nothing about the submission."""
    try:
        table = parse_toml(data, where)
    except SubmissionError as error:
        return MetadataScan(None, {}, (Fault(error),))
    return _scanned(table, where)


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
    scan = _scanned(table, where)
    raise_first(scan.faults)
    if scan.metadata is None:
        raise AssertionError("metadata without a fault are there")
    return scan.metadata


def _scanned(table: Mapping[str, Any], where: tuple[str, ...]) -> MetadataScan:
    try:
        metadata = Metadata.model_validate(dict(table))
    except ValidationError as error:
        lines, hints = [], []
        for fault in error.errors(include_url=False, include_context=False):
            line, hint = _explained(fault["type"], fault["loc"], fault["msg"], fault["input"])
            lines.append(line)
            hints += [hint] if hint else []
        lines = list(dict.fromkeys([*lines, *_broken_rules(table)]))
        n_lines = len(lines)
        if n_lines > _MOST_LINES:
            lines[_MOST_LINES:] = [f"and {n_lines - _MOST_LINES} more"]
        wrong = problem("S112", where=where, got="\n".join(lines), hint="\n".join(hints[:_MOST_LINES]))
        return MetadataScan(None, table, (Fault(wrong, n_lines),))
    size = len(metadata.to_toml())
    if size > LARGEST_TOML:
        long = problem("S110", where=where, expected=f"at most {LARGEST_TOML} bytes", got=f"{size} bytes")
        return MetadataScan(None, table, (Fault(long),))
    return MetadataScan(metadata, table)


def _broken_rules(table: Mapping[str, Any]) -> list[str]:
    """Lines about rules between keys, which pydantic looks at only where each key is right, and one at a time."""
    lines = []
    for name, rules in (("method", method_rules), ("score_maps", map_scale_rules)):
        if isinstance(table.get(name), Mapping):
            lines += [f"{name}: {words}" for words in rules(table[name])]
    return [*lines, *rules_between_tables(table)]


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
    near = nearest_name(value, list(Supervision)) if key == "training.supervision" and isinstance(value, str) else None
    return f"{key}: expected {expected}; got {shown_value(value)}{said}", (
        f"{key}: did you mean {quoted(near)}?" if near else ""
    )


_TABLES: dict[str, type[BaseModel]] = {
    "method": Method,
    "training": Training,
    "score_maps": MapScale,
    "files": Files,
}


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

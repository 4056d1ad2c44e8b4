"""Values that stand in ``submission.toml``: what each may be, in code, in words and as JSON Schema.

Source: submission.md, "submission.toml".
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from vadbench.errors import quoted
from vadbench.inert_text import BIDIRECTIONAL, INVISIBLE_LETTERS
from vadbench.prediction import PredictionKind

_SHORT, _LONG = 500, 4_000
_LARGEST_INTEGER = 2**63 - 1
_URL = re.compile(
    r"https://[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?(:[0-9]{1,5})?"
    r"([/?#][!#-&(-;=?-\[\]-~]*)?"
)
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def text_fault(text: str, *, longest: int = _SHORT, line_breaks: bool = False) -> str | None:
    """What is wrong with a string of a submission, in words; None if nothing is."""
    if len(text) > longest:
        return f"{len(text)} characters; at most {longest} are allowed"
    for character in text:
        category = unicodedata.category(character)
        if (category == "Cc" and not (line_breaks and character in "\n\t")) or category == "Cs":
            return f"the control character U+{ord(character):04X}"
        if character in BIDIRECTIONAL:
            return f"the bidirectional control U+{ord(character):04X}"
    if not any(unicodedata.category(c)[0] in "LNPS" and c not in INVISIBLE_LETTERS for c in text):
        return "no visible character"
    return None


def value_fault(words: str) -> PydanticCustomError:
    """Error of a validator, in our own words."""
    return PydanticCustomError("vadbench", "{words}", {"words": words})


def _checked_text(text: str) -> str:
    if fault := text_fault(text):
        raise value_fault(fault)
    return text


def _checked_long_text(text: str) -> str:
    if fault := text_fault(text, longest=_LONG, line_breaks=True):
        raise value_fault(fault)
    return text


def _checked_url(text: str) -> str:
    if len(text) > _SHORT or not _URL.fullmatch(text):
        raise value_fault("not such a URL")
    return text


def checked_id(text: str) -> str:
    """Id of a data set, as it was given."""
    if not ID.fullmatch(text):
        raise value_fault("not an id")
    return text


def shown_value(value: object) -> str:
    """A value of TOML in a message: in quotes where it is a string, shortened."""
    try:
        return quoted(value) if isinstance(value, str) else quoted(repr(value)).strip('"')
    except ValueError:  # Python does not print whole numbers of thousands of digits
        return "a number of thousands of digits"


def _without_repeats(values: tuple[Any, ...]) -> tuple[Any, ...]:
    seen = set()
    for value in values:
        if value in seen:
            raise value_fault(f"{shown_value(value)} comes twice")
        seen.add(value)
    return values


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _checked_number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise value_fault("not a number")
    if isinstance(value, int) and not -_LARGEST_INTEGER - 1 <= value <= _LARGEST_INTEGER:
        raise value_fault("beyond 64 bits")
    if not math.isfinite(value):
        raise value_fault("not finite")
    return value


def _pattern_of_text(breaks: str = "") -> str:
    """What a JSON Schema can say of a string: no control characters, something visible (a stricter rule is checked)."""
    controls = "".join(f"\\u{ord(sign):04x}" for sign in sorted(BIDIRECTIONAL))
    kept = "\\u0000-\\u0008\\u000b-\\u001f" if breaks else "\\u0000-\\u001f"
    return f"^(?=[\\s\\S]*\\S)[^{kept}\\u007f-\\u009f{controls}]*$"


def above_zero(schema: dict[str, Any]) -> None:
    """Say in a JSON Schema of a number that may be absent that it is above 0."""
    schema["anyOf"][0] = {"type": "number", "exclusiveMinimum": 0}


Text = Annotated[
    str,
    AfterValidator(_checked_text),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _SHORT, "pattern": _pattern_of_text()}),
]
LongText = Annotated[
    str,
    AfterValidator(_checked_long_text),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _LONG, "pattern": _pattern_of_text("breaks")}),
]
Url = Annotated[
    str,
    AfterValidator(_checked_url),
    WithJsonSchema({"type": "string", "format": "uri", "maxLength": _SHORT, "pattern": f"^{_URL.pattern}$"}),
]
Number = Annotated[int | float, PlainValidator(_checked_number), WithJsonSchema({"type": "number"})]
Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(_as_tuple),
    AfterValidator(_without_repeats),
    Field(json_schema_extra={"uniqueItems": True}),
]
Kinds = Annotated[
    tuple[Annotated[PredictionKind, Field(strict=False)], ...],
    BeforeValidator(_as_tuple),
    AfterValidator(_without_repeats),
    Field(min_length=1, json_schema_extra={"minItems": 1, "uniqueItems": True}),
]

TEXT_WORDS = "a string of at most 500 characters, some visible, no control characters"
LONG_TEXT_WORDS = "a string of at most 4000 characters, some visible, no control characters but line feed and tab"
URL_WORDS = "https://, a host, and a path in printable ASCII, at most 500 characters"
TEXTS_WORDS = "a list of strings as in name, none twice; [] for none"

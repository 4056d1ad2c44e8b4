"""Settings from TOML: nested tables become nested frozen dataclasses; a wrong key or value is one clear error."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from vadbench import UsageError
from vadbench.errors import did_you_mean, quoted

Settings = TypeVar("Settings")

_PLAIN_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path"}


def updated(base: Settings, table: Mapping[str, Any], where: tuple[str, ...]) -> Settings:
    """Settings with those that a table names replaced.

    Parameters
    ----------
    base : dataclass instance
        What the table does not name stays; fields that are dataclasses themselves are updated by nested tables.
    table : mapping
        As `tomllib` reads it.
    where : tuple of str
        File and tables, from the outside in, for errors.

    Raises
    ------
    UsageError
        B241 for a key that does not exist, B242 for a value of the wrong type, the settings' own for one that is out
        of range; each names file, key and what is allowed.
    """
    hints = get_type_hints(type(base))
    allowed = [field.name for field in fields(base)]  # type: ignore[arg-type]
    changes = {}
    for key, value in table.items():
        if key not in allowed:
            raise UsageError(
                "B241",
                f"there is no setting {quoted(key)}",
                where=where,
                hint=did_you_mean(key, allowed),
            )
        inside = (*where, key)
        old = getattr(base, key)
        if is_dataclass(old):
            if not isinstance(value, Mapping):
                raise _wrong(inside, "a table of settings", value)
            changes[key] = updated(old, value, inside)
        else:
            changes[key] = _converted(hints[key], value, inside)
    try:
        return replace(base, **changes)  # type: ignore[type-var]
    except UsageError as error:
        raise _placed(error, where) from error


def _converted(kind: Any, value: Any, where: tuple[str, ...]) -> Any:
    """The value as a field of that type holds it; a whole number is a number, and a list becomes a tuple."""
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        # Only "X or None" is used; TOML has no null, so None stays the default.
        return _converted(next(member for member in get_args(kind) if member is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise _wrong(where, "a list", value)
        return tuple(_converted(get_args(kind)[0], item, where) for item in value)
    if issubclass(kind, StrEnum):
        return _chosen(kind, value, where)
    stored = str if kind is Path else kind
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not stored:
        raise _wrong(where, _PLAIN_NAMES[kind], value)
    return kind(value)


def _chosen(kind: type[StrEnum], value: Any, where: tuple[str, ...]) -> StrEnum:
    names = [str(member) for member in kind]
    if value not in names:
        raise UsageError(
            "B242",
            "a setting has a value that is none of those allowed",
            where=where,
            got=quoted(value),
            hint=did_you_mean(str(value), names),
        )
    return kind(value)


def _wrong(where: tuple[str, ...], expected: str, value: object) -> UsageError:
    return UsageError(
        "B242", "a setting has a value of the wrong type", where=where, expected=expected, got=quoted(value)
    )


def _placed(error: UsageError, where: tuple[str, ...]) -> UsageError:
    return UsageError(
        error.code,
        error.message,
        where=(*where, *error.where),
        expected=error.expected,
        got=error.got,
        hint=error.hint,
    )

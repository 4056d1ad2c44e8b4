"""Settings as a preset: TOML that `load_preset` reads back."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from baselines.tao.settings import TaoSettings


def preset_text(settings: TaoSettings, comment: Sequence[str], named: Collection[str]) -> str:
    """Text of a preset.

    Parameters
    ----------
    settings : TaoSettings
    comment : sequence of str
        Lines to stand before everything.
    named : collection of str
        Settings, by their dotted names, that are written even where they are the defaults of `TaoSettings`; others
        are written where they differ.

    Notes
    -----
    Paths are left out: they mean nothing elsewhere, and are said on the command line.
    """
    lines = [f"# {line}".rstrip() for line in comment]
    for table, values in _tables(settings, TaoSettings(), "", frozenset(named)):
        lines += ["", f"[{table}]"] if table else []
        lines += [f"{name} = {_toml(value)}" for name, value in values]
    return "\n".join(lines) + "\n"


def _tables(settings: Any, plain: Any, table: str, named: frozenset[str]) -> list[tuple[str, list[tuple[str, Any]]]]:
    values, inner = [], []
    for field in fields(settings):
        value, default = getattr(settings, field.name), getattr(plain, field.name)
        name = f"{table}.{field.name}".lstrip(".")
        if is_dataclass(value):
            inner += _tables(value, default, name, named)
        elif not isinstance(value, Path) and value is not None and (value != default or name in named):
            values.append((field.name, value))
    return ([(table, values)] if values else []) + inner


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    # A JSON string is a TOML string, but for a character that TOML wants escaped.
    return json.dumps(str(value)).replace("\x7f", "\\u007f") if isinstance(value, str) else repr(value)

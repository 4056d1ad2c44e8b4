"""``vadbench schema``: the JSON Schema of what is written and read here.

Source: architecture, "A report"; submission.md, "submission.toml".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from vadbench.command_line import CommandParser

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _submission() -> dict[str, Any]:
    from vadbench.submission.schema import Metadata

    return Metadata.model_json_schema()


def _report() -> dict[str, Any]:
    from vadbench.evaluation.report import Report

    return Report.model_json_schema()


def _statistics() -> dict[str, Any]:
    from vadbench.evaluation.statistics_file import StatisticsFile

    return StatisticsFile.model_json_schema()


def _validation() -> dict[str, Any]:
    from vadbench.validation import Validation

    return Validation.model_json_schema()


_FORMATS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "submission": ("the table of a submission.toml", _submission),
    "report": ("a report, as `vadbench score` writes it", _report),
    "statistics": ("statistics beside a report, as `vadbench score --statistics` writes them", _statistics),
    "validation": ("what `vadbench validate --json` prints", _validation),
}


def json_schema(name: str) -> dict[str, Any]:
    """JSON Schema of a format.

    Parameters
    ----------
    name : str
        ``submission``, ``report``, ``statistics`` or ``validation``.

    Notes
    -----
    A schema says less than the reader checks: what strings look like, and that values belong together, is said in
    words at most. What the schema refuses the reader refuses, too.
    """
    title, make = _FORMATS[name]
    schema = make()
    # A name with a default need not be given to make a value; in a file the format is always said.
    schema["required"] = sorted({*schema.get("required", []), "format"}, key=list(schema["properties"]).index)
    head = {"$schema": DIALECT, "$id": f"urn:vadbench:{name}:1", "title": f"vadbench.{name}/1: {title}"}
    return head | {key: value for key, value in schema.items() if key not in head}


def _parser() -> CommandParser:
    titles = "\n".join(f"  {name:<12}{title}" for name, (title, _) in _FORMATS.items())
    parser = CommandParser(
        "vadbench schema", f"Print the JSON Schema (2020-12) of a format:\n\n{titles}", "vadbench schema submission"
    )
    parser.add_argument("format", choices=list(_FORMATS), metavar="FORMAT", help=", ".join(_FORMATS))
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    print(json.dumps(json_schema(options.format), indent=1, ensure_ascii=False))
    return 0

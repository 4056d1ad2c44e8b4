"""``vadbench protocols``: the presets side by side, and every field in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from vadbench.cli.output import print_paragraph, standard_output
from vadbench.cli.parser import CommandParser
from vadbench.protocol.explanation import EXPLANATIONS
from vadbench.protocol.presets import preset_names, preset_title
from vadbench.protocol.protocol import FIELD_NAMES, Protocol, value_text
from vadbench.tables import plain_table

_FOUR_COLUMNS, _FIVE_COLUMNS = 78, 140


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench protocols",
        "List the presets side by side; with a name, explain what it does field by field.",
        "vadbench protocols tao-release",
    )
    parser.add_argument("protocol", nargs="?", help="preset or variant, such as standard+pixel.fpr_limit=0.05")
    parser.add_argument("--json", action="store_true", help="print the fields and values as JSON")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    chosen = {options.protocol: Protocol.parse(options.protocol)} if options.protocol else {}
    presets = chosen or {name: Protocol.preset(name) for name in preset_names()}
    if options.json:
        values = {name: {key: value_text(value) for key, value in own.values()} for name, own in presets.items()}
        print(json.dumps(values, indent=1))
    elif chosen:
        _explain(chosen[options.protocol])
    else:
        _compare(presets)
    return 0


def _compare(presets: dict[str, Protocol]) -> None:
    console = standard_output()
    for name in presets:
        console.print(f"{name:<12} {preset_title(name)}", markup=False)
    console.print()
    values = {name: dict(own.values()) for name, own in presets.items()}
    if console.width < _FOUR_COLUMNS:
        _print_differences(console, values)
        return
    wide = console.width >= _FIVE_COLUMNS
    table = plain_table()
    for title in ("field", *presets, *(["what it decides"] if wide else [])):
        table.add_column(title, no_wrap=True)
    for field in FIELD_NAMES:
        cells = [value_text(own[field]) for own in values.values()]
        marked = [cells[0], *(f"[bold]{cell}[/]" if cell != cells[0] else cell for cell in cells[1:])]
        table.add_row(field, *marked, *([EXPLANATIONS[field].meaning] if wide else []))
    console.print(table)
    console.print("\nA variant is written preset+field=value, as in: standard+pixel.fpr_limit=0.05", markup=False)
    console.print("`vadbench protocols NAME` explains one in words.", markup=False)


def _print_differences(console: Console, values: dict[str, dict[str, Any]]) -> None:
    """Fields one below the other: the form of a narrow terminal."""
    for field in FIELD_NAMES:
        console.print(field, markup=False)
        for name, own in values.items():
            console.print(f"  {name:<12} {value_text(own[field])}", markup=False)


def _explain(protocol: Protocol) -> None:
    console = standard_output()
    console.print(f"{protocol}\n", markup=False)
    for name, value in protocol.values():
        words = EXPLANATIONS[name]
        allowed = f" ({', '.join(words.does)})" if len(words.does) > 1 else ""
        console.print(f"{name} = {value_text(value)}", markup=False)
        rows = [
            ("decides", words.meaning + allowed),
            ("here", words.phrase(value)),
            ("touches", words.metrics),
            ("effect", words.effect),
        ]
        for title, text in rows:
            print_paragraph(console, text, first=f"  {title:<10}", rest=" " * 12)

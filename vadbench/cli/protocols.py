"""``vadbench protocols``: the presets side by side, and every field in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from vadbench.cli.output import print_paragraph, standard_output
from vadbench.command_line import CommandParser
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
        print_paragraph(console, preset_title(name), first=f"{name:<12} ", rest=" " * 13)
    console.print()
    values = {name: dict(own.values()) for name, own in presets.items()}
    if console.width < _FOUR_COLUMNS:
        _print_differences(console, values)
    else:
        _print_side_by_side(console, values)
    console.print()
    print_paragraph(console, "A variant is written preset+field=value, as in: standard+pixel.fpr_limit=0.05")
    print_paragraph(console, "`vadbench protocols NAME` explains one in words.")


def _print_side_by_side(console: Console, presets: dict[str, dict[str, Any]]) -> None:
    wide = console.width >= _FIVE_COLUMNS
    table = plain_table()
    for title in ("field", *presets, *(["what it decides"] if wide else [])):
        table.add_column(title, no_wrap=True)
    for field in FIELD_NAMES:
        cells = [value_text(own[field]) for own in presets.values()]
        marked = [cells[0], *(f"[bold]{cell}[/]" if cell != cells[0] else cell for cell in cells[1:])]
        table.add_row(field, *marked, *([EXPLANATIONS[field].meaning] if wide else []))
    console.print(table)


def _print_differences(console: Console, values: dict[str, dict[str, Any]]) -> None:
    """Fields one below the other, those that all presets share on a line: the form of a narrow terminal."""
    width = max(map(len, FIELD_NAMES))
    for field in FIELD_NAMES:
        texts = [value_text(own[field]) for own in values.values()]
        if len(set(texts)) == 1:
            console.print(f"{field:<{width}}  {texts[0]}", markup=False)
            continue
        console.print(field, markup=False)
        for name, text in zip(values, texts, strict=True):
            console.print(f"  {name:<12} {text}", markup=False)


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

"""``vadbench diff``: what differs between two scores, and what the difference does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from vadbench.cli.output import print_paragraph, standard_output
from vadbench.command_line import CommandParser
from vadbench.errors import UsageError, quoted
from vadbench.evaluation.report import Report
from vadbench.protocol.explanation import explain_difference
from vadbench.protocol.signature import Signature
from vadbench.protocol.titles import metric_titles
from vadbench.tables import inert_text, percent, plain_table


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench diff",
        "Say in words what differs between two scores, A and B: signatures or reports.",
        "vadbench diff demo/constant.report.json demo/background.report.json",
    )
    parser.add_argument("first", metavar="A", help="a report, or a signature in quotes")
    parser.add_argument("second", metavar="B", help="a report, or a signature in quotes")
    parser.add_argument("--json", action="store_true", help="print the differences as JSON")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    first, second = _read(options.first), _read(options.second)
    signatures = [item if isinstance(item, Signature) else item.parsed_signature for item in (first, second)]
    comparable = signatures[0].comparable(signatures[1])
    lines = explain_difference(*signatures)
    if options.json:
        print(json.dumps({"comparable": comparable, "differences": lines}, indent=1, ensure_ascii=False))
        return 0
    console = standard_output()
    for name, item, signature in zip("AB", (first, second), signatures, strict=True):
        method = inert_text(str(item.submission.get("method", {}).get("name", ""))) if isinstance(item, Report) else ""
        given = options.first if name == "A" else options.second
        if isinstance(item, Report):
            console.print(f"{name}  {given}{f' · {method}' if method else ''}", markup=False, soft_wrap=True)
        console.print(f"{'' if isinstance(item, Report) else name:<2} {signature}", markup=False, soft_wrap=True)
    console.print()
    for line in lines:
        print_paragraph(console, line, first="- ", rest="  ")
    if not lines:
        console.print("The signatures are the same.", markup=False)
    verdict = "may be ranked against each other" if comparable else "must not be ranked against each other"
    console.print(f"\nThe scores {verdict}.", markup=False)
    if isinstance(first, Report) and isinstance(second, Report):
        same = first.submission.get("fingerprint") == second.submission.get("fingerprint")
        console.print(f"The predictions are {'the same' if same else 'not the same'}.\n", markup=False)
        if first.dataset.id == second.dataset.id:
            console.print(_score_differences(first, second))
    return 0


def _read(text: str) -> Signature | Report:
    if text.startswith("vadbench/"):
        return Signature.parse(text)
    if not Path(text).is_file():
        raise UsageError(
            "U141",
            "this is neither a file nor a signature",
            got=quoted(text),
            hint="give the path of a report, or a signature in quotes, since it holds the sign |",
        )
    return Report.read(text)


def _score_differences(first: Report, second: Report) -> Table:
    ours = metric_titles(first.parsed_signature.protocol)
    theirs = metric_titles(second.parsed_signature.protocol)
    table = plain_table()
    for title in ("metric", "A", "B", "B - A"):
        table.add_column(title, justify="left" if title == "metric" else "right")
    for key, title in ours.items():
        if key not in first.scores and key not in second.scores:
            continue
        a, b = first.value(key), second.value(key)
        named = title if title == theirs[key] else f"{title} | {theirs[key]}"
        # Two quantities with different names have no difference worth printing.
        change = f"{100 * (b - a):+.2f}" if a is not None and b is not None and title == theirs[key] else ""
        table.add_row(named, percent(a), percent(b), change)
    return table

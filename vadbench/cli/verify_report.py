"""``vadbench score --verify REPORT``: the same numbers once more, or which one moved by how much."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vadbench.cli.output import print_paragraph, standard_output, thousands
from vadbench.cli.progress import ClipCount, Interrupted, clip_progress
from vadbench.cli.score import chosen_workers, open_named_dataset
from vadbench.errors import DataError, UsageError, quoted
from vadbench.evaluation.report import Report
from vadbench.evaluation.verification import (
    CLOSE,
    Difference,
    Verdict,
    Verification,
    reasons_not_to_compare,
    verify,
)
from vadbench.submission import Submission
from vadbench.tables import plain_table

_MOST_ROWS = 20
_MOST_LINES = 10
_TITLES = ("which", "theirs", "ours", "moved")
_SETTLED = ("protocol", "metrics", "report", "resume")


def run_verification(options: argparse.Namespace) -> int:
    """Score one submission as a report says, compare, print, write nothing; 0 where it is verified, else 1."""
    _check_options(options)
    report = _sent_report(options.verify)
    submission = Submission.open(options.submissions[0])
    reasons = reasons_not_to_compare(submission.metadata.dataset, report)
    if reasons:
        # Known before the data set is looked for, which need not be here.
        verification = Verification(Verdict.NOT_COMPARED, reasons=reasons)
    else:
        dataset = open_named_dataset([submission], options)
        count = ClipCount(len(dataset.clips))
        try:
            with chosen_workers(options) as executor, clip_progress(dataset.id, len(dataset.clips)) as shown:
                verification = verify(submission, dataset, report, executor=executor, progress=count.and_tell(shown))
        except KeyboardInterrupt:
            raise Interrupted("interrupted; nothing was compared") from None
    if options.json:
        print(verification.to_json(), end="")
    else:
        _print(standard_output(), submission, report, verification, options)
    return verification.exit_code


def _sent_report(path: Path) -> Report:
    """The report to compare with; an error about it names the option, which is mistaken for others."""
    try:
        return Report.read(path)
    except DataError as error:
        hint = "--verify takes the report that was sent, a report.json of `vadbench score`"
        raise DataError(
            error.code, error.message, where=error.where, expected=error.expected, got=error.got, hint=hint
        ) from error


def _check_options(options: argparse.Namespace) -> None:
    given = [f"--{name}" for name in _SETTLED if getattr(options, name) is not None]
    given += [name for name, on in (("--per-clip", options.per_clip), ("--statistics", options.statistics)) if on]
    if given or len(options.submissions) > 1:
        raise UsageError(
            "U209",
            "--verify compares one submission with one report, as that report was made",
            got=" ".join(given) or f"{len(options.submissions)} submissions",
            hint="protocol and metrics are those of the report, and nothing is written",
        )


def _print(
    console: Console,
    submission: Submission,
    report: Report,
    verification: Verification,
    options: argparse.Namespace,
) -> None:
    console.print(f"submission  {quoted(submission.shown).strip(chr(34))}", markup=False, soft_wrap=True)
    console.print(f"report      {quoted(options.verify).strip(chr(34))}", markup=False, soft_wrap=True)
    console.print(f"signature   {report.signature}", markup=False, soft_wrap=True)
    console.print()
    for line in verification.reasons[:_MOST_LINES]:
        print_paragraph(console, line, first="- ", rest="  ")
    if len(verification.reasons) > _MOST_LINES:
        console.print(f"- and {len(verification.reasons) - _MOST_LINES} more", markup=False)
    if verification.reasons:
        console.print()
    shown = _one_a_curve(verification.differences)
    if shown:
        _print_table(console, shown, verification)
    for text in verification.new_warnings:
        # All of them: what a report leaves out must not be left out here.
        print_paragraph(console, f"not in the report: {text}", first="warning     ", rest=" " * 12)
    for note in verification.notes[:_MOST_LINES]:
        print_paragraph(console, note, first="note        ", rest=" " * 12)
    print_paragraph(console, _verdict(verification))


def _print_table(console: Console, shown: Sequence[Difference], verification: Verification) -> None:
    rows = [
        (_plain(own.where), _cell(own.theirs), _cell(own.ours), "" if own.moved is None else f"{own.moved:+.3g}")
        for own in shown[:_MOST_ROWS]
    ]
    if _table_width(rows) <= console.width:
        console.print(_table(rows))
    else:
        for where, theirs, ours, moved in rows:
            last = f"  ours    {ours}{f'  moved {moved}' if moved else ''}"
            console.print(f"{where}\n  theirs  {theirs}\n{last}", markup=False, soft_wrap=True)
    if len(shown) > _MOST_ROWS:
        console.print(f"and {thousands(len(shown) - _MOST_ROWS)} more; --json lists them", markup=False)
    console.print()


def _table_width(rows: Sequence[tuple[str, ...]]) -> int:
    """Columns that a table takes in which nothing is broken; two spaces stand between its columns."""
    return sum(max(map(cell_len, column)) + 2 for column in zip(_TITLES, *rows, strict=True))


def _table(rows: Sequence[tuple[str, ...]]) -> Table:
    table = plain_table()
    for title in _TITLES:
        table.add_column(title, justify="left" if title == "which" else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _one_a_curve(differences: Sequence[Difference]) -> list[Difference]:
    """All differences, of each curve only the largest: its points move together."""
    kept: dict[str, Difference] = {}
    for own in differences:
        parts = own.where.split(".")
        place = ".".join(parts[:2]) if parts[0] == "curves" else own.where
        if place not in kept or abs(own.moved or 0) > abs(kept[place].moved or 0):
            kept[place] = own
    return list(kept.values())


def _cell(value: object) -> str:
    return "none" if value is None else _plain(value)


def _plain(value: object) -> str:
    """A value of a report, short and safe to print."""
    return quoted(value)[1:-1]


def _verdict(verification: Verification) -> str:
    numbers = thousands(verification.n_numbers)
    of = ""
    if verification.missing_metrics:
        n_all = len(verification.metrics) + len(verification.missing_metrics)
        of = f", of {len(verification.metrics)} of {n_all} metrics ({', '.join(verification.metrics)})"
    if verification.verdict is Verdict.EQUAL:
        return f"verified{of}: {numbers} numbers are equal, bit for bit"
    if verification.verdict is Verdict.CLOSE:
        largest = max(abs(own.moved or 0) for own in verification.differences)
        return (
            f"verified to {CLOSE:g}{of}: of {numbers} numbers {thousands(verification.n_equal)} are equal, bit for "
            f"bit, and {thousands(verification.n_close)} in all but their last digits, by at most {largest:.1e}: "
            "another platform, or another version of NumPy, adds in another order"
        )
    if verification.verdict is Verdict.NOT_COMPARED:
        return "not verified: nothing was scored, since no number could be the same quantity"
    wrong = verification.n_differences - verification.n_close
    if not wrong:
        return f"not verified: {numbers} numbers agree, but they are not of the same thing"
    return f"not verified: {thousands(wrong)} {'values differ' if wrong > 1 else 'value differs'} of {numbers} numbers"

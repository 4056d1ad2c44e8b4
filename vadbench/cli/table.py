"""``vadbench table``: reports as one table for a paper, a page or a spreadsheet."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vadbench.cli.examples import DATA_AND_METHOD
from vadbench.cli.output import standard_output
from vadbench.cli.table_rows import TableRow, table_rows
from vadbench.command_line import CommandParser
from vadbench.errors import UsageError, quoted
from vadbench.submission.whole_files import replace_together
from vadbench.tables import (
    TABLE_METRICS,
    Marking,
    TableContent,
    bibliography,
    clip_content,
    inert_text,
    score_content,
    side_by_side,
    to_csv,
    to_latex,
    to_markdown,
    to_text,
    transposed,
)

_ENDINGS = {".tex": "latex", ".md": "markdown", ".csv": "csv", ".txt": "text"}
_EXAMPLE = r"""  vadbench convert walkway/Test --from images \
    --clip-pattern 'Test0(?P<clip>..)/(?P<frame>...)' \
    --dataset synthetic --root walkway \
    --metadata method.toml --out bright
  vadbench score bright --root walkway
  vadbench score bright --root walkway \
    --protocol tao-release --report bright.release.json
  vadbench table bright.report.json bright.release.json \
    --format latex --bibtex methods.bib"""
_DESCRIPTION = """\
Make one table of reports: for a terminal, a README, a
spreadsheet or a paper. Reports of one data set and protocol
stand in one block with its signature. The best value of a
block is marked, and the second; values of different blocks
are never ranked. docs/tables.md shows each format."""


def _parser() -> CommandParser:
    parser = CommandParser("vadbench table", _DESCRIPTION, DATA_AND_METHOD + _EXAMPLE)
    parser.add_argument(
        "reports",
        nargs="+",
        metavar="REPORT",
        help="a report, NAME=REPORT to name its row, an entry (METHOD/DATASET), or a folder of *.report.json",
    )
    parser.add_argument(
        "--format", choices=sorted(_ENDINGS.values()), help="else by the ending of --out, else text", dest="form"
    )
    parser.add_argument(
        "--metrics",
        metavar="KEYS",
        default="all",
        help=f"all, or some in the order of the columns, with commas between: {', '.join(TABLE_METRICS)} (all)",
    )
    parser.add_argument("--sort", metavar="KEY", help="rows by this metric, best first; else in the order given")
    parser.add_argument("--per-clip", action="store_true", help="rows are clips, blocks are reports; nothing is marked")
    parser.add_argument("--side-by-side", action="store_true", help="blocks as groups of columns, a row a method")
    parser.add_argument("--transpose", action="store_true", help="metrics as rows, methods as columns")
    parser.add_argument("--digits", type=int, default=2, metavar="N", help="decimals of per cent, 0 to 6 (2)")
    parser.add_argument(
        "--mark",
        choices=[own.value for own in Marking],
        default=Marking.BEST_AND_SECOND.value,
        help="what stands out; in LaTeX bold and underlined (best-and-second)",
    )
    parser.add_argument("--caption", default="", metavar="TEXT", help="any text; it is escaped as names are")
    parser.add_argument("--label", default="", metavar="LABEL", help="of LaTeX, such as tab:ped2")
    parser.add_argument("--both-columns", action="store_true", help="LaTeX: table*, across both columns of a page")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where it goes, else standard output")
    parser.add_argument("--bibtex", type=Path, metavar="FILE", help="write the BibTeX entries that the rows cite")
    parser.add_argument("--overwrite", action="store_true", help="replace what is at --out and --bibtex")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    if options.out is not None and options.bibtex is not None and options.out.resolve() == options.bibtex.resolve():
        raise UsageError("U277", "--out and --bibtex name the same file", got=quoted(options.out))
    rows = table_rows(options.reports)
    content = _content(options, rows)
    form = options.form or (_ENDINGS.get(options.out.suffix.lower(), "text") if options.out else "text")
    text = _written(content, form, options)
    files = {}
    if options.out is not None:
        files[options.out] = text
    if options.bibtex is not None:
        files[options.bibtex] = bibliography(row.entry for row in rows)
    _write(files, [row.path for row in rows], overwrite=options.overwrite)
    if options.out is None:
        sys.stdout.write(text)
    for row in rows:
        if row.entry.fault:
            print(
                f"{inert_text(row.name)}: its BibTeX entry is not taken ({row.entry.fault}); "
                "one is made of its metadata instead",
                file=sys.stderr,
            )
    return 0


def _content(options: Namespace, rows: Sequence[TableRow]) -> TableContent:
    metrics = options.metrics if options.metrics == "all" else [key.strip() for key in options.metrics.split(",")]
    chosen: Mapping[str, Any] = {"metrics": metrics, "digits": options.digits}
    named = [row.named for row in rows]
    if options.per_clip:
        if options.sort or options.side_by_side or options.transpose:
            raise UsageError("U277", "--per-clip goes with none of --sort, --side-by-side, --transpose")
        content = clip_content(named, **chosen)
    else:
        content = score_content(named, **chosen, sort=options.sort)
    content = replace(content, caption=options.caption, label=options.label)
    content = side_by_side(content) if options.side_by_side else content
    return transposed(content, marking=options.mark) if options.transpose else content


def _written(content: TableContent, form: str, options: Namespace) -> str:
    if form == "csv":
        return to_csv(content)
    if form == "markdown":
        return to_markdown(content, marking=options.mark)
    if form == "latex":
        return to_latex(content, marking=options.mark, both_columns=options.both_columns)
    # A file is read in more than one terminal.
    width = 100 if options.out is not None else standard_output().width
    return to_text(content, marking=options.mark, width=width)


def _write(files: Mapping[Path, str], sources: Sequence[Path], *, overwrite: bool) -> None:
    """Write all files or none."""
    places = {path.resolve(): text for path, text in files.items()}
    read = {source.resolve() for source in sources}

    def check() -> None:
        for path in places:
            if path in read:
                raise UsageError("U274", "a report would be replaced by its table", where=str(path))
            if path.exists() and (not overwrite or not path.is_file()):
                raise UsageError(
                    "U274",
                    "there is something at the place of the table already",
                    where=str(path),
                    hint="give another place, or --overwrite to replace the file",
                )

    check()
    for path in places:
        path.parent.mkdir(parents=True, exist_ok=True)
    replace_together(Path(), {str(path): text.encode() for path, text in places.items()}, check)

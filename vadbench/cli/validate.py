"""``vadbench validate``: every problem of a submission in one pass."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from vadbench.cli.output import standard_output
from vadbench.cli.progress import clip_progress
from vadbench.cli.shared_options import add_dataset_options
from vadbench.command_line import CommandParser
from vadbench.datasets.base import Dataset
from vadbench.datasets.registry import ENVIRONMENT_VARIABLE, known_datasets, open_dataset
from vadbench.errors import SubmissionError, UsageError, VadbenchError, did_you_mean, quoted
from vadbench.submission.tree import is_url, open_tree
from vadbench.validation.presentation import github_lines, text_lines
from vadbench.validation.submission_check import named_dataset, not_opened, validate
from vadbench.validation.validation import Validation

_FORMATS = ("text", "json", "github")
_READABLE_WIDTH = 100


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench validate",
        "Check submissions: every problem in one pass, with a code, the place, and what to do.\n"
        "No data are needed: clips, frame counts and sizes of the known data sets ship with the\n"
        "package; with --root more is checked, and the output says which checks were made.",
        "vadbench validate demo/background",
    )
    parser.add_argument("submissions", nargs="+", metavar="SUBMISSION", help="folder, zip, or URL")
    add_dataset_options(parser)
    parser.add_argument("--dataset", metavar="ID", help="the data set that the submissions must be for")
    parser.add_argument("--quick", action="store_true", help="metadata and names only; no array is read")
    parser.add_argument(
        "--format", choices=_FORMATS, help="text, json, or annotations for GitHub's workflows (default text)"
    )
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command; 1 if a submission has an error."""
    options = _parser().parse_args(arguments)
    if options.json and options.format not in {None, "json"}:
        raise UsageError("U230", "--json and another --format exclude each other", got=f"--format {options.format}")
    if options.dataset is not None and options.dataset not in known_datasets():
        raise UsageError(
            "U111",
            f"there is no data set {quoted(options.dataset)}",
            hint=did_you_mean(options.dataset, known_datasets()),
        )
    style = "json" if options.json else options.format or "text"
    paths = [given if is_url(given) else Path(given) for given in options.submissions]
    for path in paths:
        # A path that is not there is a wrong call: said before anything is read and printed.
        if isinstance(path, Path):
            with suppress(SubmissionError):
                open_tree(path)
    results = []
    opened: dict[str, Dataset | str] = {}
    for path in paths:
        result = _validated(path, options, opened)
        results.append(result)
        if style == "github":
            print("\n".join(github_lines(result, file=_in_repository(path))))
        elif style == "text":
            _print(result, is_first=len(results) == 1)
    if style == "json":
        _print_json(results)
    return max(result.exit_code for result in results)


def _validated(path: Path | str, options: argparse.Namespace, opened: dict[str, Dataset | str]) -> Validation:
    """Result for one submission, with the data set where it is at hand; each is opened once."""
    try:
        tree = open_tree(path)
        tree.entries()
    except SubmissionError as error:
        return not_opened(error)
    name = options.dataset or named_dataset(tree)
    if name is not None and name not in opened:
        opened[name] = _opened(name, options)
    found = opened[name] if name is not None else ""
    dataset, why = (None, found) if isinstance(found, str) else (found, "")
    with clip_progress("validate") as shown:
        return validate(tree, dataset or options.dataset, contents=not options.quick, progress=shown, no_dataset=why)


def _opened(name: str, options: argparse.Namespace) -> Dataset | str:
    """The data set, where the call says where it lies, or the environment does and it is there; else why not."""
    if name not in known_datasets():
        return ""  # which is a problem of the submission
    try:
        return open_dataset(name, options.root, masks=options.masks, tracks=options.tracks)
    except VadbenchError as error:
        if any(value is not None for value in (options.root, options.masks, options.tracks)):
            # The call named a place that is wrong, and exit code 1 would say that of the submission.
            raise _as_usage_error(error) from error
        # Nobody asked for it: without data less is checked, and the output says so.
        return f"{ENVIRONMENT_VARIABLE}: [{error.code}] {error.message}" if os.environ.get(ENVIRONMENT_VARIABLE) else ""


def _as_usage_error(error: VadbenchError) -> UsageError:
    return UsageError(
        error.code, error.message, where=error.where, expected=error.expected, got=error.got, hint=error.hint
    )


def _print(result: Validation, *, is_first: bool) -> None:
    console = standard_output()
    if not is_first:
        console.print()
    lines = text_lines(result, min(console.width, _READABLE_WIDTH))
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _print_json(results: Sequence[Validation]) -> None:
    """One result as it is kept in a file; several one a line, each of which is a result by itself."""
    if len(results) == 1:
        print(results[0].to_json(), end="")
        return
    for result in results:
        print(json.dumps(json.loads(result.to_json()), allow_nan=False))


def _in_repository(path: Path | str) -> str | None:
    """The file that annotations are shown at: the metadata, where the submission is a folder in the repository.

    GitHub counts from the folder that the repository was checked out to, wherever the command runs.
    """
    if isinstance(path, str) or not path.is_dir():
        return None
    place, top = path.resolve(), Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    return (place.relative_to(top) / "submission.toml").as_posix() if place.is_relative_to(top) else None

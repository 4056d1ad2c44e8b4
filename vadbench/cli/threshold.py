"""``vadbench threshold``: declare a threshold from the scores of training clips, and record how it was chosen."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from vadbench.cli.examples import DATA_AND_METHOD, TRAINING_SCORES
from vadbench.cli.output import counted, print_paragraph, standard_output, thousands
from vadbench.cli.progress import Interrupted, clip_progress
from vadbench.cli.shared_options import path_or_url
from vadbench.command_line import CommandParser
from vadbench.datasets.base import Clip
from vadbench.datasets.facts import load_facts
from vadbench.datasets.registry import known_datasets, open_dataset
from vadbench.errors import UsageError, did_you_mean, quoted
from vadbench.submission import Submission
from vadbench.submission.declared_threshold import (
    Declaration,
    check_copy_target,
    declaration,
    is_declared_in,
    write_copy,
    write_in_place,
)
from vadbench.submission.problems import problem
from vadbench.submission.quantiles import parsed_quantile
from vadbench.submission.threshold import (
    ChosenThreshold,
    ScoresOf,
    check_declarable,
    check_training_submission,
    choose_threshold,
)
from vadbench.submission.tree import METADATA

_EXAMPLE = r"""
  vadbench convert walkway/Test --from images \
    --clip-pattern 'Test0(?P<clip>..)/(?P<frame>...)' \
    --dataset synthetic --root walkway \
    --metadata method.toml --out bright-test
  vadbench threshold bright-test --training bright \
    --quantile 0.999 --root walkway"""


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench threshold",
        "Declare the threshold of a submission's score maps: a\n"
        "quantile of the scores that the same method gives to the\n"
        "training clips. The test set has no part in it.",
        DATA_AND_METHOD + TRAINING_SCORES + _EXAMPLE,
    )
    parser.add_argument(
        "submission", type=path_or_url, metavar="SUBMISSION", help="folder; with --out a zip or URL, too"
    )
    parser.add_argument(
        "--training",
        type=path_or_url,
        required=True,
        metavar="SUBMISSION",
        help="score maps of the training clips, by the same method, stored alike, over one range",
    )
    parser.add_argument(
        "--quantile",
        required=True,
        metavar="Q",
        help="at most the share 1 - Q of the training scores reach the threshold; 0.999 flags one in a thousand",
    )
    parser.add_argument(
        "--of",
        type=ScoresOf,
        choices=list(ScoresOf),
        default=ScoresOf.PIXELS,
        help="scores of all pixels (default), or the greatest score of each frame",
    )
    parser.add_argument(
        "--out", type=Path, metavar="NEW", help="write a copy: a folder, or a zip if the name ends in .zip"
    )
    parser.add_argument("--replace", action="store_true", help="replace a threshold that is declared already")
    parser.add_argument(
        "--root", type=Path, help="folder of the data set, where its training clips are not known without"
    )
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    quantile = parsed_quantile(options.quantile)
    submission = Submission.open(options.submission)
    check_declarable(submission, options.out, replace=options.replace)
    if options.out is not None:
        check_copy_target(submission, options.out)
    training = Submission.open(options.training)
    training_clips, test_clips = _clips(submission, options.root)
    check_training_submission(submission, training, training_clips, test_clips)
    declared = None
    try:
        with clip_progress("threshold") as progress:
            chosen = choose_threshold(training, quantile, options.of, progress=progress)
        declared = declaration(submission, chosen)
        if options.out is not None:
            write_copy(submission, options.out, declared)
        elif submission.path is not None:
            write_in_place(submission.path, declared)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {_what_was_done(submission, options.out, declared)}") from None
    _print(submission, chosen, declared, options)
    return 0


def _what_was_done(submission: Submission, out: Path | None, declared: Declaration | None) -> str:
    """What an interruption left; a copy appears whole or not at all, and there was nothing in its place."""
    if out is not None:
        return f"{out} was written, and is whole" if out.exists() else "nothing was changed"
    place = submission.path
    done = declared is not None and place is not None and is_declared_in(place, declared)
    return "the threshold was declared all the same" if done else "nothing was changed"


def _clips(submission: Submission, root: Path | None) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    """Training and test clips of the data set that the submission names, from its facts or from its folder."""
    name = submission.metadata.dataset
    if name not in known_datasets():
        raise problem(
            "S109",
            where=(submission.shown, METADATA, "dataset"),
            got=quoted(name),
            hint=did_you_mean(name, known_datasets()),
        )
    facts = load_facts(name)
    known = facts.known_clips(training=True)
    if known and root is None:
        return known, facts.known_clips()
    dataset = open_dataset(name, root)
    if not dataset.training_clips:
        raise UsageError(
            "U203",
            "the training clips of the data set are not known",
            where=str(dataset.root),
            got="no training part in this folder",
            hint="put the training frames into the layout that `vadbench data list` shows",
        )
    return dataset.training_clips, dataset.clips


def _print(submission: Submission, chosen: ChosenThreshold, declared: Declaration, options: argparse.Namespace) -> None:
    console = standard_output()
    reached = chosen.reached
    old = submission.metadata.threshold
    before = "none before" if old is None else f"{old} before"
    console.print(f"threshold  {reached.value} ({before})", markup=False, soft_wrap=True)
    what = "pixels" if chosen.scores_of is ScoresOf.PIXELS else "frame maxima"
    of = f"quantile {options.quantile} of the {what} of {counted(chosen.n_clips, 'training clip')}"
    console.print(f"chosen as  {of}", markup=False, soft_wrap=True)
    counts = f"{thousands(reached.n_reaching)} of {thousands(reached.n_scores)} training {what}"
    console.print(f"flagged    {counts}, {100 * reached.share:.4f} %", markup=False, soft_wrap=True)
    target = options.out or Path(submission.shown) / METADATA
    console.print(f"written    {target}", markup=False, soft_wrap=True)
    notes = []
    if reached.n_reaching == 0:
        notes.append("no training score reaches the threshold: it is the next number above the greatest one")
    if not declared.keeps_text:
        notes.append(f"{METADATA} was written anew: comments in it are gone")
    notes.append("the fingerprint of the submission has changed: score it, and pack it, again")
    for note in notes:
        print_paragraph(console, note, first="note       ", rest=" " * 11)
    place = options.out or submission.path or submission.shown
    console.print(f"next: vadbench validate {shlex.quote(str(place))}", markup=False, soft_wrap=True)

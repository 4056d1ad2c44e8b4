"""``vadbench overlay``: what submissions predict for a clip, drawn over its frames, as MP4, GIF or PNG."""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path

from vadbench.cli.output import counted, standard_output
from vadbench.cli.progress import Interrupted, clip_progress
from vadbench.cli.score import open_named_dataset
from vadbench.cli.shared_options import add_dataset_options, path_or_url
from vadbench.command_line import CommandParser
from vadbench.errors import UsageError, did_you_mean, printable, quoted
from vadbench.prediction import PredictionKind
from vadbench.submission import Submission

_EXAMPLE = """\
python -m baselines demo --out demo/
  vadbench overlay demo/background demo/random \\
    --clip 01 --root demo/data --out clip-01.gif"""

_LONGEST_NUMBER = 9


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench overlay",
        "Draw what submissions predict for a clip over its frames:\n"
        "outline of the truth, score maps as heat or masks of\n"
        "objects, boxes with their scores; several submissions\n"
        "side by side, each with one scale of scores for all clips.",
        _EXAMPLE,
    )
    parser.add_argument(
        "submissions", type=path_or_url, nargs="+", metavar="SUBMISSION", help="folder or packed zip, or the URL of one"
    )
    parser.add_argument("--clip", required=True, metavar="ID", help="id of the clip")
    parser.add_argument(
        "--out",
        required=True,
        metavar="PLACE",
        help="ends in .mp4 (needs vadbench[video]) or .gif; a folder, which ends in /; .png for one frame. "
        "Earlier overlays are replaced, nothing else is",
    )
    add_dataset_options(parser)
    parser.add_argument("--dataset", metavar="ID", help="checked against the submissions, which name their data set")
    parser.add_argument(
        "--frames", metavar="A:B", help="from frame A to before B, 0-based; either may be left out; N is one (all)"
    )
    parser.add_argument("--fps", type=float, default=10.0, metavar="N", help="frames a second of MP4 and GIF (10)")
    parser.add_argument("--scale", type=int, metavar="N", help="enlarge frames N times (as far as a screen goes)")
    parser.add_argument(
        "--draw",
        metavar="KINDS",
        help="some of score_maps, instances, detections, with commas between (score maps, else instances; detections)",
    )
    parser.add_argument("--lower", type=float, metavar="S", help="lower end of the scale, as stored; one submission")
    parser.add_argument("--upper", type=float, metavar="S", help="upper end of the scale, as stored; one submission")
    parser.add_argument(
        "--threshold", type=float, metavar="S", help="drawn as an outline, as stored (the declared one); one submission"
    )
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    from vadbench.overlay import write_clip_overlay

    frames, kinds = _frames(options.frames), _kinds(options.draw)
    _check_single(options)
    submissions = [Submission.open(path) for path in options.submissions]
    dataset = open_named_dataset(submissions, options)
    out = options.out if options.out.endswith(("/", os.sep)) else Path(options.out)
    try:
        with clip_progress("overlay", unit="") as progress:
            written = write_clip_overlay(
                out,
                dataset,
                _by_name(submissions),
                options.clip,
                frames=frames,
                frames_per_second=options.fps,
                scale=options.scale,
                kinds=kinds,
                span=(options.lower, options.upper),
                threshold=options.threshold,
                progress=progress,
            )
    except KeyboardInterrupt:
        raise Interrupted("interrupted; nothing was written") from None
    console = standard_output()
    begin, end = written.frames
    console.print(f"overlay  {written.path}", markup=False, soft_wrap=True)
    what = f"{counted(end - begin, 'frame')} of clip {options.clip}, from frame {begin}"
    speed = f", {options.fps:g} a second" if written.kind in {"mp4", "gif"} else ""
    console.print(f"shows    {what}", markup=False, soft_wrap=True)
    console.print(
        f"format   {written.encoder}, {written.width} x {written.height} pixels{speed}", markup=False, soft_wrap=True
    )
    return 0


def _frames(text: str | None) -> tuple[int | None, int | None]:
    """First frame and the one after the last, as far as they are given."""
    if text is None:
        return None, None
    number = rf"\d{{1,{_LONGEST_NUMBER}}}"
    match = re.fullmatch(rf"({number})?:({number})?|({number})", text, re.ASCII)
    if match is None:
        raise UsageError(
            "U292", "these are no frames", expected="A:B, A:, :B or N, 0-based whole numbers", got=quoted(text)
        )
    begin, end, one = (None if part is None else int(part) for part in match.groups())
    return (begin, end) if one is None else (one, one + 1)


def _kinds(text: str | None) -> frozenset[PredictionKind] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    drawn = [kind for kind in PredictionKind if kind is not PredictionKind.FRAME_SCORES]
    for name in names:
        if name not in drawn:
            raise UsageError("U291", f"{quoted(name)} cannot be drawn over frames", hint=did_you_mean(name, drawn))
    return frozenset(map(PredictionKind, names))


def _check_single(options: argparse.Namespace) -> None:
    """Scores of two methods are on two scales: a number that is meant for both would mislead."""
    given = [name for name in ("lower", "upper", "threshold") if getattr(options, name) is not None]
    if given and len(options.submissions) > 1:
        raise UsageError(
            "U291",
            f"--{given[0]} is for one submission",
            got=str(len(options.submissions)),
            hint="a submission declares its threshold itself: vadbench threshold --help",
        )
    for name in given:
        if not math.isfinite(getattr(options, name)):
            raise UsageError("U293", f"--{name} is a finite number", got=str(getattr(options, name)))


def _by_name(submissions: Sequence[Submission]) -> dict[str, Submission]:
    """Submissions by the name of the method, and where they lie too where two have the same."""
    names = [submission.metadata.method.name for submission in submissions]
    places = [submission.shown for submission in submissions]
    short = [Path(place).name for place in places]
    named: dict[str, Submission] = {}
    for name, place, last, submission in zip(names, places, short, submissions, strict=True):
        if places.count(place) > 1:
            raise UsageError("U291", "a submission is given twice", got=place)
        end = "" if names.count(name) == 1 else f" ({printable(last if short.count(last) == 1 else place)})"
        named[name + end] = submission
    return named

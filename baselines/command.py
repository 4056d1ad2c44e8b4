"""The commands of ``python -m baselines``: list, demo, and one for each baseline."""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from baselines.parser import PROGRAM, CommandParser
from baselines.simple import BASELINES, write_submission
from baselines.simple.baseline import Baseline, Progress, no_progress
from vadbench import UsageError, open_dataset
from vadbench.errors import did_you_mean, quoted

_COMMANDS = {
    "list": "name what there is",
    "demo": "score all of them on a small synthetic data set, with pictures",
    "tao": "boxes, scores, filtering, masks: the method that the benchmark was proposed with, stage by stage",
    "tao-ablation": "variants of it, scored side by side: filtering, tracking, thresholds, sizes of the segmenter",
    "tao-select": "choose the settings of tao on training clips with pasted anomalies",
    "NAME": f"write the submission of one; {PROGRAM} NAME --help",
}
_MODULES = {
    "tao": "baselines.tao.command",
    "tao-ablation": "baselines.tao.ablation_command",
    "tao-select": "baselines.tao.selection_command",
}
"""Commands with a module of their own, whose `run_command` takes the rest of the line; loaded when they are called."""
_WIDTH = 13


def run(given: Sequence[str]) -> int:
    """Run one command; gives the exit code where there is no error to raise."""
    names = (*BASELINES, "list", "demo", *_MODULES)
    if not given:
        raise UsageError("B100", "no baseline or command is given", expected=f"{PROGRAM} NAME", hint=_known("", names))
    name, rest = given[0], given[1:]
    if name in {"-h", "--help"}:
        _whole_parser(names).print_help()
        return 0
    if name == "list":
        return _list(rest)
    if name == "demo":
        return _demo(rest)
    if name in _MODULES:
        code: int = importlib.import_module(_MODULES[name]).run_command(rest)
        return code
    if name not in BASELINES:
        raise UsageError("B103", f"there is no baseline or command {quoted(name)}", hint=_known(name, names))
    return _write(BASELINES[name], rest)


def _known(name: str, names: Sequence[str]) -> str:
    return f"{did_you_mean(name, names)}; see `{PROGRAM} --help`"


def _whole_parser(names: Sequence[str]) -> CommandParser:
    commands = "".join(f"  {name:<{_WIDTH}}{text}\n" for name, text in _COMMANDS.items())
    parser = CommandParser(
        "",
        "Simple methods that write submissions for vadbench.",
        f"{PROGRAM} demo --out demo/",
        more=f"commands:\n{commands}\n",
    )
    parser.add_argument("name", metavar="NAME", help=f"one of {', '.join(names)}")
    return parser


def _list(rest: Sequence[str]) -> int:
    CommandParser("list", "Name all baselines.", f"{PROGRAM} list").parse_args(rest)
    width = max(map(len, BASELINES))
    for name, baseline in BASELINES.items():
        print(f"{name:<{width}}  {baseline.summary}")
    # It has stages and settings of its own, and so is no `Baseline`.
    print(f"{'tao':<{width}}  Track Any Anomalous Object: {_COMMANDS['tao']}.")
    return 0


def _write(kind: type[Baseline], rest: Sequence[str]) -> int:
    options = _write_parser(kind).parse_args(rest)
    if options.seed is not None and not kind.is_seeded():
        raise UsageError("B104", f"{kind.name} uses no seed", hint="leave --seed out: its result is always the same")
    dataset = open_dataset(options.dataset, options.root, masks=options.masks)
    with shown_progress() as progress:
        path = write_submission(
            kind.with_seed(options.seed or 0), dataset, options.out, overwrite=options.overwrite, progress=progress
        )
    places = {"--root": options.root, "--masks": options.masks}
    score = ["vadbench", "score", str(path), *(word for place in places.items() if place[1] for word in place)]
    print(f"submission  {path}")
    print(f"score it    {shlex.join(score)}")
    return 0


def _write_parser(kind: type[Baseline]) -> CommandParser:
    parser = CommandParser(
        kind.name,
        kind.summary,
        "vadbench data synthesize out/synthetic\n"
        f"{PROGRAM} {kind.name} --dataset synthetic --root out/synthetic --out out/{kind.name}\n"
        f"vadbench score out/{kind.name} --root out/synthetic",
    )
    parser.add_argument("--dataset", required=True, metavar="ID", help="id of the data set, such as ucsd-ped2")
    parser.add_argument("--root", metavar="DIR", help="folder of the data set (or set VADBENCH_DATA)")
    parser.add_argument("--masks", metavar="DIR", help="folder of pixel masks, where they are elsewhere")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the submission to write")
    parser.add_argument("--overwrite", action="store_true", help="replace a submission that is there")
    # Read even where it is not offered, to say why it makes no sense there.
    seed_help = "seed (default 0)" if kind.is_seeded() else argparse.SUPPRESS
    parser.add_argument("--seed", type=whole_number, metavar="N", help=seed_help)
    return parser


def _demo(rest: Sequence[str]) -> int:
    from baselines.demo import run_demo

    parser = CommandParser(
        "demo",
        "Make a small synthetic data set, run all baselines on it, score them, and draw two pictures.",
        f"{PROGRAM} demo --out demo/",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write; its own are replaced")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="N", help="of data set and noise (default 0)")
    parser.add_argument("--frames", type=whole_number, default=60, metavar="N", help="of each clip (default 60)")
    options = parser.parse_args(rest)
    with shown_progress() as progress:
        outcome = run_demo(options.out, seed=options.seed, frames=options.frames, progress=progress)
    outcome.show()
    return 0


def whole_number(text: str) -> int:
    """Type of an option: a whole number of 0 or more."""
    # Longer ones fit no 64 bits, and Python does not read thousands of digits.
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no whole number of 0 or more (at most 18 digits)")
    return int(text)


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Bar of clips on standard error while the block runs; nothing unless standard error is a terminal."""
    with _shown(with_speed=False) as progress:
        yield progress


@contextmanager
def shown_frame_progress() -> Iterator[Progress]:
    """Bar of frames, with frames a second, on standard error; nothing unless standard error is a terminal."""
    with _shown(with_speed=True) as progress:
        yield progress


@contextmanager
def _shown(*, with_speed: bool) -> Iterator[Progress]:
    if not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    if with_speed:
        columns.append(TextColumn("{task.fields[speed]}"))
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None, speed="")
        meter = SpeedMeter()

        def progress(stage: str, done: int, total: int) -> None:
            bars.update(task, description=stage, completed=done, total=total, speed=meter.speed(stage, done))

        yield progress


class SpeedMeter:
    """Frames a second since a stage began, in words; what was done before it began does not count."""

    def __init__(self) -> None:
        self._stage, self._done, self._began = "", 0, 0.0

    def speed(self, stage: str, done: int) -> str:
        """Speed of the stage when so many of its frames are done; "" where it is not known yet."""
        now = monotonic()
        if stage != self._stage:
            self._stage, self._done, self._began = stage, done, now
        passed = now - self._began
        return f"{(done - self._done) / passed:.1f} frames/s" if passed > 0 and done > self._done else ""

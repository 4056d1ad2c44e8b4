"""The command line of the baselines: ``python -m baselines NAME``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from baselines.simple.baseline import Baseline, Progress, no_progress
from vadbench import ProtocolError, UsageError, VadbenchError
from vadbench.errors import did_you_mean, quoted

INPUT_WRONG, CALL_WRONG, INTERRUPTED = 1, 2, 130

_OTHER_COMMANDS = ("list", "demo")

_EPILOG = """commands:
  list               name what there is
  demo               score all of them on a small synthetic data set, with pictures
  NAME               write the submission of one; python -m baselines NAME --help

example:
  python -m baselines demo --out demo/
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 0 fine, 1 the input is wrong, 2 the call is wrong, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except VadbenchError as error:
        print(error.block(), file=sys.stderr)
        return CALL_WRONG if isinstance(error, (UsageError, ProtocolError)) else INPUT_WRONG
    except KeyboardInterrupt:
        print("interrupted; nothing was left half written", file=sys.stderr)
        return INTERRUPTED


def _run(given: list[str]) -> int:
    from baselines.simple import BASELINES

    if not given or given[0].startswith("-"):
        parser = argparse.ArgumentParser(
            prog="python -m baselines",
            description="Simple methods that write submissions for vadbench.",
            epilog=_EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("name", metavar="NAME", help=f"one of {', '.join((*BASELINES, *_OTHER_COMMANDS))}")
        parser.parse_args(given)
    name, rest = given[0], given[1:]
    if name == "list":
        return _list(rest)
    if name == "demo":
        return _demo(rest)
    if name not in BASELINES:
        raise UsageError(
            "B103",
            f"there is no baseline or command {quoted(name)}",
            hint=did_you_mean(name, (*BASELINES, *_OTHER_COMMANDS)),
        )
    return _write(BASELINES[name], rest)


def _list(rest: Sequence[str]) -> int:
    from baselines.simple import BASELINES

    parser = argparse.ArgumentParser(
        prog="python -m baselines list",
        description="Name all baselines.",
        epilog="example:\n  python -m baselines list\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(rest)
    width = max(map(len, BASELINES))
    for name, baseline in BASELINES.items():
        print(f"{name:<{width}}  {baseline.summary}")
    return 0


def _write(kind: type[Baseline], rest: Sequence[str]) -> int:
    from baselines.simple import RandomCells, write_submission
    from vadbench import open_dataset

    seeded = issubclass(kind, RandomCells)
    parser = argparse.ArgumentParser(
        prog=f"python -m baselines {kind.name}",
        description=kind.summary,
        epilog="example, with the data of `python -m baselines demo --out demo/`:\n"
        f"  python -m baselines {kind.name} --dataset synthetic --root demo/data --out out/{kind.name}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dataset", required=True, metavar="ID", help="id of the data set, such as ucsd-ped2")
    parser.add_argument("--root", metavar="DIR", help="folder of the data set (or set VADBENCH_DATA)")
    parser.add_argument("--masks", metavar="DIR", help="folder of pixel masks, where they are elsewhere")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the submission to write")
    parser.add_argument("--overwrite", action="store_true", help="replace a submission that is there")
    parser.add_argument("--seed", type=_seed, metavar="N", help="seed of random (default 0); the others use none")
    options = parser.parse_args(rest)
    if options.seed is not None and not seeded:
        raise UsageError("B104", f"{kind.name} uses no seed", hint="leave --seed out: its result is always the same")
    baseline = kind(seed=options.seed or 0) if seeded else kind()  # type: ignore[call-arg]  # only random has the field
    dataset = open_dataset(options.dataset, options.root, masks=options.masks)
    with shown_progress() as progress:
        path = write_submission(baseline, dataset, options.out, overwrite=options.overwrite, progress=progress)
    print(f"submission  {path}")
    root = f" --root {options.root}" if options.root else ""
    masks = f" --masks {options.masks}" if options.masks else ""
    print(f"score it    vadbench score {path}{root}{masks}")
    return 0


def _demo(rest: Sequence[str]) -> int:
    from baselines.demo import run_demo

    parser = argparse.ArgumentParser(
        prog="python -m baselines demo",
        description="Make a small synthetic data set, run all baselines on it, score them, and draw two pictures.",
        epilog="example:\n  python -m baselines demo --out demo/\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write; its own are replaced")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="seed of data set and random (default 0)")
    parser.add_argument("--frames", type=int, default=60, metavar="N", help="frames of each clip (default 60)")
    options = parser.parse_args(rest)
    with shown_progress() as progress:
        outcome = run_demo(options.out, seed=options.seed, frames=options.frames, progress=progress)
    outcome.show()
    return 0


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("a seed is 0 or more")
    return value


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Bar on standard error while the block runs; nothing unless standard error is a terminal."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)

        def progress(stage: str, done: int, total: int) -> None:
            bars.update(task, description=stage, completed=done, total=total)

        yield progress

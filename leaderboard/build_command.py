"""``python -m leaderboard build``: read everything, check it, write tables and site.

Source: docs/leaderboard.md.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from leaderboard.build import Build, make_build
from leaderboard.cache import BoardCache
from leaderboard.entries import Progress
from leaderboard.main import PROGRAM
from leaderboard.parser import CommandParser, add_repository_option
from leaderboard.placement import Placement
from leaderboard.places import Places
from vadbench import known_datasets
from vadbench.entries import text_fault
from vadbench.errors import UsageError, did_you_mean, quoted

_LONGEST_REASON = 500


def _parser() -> CommandParser:
    parser = CommandParser(
        "build",
        "Read entries and published rows, check them, write tables and site.\n"
        "Nothing is written where anything is wrong.",
        f"{PROGRAM} build",
    )
    add_repository_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="the site's folder (default: leaderboard/public)")
    parser.add_argument(
        "--overlays",
        type=Path,
        metavar="DIR",
        help="pictures and films for the pages of methods, DIR/METHOD/DATASET/CLIP.mp4 (webm, gif, png, jpg)",
    )
    parser.add_argument(
        "--predictions",
        type=Path,
        metavar="DIR",
        help="submissions, DIR/METHOD/DATASET or DATASET.zip: mistakes of these methods are drawn, where --data says "
        "where the frames are",
    )
    parser.add_argument(
        "--data", action="append", default=[], metavar="ID=PATH", help="a data set for --predictions; may be repeated"
    )
    parser.add_argument("--no-site", action="store_true", help="write tables only")
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="NAME",
        help="a row that changed or is gone, and is meant to: METHOD/DATASET[/PROTOCOL]; may be repeated",
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the history")
    parser.add_argument(
        "--date", metavar="DAY", help="of new lines of the history, such as 2026-01-31 (default: today)"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="processes for new reports (default: one a core)")
    parser.add_argument("--no-cache", action="store_true", help="compute everything anew, and keep nothing")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    _check(options.date, options.reason, options.workers)
    data = _check_pictures(options.overlays, options.predictions, options.data)
    places = Places(options.repository)
    if not places.board.is_dir():
        raise UsageError(
            "L129",
            "there is no board in the folder",
            where=str(options.repository),
            expected="a folder with submissions/ and leaderboard/, as in a checkout of this repository",
            got="no folder leaderboard" if options.repository.is_dir() else "no such folder",
            hint="--repository DIR says which; without it, it is the one that this program lies in",
        )
    cache = BoardCache(None if options.no_cache else places.cache)
    public = None if options.no_site else places.public if options.out is None else options.out
    with _progress() as progress, Placement() as placement:
        build = make_build(
            options.repository,
            accept=options.accept,
            reason=options.reason,
            date=options.date,
            progress=progress,
            cache=cache,
            workers=options.workers,
        )
        if public is not None:
            with _overlays(build, options.overlays, options.predictions, data, progress) as overlays:
                _write_site(build, public, placement, progress, overlays, cache, options.workers)
        build.place(placement)
        placement.place()
    if public is not None:
        # Without pages, what is kept of them was not looked at.
        cache.forget_unused()
    _print_summary(build, places, public)
    return 0


def _check(day: str | None, reason: str, workers: int | None) -> None:
    if day is not None:
        try:
            written = date.fromisoformat(day).isoformat()
        except ValueError:
            written = ""
        if written != day:
            raise UsageError("L105", "--date is no day", expected="such as 2026-01-31", got=quoted(day))
    fault = text_fault(reason, longest=_LONGEST_REASON, line_breaks=False) if reason else None
    if fault:
        raise UsageError("L106", "--reason is no line of text", got=fault)
    if workers is not None and workers < 1:
        raise UsageError("L107", "--workers is no number of processes", expected="at least 1", got=str(workers))


def _check_pictures(overlays: Path | None, predictions: Path | None, data: Sequence[str]) -> dict[str, Path]:
    """Folders of data sets by their ids."""
    for name, folder in (("--overlays", overlays), ("--predictions", predictions)):
        if folder is not None and not folder.is_dir():
            raise UsageError("L109", f"{name} is no folder", got=quoted(folder))
    if overlays is not None and predictions is not None:
        raise UsageError("L138", "--overlays and --predictions exclude each other", hint="draw all, or none")
    if (predictions is None) != (not data):
        raise UsageError("L138", "--predictions and --data belong together", hint="--data ucsd-ped2=data/UCSDped2")
    folders = {}
    for text in data:
        dataset, _, path = text.partition("=")
        if dataset not in known_datasets() or not path:
            hint = did_you_mean(dataset, known_datasets())
            raise UsageError("L139", "--data names no data set", expected="ID=PATH", got=quoted(text), hint=hint)
        folders[dataset] = Path(path)
    return folders


@contextmanager
def _overlays(
    build: Build, given: Path | None, predictions: Path | None, data: Mapping[str, Path], progress: Progress | None
) -> Iterator[Path | None]:
    """Folder with the pictures of methods, if there are any."""
    if predictions is None:
        yield given
        return
    from leaderboard.mistake_pictures import draw_mistakes

    with tempfile.TemporaryDirectory() as scratch:
        draw_mistakes(build.board, predictions, data, Path(scratch), progress)
        yield Path(scratch)


def _write_site(
    build: Build,
    public: Path,
    placement: Placement,
    progress: Progress | None,
    overlays: Path | None,
    cache: BoardCache,
    workers: int | None,
) -> None:
    from leaderboard.site import write_site
    from leaderboard.site.writing import MARK

    if progress is not None:
        progress("writing pages", 0, 1)
    if public.exists() and not ((public / MARK).is_file() or (public.is_dir() and not any(public.iterdir()))):
        raise UsageError(
            "L108",
            "the folder for the site holds something else",
            where=str(public),
            expected="a folder that is empty, not there, or an earlier site",
            hint="choose another folder with --out DIR",
        )
    folder = placement.folder(public)
    write_site(
        build.board, folder, audit=build.audit, overlays=overlays, cache=cache, workers=workers, progress=progress
    )


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Give a callback that shows what is done, or None where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading entries", total=None)

        def moved(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield moved


def _print_summary(build: Build, places: Places, public: Path | None) -> None:
    board = build.board
    n_rows = sum(len(ranking.rows) for ranking in board.rankings)
    parts = [_counted(n_rows, "row"), _counted(len(board.rankings), "ranking")]
    parts += [_counted(len(board.published), "published table")] if board.published else []
    parts += [f"{len(board.archive)} archived"] if board.archive else []
    parts += [f"{len(board.withdrawn)} withdrawn"] if board.withdrawn else []
    print(f"board     {', '.join(parts)}")
    print(f"changed   {_counted(len(build.changes), 'row') if build.changes else 'nothing'}")
    for change in build.changes[:_LISTED]:
        print(f"          {change.key}: {change.words.partition(':')[0].partition(';')[0]}")
    if len(build.changes) > _LISTED:
        print(f"          … {len(build.changes) - _LISTED} more, see {places.history.name}")
    print(f"tables    {_shown(places.tables)}")
    if public is not None:
        print(f"site      {_shown(public / 'index.html')}")


_LISTED = 10


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _shown(path: Path) -> str:
    """A path as short as it can be from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)

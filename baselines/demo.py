"""The demonstration: a synthetic data set, all baselines, their scores side by side, and two pictures."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from baselines.simple import BASELINES, write_submission
from baselines.simple.baseline import Progress, no_progress
from vadbench import Report, Submission, UsageError, evaluate, open_dataset

MARK = "demo.txt"
"""File that says that a folder is a demonstration's, and may be written again."""

_MARK_BEGINS = "Written by `python -m baselines demo`"
_MARK_TEXT = """ with seed {seed}; the next run writes it again.
data/             synthetic data set in the layout of UCSD Ped2
NAME/             submission of a baseline
NAME.report.json  its scores
curves.png        all curves
overlay.png       scores and truth on the frame with the largest anomalous area
"""

_SHOWN = "background"
"""Baseline of the overlay."""


@dataclass(frozen=True)
class Outcome:
    """What a demonstration has made.

    Parameters
    ----------
    out : Path
    seed : int
    reports : dict of str to Report
        By the name of the baseline.
    pictures : tuple of Path
        None are drawn where matplotlib is not installed.
    remark : str
        Why there are no pictures, if there are none.
    """

    out: Path
    seed: int
    reports: dict[str, Report]
    pictures: tuple[Path, ...]
    remark: str = ""

    def show(self) -> None:
        """Print one table with all scores, where the files are, and what to do next."""
        from rich.console import Console

        from vadbench.tables import score_table

        console = Console(highlight=False, soft_wrap=False)
        first = next(iter(self.reports.values()))
        console.print(
            f"{first.dataset.id} · seed {self.seed} · {first.dataset.clips} clips · {first.dataset.frames} frames\n"
        )
        console.print(score_table(self.reports))
        # Paths and commands are never wrapped: they are there to be copied.
        print(f"\nsignature  {first.signature}")
        print(f"reports    {self.out / 'NAME.report.json'}")
        if self.pictures:
            print(f"pictures   {', '.join(map(str, self.pictures))}")
        if self.remark:
            print(self.remark, file=sys.stderr)
        ready = "" if shutil.which("vadbench") else f" (after `source {_environment()}/bin/activate`)"
        print(
            f"\nnext, with data of your own, here UCSD Ped2{ready}:\n"
            "  vadbench data verify --dataset ucsd-ped2 --root DATA/UCSDped2\n"
            "  python -m baselines background --dataset ucsd-ped2 --root DATA/UCSDped2 --out out/background\n"
            "  vadbench score out/background --root DATA/UCSDped2"
        )


def _environment() -> str:
    """The virtual environment that runs this, from the current folder if it is inside."""
    prefix = Path(sys.prefix)
    return str(prefix.relative_to(Path.cwd()) if prefix.is_relative_to(Path.cwd()) else prefix)


def run_demo(out: Path | str, *, seed: int = 0, frames: int = 60, progress: Progress = no_progress) -> Outcome:
    """Make everything that the demonstration shows.

    Parameters
    ----------
    out : path
        Folder to write. What an earlier demonstration has made there is replaced.
    seed : int
        Of the data set, and of the baselines that use one.
    frames : int
        Of each clip, at least 10.
    progress : callable, optional
        Called with (what is being done, number done, number of all).

    Returns
    -------
    Outcome

    Raises
    ------
    UsageError
        B105 if the folder holds other things; U116 if there are too few frames.
    """
    from vadbench import synthesize

    folder = Path(out)
    _check_own(folder)
    data = folder / "data"
    is_new = not folder.exists()
    # The mark first: a run that is interrupted can be started again.
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(_MARK_BEGINS + _MARK_TEXT.format(seed=seed), encoding="utf-8", newline="\n")
    try:
        synthesize(
            data,
            seed=seed,
            frames=frames,
            overwrite=True,
            progress=lambda done, total: progress("synthesizing", done, total),
        )
    except UsageError:
        # Wrong numbers leave nothing behind.
        if is_new:
            (folder / MARK).unlink()
            folder.rmdir()
        raise
    dataset = open_dataset("synthetic", data)
    reports = {}
    for name, kind in BASELINES.items():

        def shown(stage: str, done: int, total: int, name: str = name) -> None:
            progress(f"{name}: {stage}", done, total)

        written = write_submission(kind.with_seed(seed), dataset, folder / name, overwrite=True, progress=shown)
        reports[name] = evaluate(Submission.open(written), dataset)
        reports[name].write(folder / f"{name}.report.json")
    try:
        return Outcome(folder, seed, reports, _pictures(folder, reports))
    except UsageError as error:
        # Everything else is worth having without the optional matplotlib.
        return Outcome(folder, seed, reports, (), error.block())


def _pictures(folder: Path, reports: dict[str, Report]) -> tuple[Path, ...]:
    from vadbench.overlay import most_anomalous_frame, write_overlay
    from vadbench.plots import curve_figure

    dataset = open_dataset("synthetic", folder / "data")
    clip_id, frame = most_anomalous_frame(dataset)
    titled = {BASELINES[name].title: report for name, report in reports.items()}
    return (
        curve_figure(titled, folder / "curves.png"),
        write_overlay(folder / "overlay.png", dataset, Submission.open(folder / _SHOWN), clip_id, frame),
    )


def _check_own(folder: Path) -> None:
    """Raise `UsageError` B105 unless there is nothing, an empty folder, or an earlier demonstration."""
    empty = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not empty and not _is_marked(folder / MARK):
        raise UsageError(
            "B105",
            "the folder of the demonstration holds other things, and is left alone",
            where=str(folder),
            expected="no such folder, an empty one, or an earlier demonstration",
            got="a folder" if folder.is_dir() else "a file",
            hint="choose another folder with --out",
        )


def _is_marked(path: Path) -> bool:
    # Read as bytes and in part: a foreign file of that name can be anything.
    beginning = _MARK_BEGINS.encode()
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(beginning)) == beginning

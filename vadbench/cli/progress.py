"""How far the work is: a bar on standard error, only where somebody looks at it, and a count for an interruption."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from vadbench.evaluation.executors import Progress


class Interrupted(KeyboardInterrupt):
    """An interruption that says what it leaves behind."""


@dataclass
class ClipCount:
    """Clips that are done, kept ones among them.

    Parameters
    ----------
    total : int
        All clips.
    done : int
    """

    total: int
    done: int = 0

    def and_tell(self, other: Progress | None) -> Progress:
        """Give a callback that counts and tells another one, if there is one."""

        def moved(done: int, total: int, clip_id: str) -> None:
            # Of two rounds only the second finishes clips.
            self.done = max(0, done - (total - self.total))
            if other is not None:
                other(done, total, clip_id)

        return moved


def tell_retry(name: str, ended: str) -> None:
    """Say on standard error that a worker died, above the bar if there is one."""
    # One call, for another worker may die at the same moment. While there is a bar, standard error is rich's.
    # That nobody reads it any more is no reason to give up the clip.
    with suppress(OSError):
        sys.stderr.write(f"a worker process died ({ended}) at {name}; the clip is begun again\n")
        sys.stderr.flush()


@contextmanager
def clip_progress(title: str, clips: int | None = None, *, unit: str = "clips") -> Iterator[Progress | None]:
    """Give a callback that moves the bar, or None where standard error is not a terminal.

    Parameters
    ----------
    title : str
    clips : int, optional
        Number of clips, where they may be gone through in several rounds.
    unit : str
        What is counted.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, unit=unit)

        def moved(done: int, total: int, clip_id: str) -> None:
            rounds = 1 if clips is None else total // max(1, clips)
            shown = unit if rounds < 2 else f"{unit}, in {'two' if rounds == 2 else rounds} rounds"
            bar.update(task, completed=done, total=total, unit=shown, description=f"{title} · {clip_id}")

        yield moved

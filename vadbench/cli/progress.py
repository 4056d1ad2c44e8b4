"""A progress bar on standard error, only where somebody looks at it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vadbench.evaluation.evaluate import Progress


@contextmanager
def clip_progress(title: str) -> Iterator[Progress | None]:
    """Give a callback that moves the bar, or None where standard error is not a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("clips"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def moved(done: int, total: int, clip_id: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{title} · {clip_id}")

        yield moved

"""Who does the work of the clips: tasks go out to any executor, and results come back in the order of the tasks.

The order in which statistics are folded fixes the last bits of a score, so it never depends on who finished first.

Source: architecture, "The loop".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice
from typing import Protocol, TypeVar

Progress = Callable[[int, int, str], None]
"""Called after each clip with the number of clips done, the number of all, and the clip's id.

Where every clip is gone through in two rounds, both numbers count both, and in the first the id is followed by what is
done in it."""

_AHEAD = 4
"""Tasks a worker that may be under way or done before their turn: enough that nobody waits for a long clip soon, and
few enough that results of 100 clips do not pile up."""

_UNKNOWN_AHEAD = 16
"""The same for all workers together, where nobody says how many there are."""


class ClipWork(Protocol):
    """A task of one clip."""

    @property
    def clip_id(self) -> str:
        """The clip's id."""
        ...


Task = TypeVar("Task", bound=ClipWork)
Result = TypeVar("Result")


def ordered_results(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[Result]:
    """Yield the results of all tasks in the order of the tasks, whoever finished first.

    Parameters
    ----------
    work : callable
        Picklable, as are tasks and results, where the executor is not in this process.
    tasks : sequence
        Each of one clip.
    executor : concurrent.futures.Executor, optional
        In this process, one by one as they are asked for, if absent.
    progress : callable, optional
        Called as each task finishes, whether it is its turn or not.

    Yields
    ------
    Result
        As soon as the next in order is there. A bounded number of tasks is handed out beyond it.

    Notes
    -----
    At an error of a task, at an interruption, or where the caller stops early, all tasks that have not begun are
    cancelled.
    """
    if executor is None:
        for done, task in enumerate(tasks, start=1):
            result = work(task)
            if progress is not None:
                progress(done, len(tasks), task.clip_id)
            yield result
        return
    workers = number_of_workers(executor)
    ahead = _UNKNOWN_AHEAD if workers is None else _AHEAD * workers
    in_turn: deque[Future[Result]] = deque()
    running: dict[Future[Result], str] = {}
    waiting = iter(tasks)
    done = 0
    try:
        while True:
            for task in islice(waiting, ahead - len(in_turn)):
                future = executor.submit(work, task)
                in_turn.append(future)
                running[future] = task.clip_id
            if not in_turn:
                return
            # Before the oldest result is yielded all that has finished is looked at: an error is raised at once, not
            # when it is its turn.
            if running:
                timeout = 0 if in_turn[0].done() else None
                for future in wait(running, timeout, return_when=FIRST_COMPLETED).done:
                    future.result()
                    clip_id = running.pop(future)
                    done += 1
                    if progress is not None:
                        progress(done, len(tasks), clip_id)
            if in_turn[0] not in running:
                yield in_turn.popleft().result()
    finally:
        for future in running:
            future.cancel()


def number_of_workers(executor: Executor | None) -> int | None:
    """How many tasks an executor works on at once; 1 for None, which is this process; None where it does not say."""
    if executor is None:
        return 1
    # Ours say it in public, the executors of the standard library in private.
    for name in ("workers", "_max_workers"):
        workers = getattr(executor, name, None)
        if isinstance(workers, int) and workers > 0:
            return workers
    return None

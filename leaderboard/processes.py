"""Processes of a pool that Ctrl-C does not reach, not even before they have said that it should not.

Source: the documentation of `signal.pthread_sigmask`: a new process begins with the mask of the thread that begins it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")


def process_pool(n_workers: int) -> ProcessPoolExecutor:
    """Pool of processes that begin anew: threads of numerical libraries do not survive that one is forked.

    Its jobs are to be given with `answers`.
    """
    return ProcessPoolExecutor(n_workers, mp_context=get_context("spawn"), initializer=_leave_interruptions_alone)


def answers(
    pool: ProcessPoolExecutor, function: Callable[[Job], Answer], jobs: Iterable[Job], *, chunksize: int
) -> Iterator[Answer]:
    """Results in the order of the jobs, as `ProcessPoolExecutor.map` gives them.

    Ctrl-C reaches every process of a terminal: this one alone answers it, and ends the others.
    """
    # The first job begins all processes, here.
    with _interruptions_wait():
        return pool.map(function, jobs, chunksize=chunksize)


@contextmanager
def _interruptions_wait() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave_interruptions_alone() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

"""Signals that end a program: answered as Ctrl-C is, and held back while files are put in their places."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def _numbers(*names: str) -> list[int]:
    """Numbers of signals that this system has; none in other threads than the main one, where none can be answered."""
    if threading.current_thread() is not threading.main_thread():
        return []
    return [number for name in names if (number := getattr(signal, name, None)) is not None]


@contextmanager
def endings_as_interruptions() -> Iterator[list[int]]:
    """Let SIGTERM and SIGHUP end the program as Ctrl-C does, so that nothing half-written stays; yields the signals."""
    ended_by: list[int] = []

    def end(number: int, _frame: object) -> None:
        ended_by.append(number)
        raise KeyboardInterrupt

    # One that is ignored, as under nohup, stays ignored.
    taken = [number for number in _numbers("SIGTERM", "SIGHUP") if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, end)
    try:
        yield ended_by
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def interruptions_held() -> Iterator[None]:
    """Let signals that end the program wait until the block is done; in other threads than the main one none come."""
    held: list[int] = []
    # Those that the program answers itself; what the system does of its own cannot be told to wait.
    given = {
        number: handler
        for number in _numbers("SIGINT", "SIGTERM", "SIGHUP")
        if callable(handler := signal.getsignal(number))
    }
    try:
        for number in given:
            signal.signal(number, lambda number, _frame: held.append(number))
        yield
    finally:
        for number, handler in given.items():
            signal.signal(number, handler)
        for number in held:
            signal.raise_signal(number)

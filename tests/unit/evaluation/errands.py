"""Tasks for tests of executors: in a module of their own, so that workers can import them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vadbench.errors import SubmissionError
from vadbench.evaluation.shared_arrays import SharedArray


@dataclass(frozen=True)
class Errand:
    """A task of one clip; with a folder in which its traces are left."""

    clip_id: str
    folder: Path | None = None
    array: SharedArray | None = None

    def trace(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{self.clip_id}-{name}"


def clip_id(errand: Errand) -> str:
    return errand.clip_id


def process_id(errand: Errand) -> int:
    return os.getpid()


def total(errand: Errand) -> float:
    assert errand.array is not None
    return float(errand.array.open().sum())


def environment(errand: Errand) -> str | None:
    return os.environ.get(errand.clip_id)


def talkative(errand: Errand) -> str:
    """Print to where the answers go, and read from where the calls come from."""
    sys.stdout.write("not an answer\n")
    sys.stdout.flush()
    os.write(1, b"not an answer either\n")
    return sys.stdin.read()


def refuse(errand: Errand) -> None:
    raise SubmissionError(
        "S104", "frame count differs", where=("here", errand.clip_id), expected="1", got="2", hint="count"
    )


def want_memory(errand: Errand) -> None:
    np.zeros(2**62, dtype=np.uint8)


class TwoPartError(Exception):
    """An error that does not survive pickling: it is made from two values and tells one."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


def refuse_strangely(errand: Errand) -> None:
    raise TwoPartError("one", "two")


def unsendable(errand: Errand) -> Callable[[], Any]:
    return lambda: None


def sleep(errand: Errand) -> None:
    """Leave the process's id, then sleep for longer than any test."""
    errand.trace("begun").write_text(str(os.getpid()))
    time.sleep(100)


def die_once(errand: Errand) -> str:
    """Kill this process, the first time."""
    if not errand.trace("died").exists():
        errand.trace("died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{errand.clip_id} lives"


def die(errand: Errand) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(errand: Errand) -> None:
    os._exit(3)


def wait_for(path: Path, seconds: float = 30) -> str:
    """Content of a file that another process writes, as soon as it is there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.01)
    raise TimeoutError(f"{path} does not appear")


def is_running(process: int) -> bool:
    """Whether a process works on; one that has ended and was not waited for does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(processes: list[int], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while any(is_running(process) for process in processes):
        if time.monotonic() > end:
            raise TimeoutError(f"{processes} are still there")
        time.sleep(0.01)

"""Whole processes from outside: wall time, and the memory of the process with all its children."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLES_A_SECOND = 5


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Parameters
    ----------
    seconds : float
        From its start to its end.
    pss_bytes, rss_bytes : int
        Largest sum over the process and its children, sampled: proportional shares (a page shared by two counts half
        for each) and resident sizes (it counts twice). Both hold the pages of mapped files that were touched.
    output, errors : str
    """

    seconds: float
    pss_bytes: int
    rss_bytes: int
    output: str
    errors: str


class FailedError(Exception):
    """A process ended with an error; the text is the end of what it said."""


def watched(command: Sequence[str], environment: Mapping[str, str], folder: Path, *, memory: bool = True) -> Ended:
    """Run a process to its end; raises `FailedError`."""
    began = time.perf_counter()
    process = subprocess.Popen(
        list(command), env=dict(environment), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    sampler = _Sampler(process.pid) if memory else None
    if sampler is not None:
        sampler.start()
    output, errors = process.communicate()
    seconds = time.perf_counter() - began
    if sampler is not None:
        sampler.stop()
    if process.returncode:
        raise FailedError((errors or output).strip()[-400:] or f"exit code {process.returncode}")
    pss, rss = (sampler.pss_bytes, sampler.rss_bytes) if sampler is not None else (0, 0)
    return Ended(seconds, pss, rss, output, errors)


class _Sampler(threading.Thread):
    """Looks at a process tree five times a second; this costs some milliseconds a look."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self.pss_bytes = self.rss_bytes = 0

    def run(self) -> None:
        while not self._ended.wait(1 / SAMPLES_A_SECOND):
            pss = rss = 0
            for process in self._tree():
                try:
                    whole = process.memory_full_info()
                except psutil.Error:
                    continue
                # Systems without proportional shares give the unique ones.
                pss += getattr(whole, "pss", None) or getattr(whole, "uss", whole.rss)
                rss += whole.rss
            self.pss_bytes, self.rss_bytes = max(self.pss_bytes, pss), max(self.rss_bytes, rss)

    def _tree(self) -> list[psutil.Process]:
        try:
            root = psutil.Process(self._pid)
            return [root, *root.children(recursive=True)]
        except psutil.Error:
            return []

    def stop(self) -> None:
        """End the sampling."""
        self._ended.set()
        self.join()

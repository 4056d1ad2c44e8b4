"""Worker processes that say which clip they were at when they die.

`concurrent.futures.ProcessPoolExecutor` breaks as a whole when one of its processes is killed, does not say which task
killed it, and waits for the running tasks at an interruption. Here every worker has its own pipe.

Source: architecture, "The loop".
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from numpy.typing import NDArray

from vadbench.errors import UsageError, VadbenchError
from vadbench.evaluation.shared_arrays import MappedArray
from vadbench.evaluation.worker import Answer, inside_worker, read_message, write_message

P = ParamSpec("P")
R = TypeVar("R")

OnRetry = Callable[[str, str], object]
"""Told of a worker that died before its task is begun again: the task, such as "clip 03", and how the worker ended."""

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from vadbench.evaluation.worker import serve; serve()"
)
"""The main program of the caller is not run again, so that a script needs no guard ``if __name__ == "__main__"``."""

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "BLOSC_NTHREADS",
)
"""Environment variables that keep the libraries of a worker to its own core."""

_ATTEMPTS = 2
"""How often a clip is begun whose worker dies: once may be chance, the system being short of memory."""


class WorkerError(VadbenchError):
    """A worker did not bring its work to an end, for no fault of the submission that is known."""


@dataclass(frozen=True)
class _Job:
    future: Future[Any]
    call: Callable[[], Any]
    name: str
    """What it is about, for an error: a clip."""


class _DiedError(Exception):
    """The worker's end of the pipe is closed."""


class _Process:
    """A worker and the pipe to it; used by one thread."""

    def __init__(self) -> None:
        with _without_interruption():
            self._popen = subprocess.Popen(  # noqa: S603 - this interpreter, and a program of our own
                # -P: nothing is imported from the current folder, unless the caller's own path has it.
                [sys.executable, "-P", "-c", _START, json.dumps([entry or str(Path.cwd()) for entry in sys.path])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | dict.fromkeys(_ONE_THREAD, "1"),
            )

    def ask(self, main: bytes, call: bytes) -> Answer:
        """Let the worker do a call and wait for its answer; raises `_DiedError`."""
        calls, answers = self._popen.stdin, self._popen.stdout
        if calls is None or answers is None:
            raise _DiedError
        try:
            write_message(calls, main)
            write_message(calls, call)
            answer = read_message(answers)
        except OSError as error:
            raise _DiedError from error
        if answer is None:
            raise _DiedError
        known: Answer = pickle.loads(answer)  # noqa: S301 - from the process that this one started
        return known

    def kill(self) -> None:
        """End the worker at once; what it was at is lost."""
        self._popen.kill()

    def end(self) -> int:
        """Close the pipe, on which the worker ends, and give its exit code (negative: the signal)."""
        for pipe in (self._popen.stdin, self._popen.stdout):
            # What was not yet sent to a dead worker cannot be sent.
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        return self._popen.wait()


@dataclass
class _Desk:
    """What the threads of a pool share; only touched under the lock, but for the queue."""

    on_retry: OnRetry | None = None
    jobs: SimpleQueue[_Job | None] = field(default_factory=SimpleQueue)
    lock: threading.Lock = field(default_factory=threading.Lock)
    unfinished: int = 0
    processes: set[_Process] = field(default_factory=set)
    peaks: dict[_Process, int] = field(default_factory=dict)
    closed: bool = False
    stopped: bool = False


class ProcessWorkers(Executor):
    """Processes of this machine that work on clips; to be used as a context.

    Parameters
    ----------
    workers : int
        Most processes at once, at least 1. They start as tasks come, never more than tasks, and stay for the next
        evaluation until the pool is closed.
    on_retry : callable, optional
        Called with a task's name, such as ``clip 03``, and how its worker ended, such as ``signal SIGKILL``, before the
        task is begun again; from a thread of the pool. What it raises, the task's future raises.

    Raises
    ------
    UsageError
        U170 for a number below 1; U172 inside of a worker, where a script without
        ``if __name__ == "__main__":`` would start workers again.

    Notes
    -----
    A worker is a new interpreter, not a fork, which would share the threads and locks of the libraries that read
    submissions. It has one thread a library. Where a worker dies, another takes its place and its task is begun once
    more; if that one dies, too, the task's future raises `WorkerError` U173 with the clip. An error inside of the
    context, be it an interruption, ends the workers at once. Workers end when the process that started them is gone.

    Examples
    --------
    ::

        with ProcessWorkers(2) as workers:
            report = vadbench.evaluate(submission, dataset, executor=workers)
    """

    def __init__(self, workers: int, on_retry: OnRetry | None = None) -> None:
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
            raise UsageError("U170", "the number of workers must be 1 or more", got=str(workers))
        if inside_worker():
            raise UsageError(
                "U172",
                "a worker process would start worker processes",
                hint="the tasks need what this program defines, so workers run it, too. Put what starts them under\n"
                'if __name__ == "__main__":, or the definitions into a module of their own',
            )
        self.workers = workers
        self._desk = _Desk(on_retry)
        self._threads: list[threading.Thread] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Hand a call to the next free worker.

        Function, arguments and result must be picklable. Where the first argument has a ``clip_id``, errors name it.
        """
        future: Future[R] = Future()
        clip_id = getattr(args[0], "clip_id", None) if args else None
        name = f"clip {clip_id}" if clip_id is not None else getattr(fn, "__name__", type(fn).__name__)
        desk = self._desk
        with desk.lock:
            if desk.closed:
                raise RuntimeError("these workers are closed")
            desk.unfinished += 1
            desk.jobs.put(_Job(future, partial(fn, *args, **kwargs), name))
            if desk.unfinished > len(self._threads) < self.workers:
                # Daemons: a program that forgets to close the pool ends all the same, and the workers with it.
                thread = threading.Thread(target=_attend, args=(desk,), daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def share(self, array: NDArray[Any]) -> MappedArray:
        """Write an array to a temporary file that workers map into memory.

        The file goes with the handle, or when the pool is closed.
        """
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="vadbench-", ignore_cleanup_errors=True)
        handle, name = tempfile.mkstemp(dir=self._folder.name, suffix=".npy")
        os.close(handle)
        shared = MappedArray.written(array, Path(name))
        weakref.finalize(shared, _remove, shared.path)
        return shared

    @property
    def peak_memory_bytes(self) -> int:
        """Sum over all workers so far of the largest resident size of each; what they share counts for each."""
        with self._desk.lock:
            return sum(self._desk.peaks.values())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the pool: no new tasks, and workers end after the last.

        Parameters
        ----------
        wait : bool
            Until they have ended.
        cancel_futures : bool
            Tasks that have not begun are cancelled.
        """
        desk = self._desk
        with desk.lock:
            desk.closed = True
        if cancel_futures:
            self._cancel_waiting()
        for _ in self._threads:
            desk.jobs.put(None)
        if wait:
            for thread in self._threads:
                thread.join()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def terminate(self) -> None:
        """End all workers at once, whatever they are at, and close the pool."""
        desk = self._desk
        with desk.lock:
            desk.closed = desk.stopped = True
            for process in desk.processes:
                process.kill()
        self.shutdown(cancel_futures=True)

    def _cancel_waiting(self) -> None:
        # Without waiting: the threads of the workers take jobs from the queue, too, until there is none.
        with contextlib.suppress(Empty):
            while True:
                job = self._desk.jobs.get_nowait()
                if job is not None:
                    job.future.cancel()
                    job.future.set_running_or_notify_cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Close the pool, at once where an error leaves the context."""
        if kind is None:
            self.shutdown()
        else:
            self.terminate()
        return None


def _remove(path: Path) -> None:
    # Not every system removes a file that a worker still maps; the folder goes later.
    with contextlib.suppress(OSError):
        path.unlink()


def _attend(desk: _Desk) -> None:
    """Thread of one worker, which is started for the first job and replaced where it dies."""
    process: _Process | None = None
    try:
        while (job := desk.jobs.get()) is not None:
            outcome: Any = None
            error: BaseException | None = None
            wanted = job.future.set_running_or_notify_cancel()
            if wanted:
                process, outcome, error = _attempted(desk, job, process)
            # Before the result is known: who waits for it may hand in the next task, for which this worker is free.
            with desk.lock:
                desk.unfinished -= 1
            if wanted and error is not None:
                job.future.set_exception(error)
            elif wanted:
                job.future.set_result(outcome)
            # Nothing may be held while waiting for the next job.
            del job, outcome, error
    finally:
        if process is not None:
            _dismiss(desk, process)


def _attempted(desk: _Desk, job: _Job, process: _Process | None) -> tuple[_Process | None, Any, BaseException | None]:
    """Let a worker do a job; gives the worker that is alive afterwards, the result, and the error."""
    try:
        call = pickle.dumps(job.call, protocol=5)
        main = pickle.dumps(_own_main() if b"__main__" in call else None)
    except Exception as error:
        return process, None, cannot_be_sent(job.name, error)
    exit_code = 0
    for attempt in range(_ATTEMPTS):
        try:
            if attempt and desk.on_retry is not None:
                desk.on_retry(job.name, _ended(exit_code))
            process = process or _started(desk)
            answer = process.ask(main, call)
        except _DiedError:
            exit_code, process = _dismiss(desk, process), None
            if desk.stopped:
                return None, None, CancelledError()
        except BaseException as error:
            return process, None, error
        else:
            with desk.lock:
                desk.peaks[process] = answer.peak_memory_bytes
            return process, answer.result, answer.error
    return None, None, _died(job, exit_code)


def _started(desk: _Desk) -> _Process:
    # Under the lock, so that no process begins unseen while the pool is stopped.
    with desk.lock:
        if desk.stopped:
            raise _DiedError
        process = _Process()
        desk.processes.add(process)
    return process


def _dismiss(desk: _Desk, process: _Process | None) -> int:
    if process is None:
        return 0
    with desk.lock:
        desk.processes.discard(process)
    return process.end()


@contextlib.contextmanager
def _without_interruption() -> Iterator[None]:
    """Begin a process that is never interrupted from a terminal, not even before it has said that it will not be."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _own_main() -> dict[str, Any]:
    """How this program was started, for a worker that needs what it defines."""
    from multiprocessing import spawn

    prepared = spawn.get_preparation_data("vadbench worker")
    return {key: prepared[key] for key in ("init_main_from_name", "init_main_from_path") if key in prepared}


def cannot_be_sent(name: str, error: Exception) -> UsageError:
    """Error U174 about a task that does not pickle."""
    told = UsageError(
        "U174",
        "what a clip needs cannot be sent to a worker",
        where=name,
        got=f"{type(error).__name__}: {error}",
        hint="keep open files, locks and functions without a name out of data sets and predictions, or do without "
        "workers",
    )
    told.__cause__ = error
    return told


def _ended(exit_code: int) -> str:
    """How a worker ended, in words."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return f"signal {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"signal {-exit_code}"


def _died(job: _Job, exit_code: int) -> WorkerError:
    ended = _ended(exit_code)
    return WorkerError(
        "U173",
        "a worker process died, and so did the one that began the clip again",
        where=job.name,
        got=ended,
        hint="SIGKILL mostly means that memory ran out: run fewer workers"
        if ended == "signal SIGKILL"
        else "run without workers to see what happens, or with fewer if memory is short",
    )

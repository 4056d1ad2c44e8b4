"""Workers of a Dask cluster: the same tasks on other machines, which read submission and data set at the same paths.

Source: architecture, "The loop".
"""

from __future__ import annotations

import functools
import importlib
import pickle
import socket
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from numpy.typing import NDArray

from vadbench.errors import UsageError, quoted
from vadbench.evaluation.processes import WorkerError, cannot_be_sent
from vadbench.evaluation.shared_arrays import SharedArray
from vadbench.evaluation.worker import not_found
from vadbench.version import __version__

P = ParamSpec("P")
R = TypeVar("R")

_LARGEST_GREETING = 2**20
"""Bytes of the first message of a scheduler, generously; text read as its length is far more."""

_here: dict[str, list[NDArray[Any]]] = {}
"""Shared arrays of the calls under way in this process, by token; an entry for each call."""

_here_lock = threading.Lock()


class ClusterArray(SharedArray):
    """An array in the memory of the workers of a cluster, there while the handle lives where it was made."""

    def __init__(self, token: str) -> None:
        self._token = token

    def open(self) -> NDArray[Any]:
        """Give the array; inside of a task only."""
        with _here_lock:
            return _here[self._token][-1]


class DaskWorkers(Executor):
    """Workers of a running Dask cluster; to be used as a context.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.5:8786``.
    timeout : float
        Seconds to wait for the scheduler, and for the first worker.

    Raises
    ------
    UsageError
        U175 without the package; U176 if there is no scheduler at the address; U177 if it has no workers, or they
        have another version of vadbench or none.

    Notes
    -----
    Paths of submission, data set and kept results must lead to the same files on every worker. Where a worker dies,
    its clip is begun again as often as the scheduler's setting ``distributed.scheduler.allowed-failures`` says (3 times
    if nobody changed it); then the task's future raises `WorkerError` U173 with the clip.

    Examples
    --------
    ::

        with DaskWorkers("tcp://10.0.0.5:8786") as workers:
            report = vadbench.evaluate(submission, dataset, executor=workers)
    """

    def __init__(self, address: str, *, timeout: float = 10.0) -> None:
        self._client = _connected(address, timeout)
        try:
            _check_workers(self._client, address, timeout)
        except BaseException:
            self._client.close()
            raise
        self._unfinished: set[Future[Any]] = set()
        self._arrays: weakref.WeakKeyDictionary[ClusterArray, Any] = weakref.WeakKeyDictionary()

    @property
    def workers(self) -> int:
        """How many tasks the cluster works on at once, as it is now."""
        return max(1, sum(int(threads) for threads in self._client.nthreads().values()))

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Hand a call to the cluster; where the first argument has a ``clip_id``, errors name it."""
        import dask

        clip_id = getattr(args[0], "clip_id", None) if args else None
        name = "a task" if clip_id is None else f"clip {clip_id}"
        future: Future[R] = Future()
        try:
            call = _pickled(functools.partial(fn, *args, **kwargs))
        except Exception as error:
            future.set_exception(cannot_be_sent(name, error))
            return future
        shared = dict(self._arrays)
        # Predictions in memory are meant to travel with their tasks; Dask would warn of every large one.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1000 PB"}):
            theirs = self._client.submit(
                _call_with_arrays,
                call,
                [array._token for array in shared],
                *shared.values(),
                pure=False,
                retries=0,
            )
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        future.add_done_callback(lambda own: theirs.cancel() if own.cancelled() else None)
        theirs.add_done_callback(functools.partial(_pass_on, future, name))
        return future

    def share(self, array: NDArray[Any]) -> ClusterArray:
        """Send an array to every worker, once, for the calls that are handed in while its handle lives."""
        handle = ClusterArray(uuid.uuid4().hex)
        self._arrays[handle] = self._client.scatter(array, broadcast=True, hash=False)
        return handle

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which goes on.

        Parameters
        ----------
        wait : bool
            Until the calls that were handed in are done; else they are cancelled.
        cancel_futures : bool
            Calls are cancelled in either case.
        """
        unfinished = list(self._unfinished)
        if wait and not cancel_futures:
            wait_for(unfinished)
        for future in unfinished:
            future.cancel()
        self._arrays.clear()
        self._client.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave the cluster, at once where an error leaves the context."""
        self.shutdown(cancel_futures=kind is not None)
        return None


def _connected(address: str, timeout: float) -> Any:
    """A client of the scheduler; Dask's own types say too little of themselves to be checked."""
    try:
        distributed: Any = importlib.import_module("distributed")
        comm: Any = importlib.import_module("distributed.comm")
    except ImportError as error:
        raise UsageError(
            "U175", "Dask workers need the package `distributed`", hint="pip install 'vadbench[dask]'"
        ) from error
    try:
        # Before there is a client: one that cannot connect waits for long, and complains once more when it is deleted.
        scheme, place = comm.parse_address(address)
        comm.registry.get_backend(scheme)
        if scheme == "tcp":
            host, port = comm.parse_host_port(place)
            _check_greeting(host, port, timeout)
        elif scheme == "tls" and not distributed.Security().get_connection_args("client").get("ssl_context"):
            raise ValueError("no certificates are set in Dask's configuration, distributed.comm.tls")
        return distributed.Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            "U176",
            "there is no Dask scheduler at this address",
            where=quoted(address),
            expected="the address that `dask scheduler` prints, such as tcp://10.0.0.5:8786",
            got=str(error) or type(error).__name__,
        ) from error


def _check_greeting(host: str, port: int, timeout: float) -> None:
    """Raise an OSError where nobody listens, or somebody who is no scheduler: Dask would wait for ever for those."""
    with socket.create_connection((host, port), timeout) as connection:
        try:
            greeting = connection.recv(8, socket.MSG_WAITALL)
        except TimeoutError as error:
            raise OSError("somebody listens, but is silent where a scheduler speaks first") from error
    if len(greeting) < 8 or int.from_bytes(greeting, "little") > _LARGEST_GREETING:
        raise OSError("somebody listens who is no scheduler")


def _check_workers(client: Any, address: str, timeout: float) -> None:
    try:
        client.wait_for_workers(1, timeout=timeout)
    except TimeoutError as error:
        raise UsageError(
            "U177",
            "the Dask cluster has no workers",
            where=address,
            hint="start some where the data are: dask worker ADDRESS --nthreads 1",
        ) from error
    try:
        versions = {"scheduler": client.run_on_scheduler(_version)} | client.run(_version)
    except Exception as error:
        raise UsageError(
            "U177",
            "the scheduler or workers of the Dask cluster do not have vadbench",
            where=address,
            expected=f"vadbench {__version__} on all of them",
            got=f"{type(error).__name__}: {error}",
        ) from error
    for place, version in versions.items():
        if version != __version__:
            raise UsageError(
                "U177",
                "the scheduler or a worker of the Dask cluster has another version of vadbench",
                where=(address, str(place)),
                expected=__version__,
                got=str(version),
            )


def _version() -> str:
    return __version__


def _pickled(call: Callable[[], Any]) -> bytes:
    """The call as bytes, since the scheduler would take it apart and put it together again."""
    content = pickle.dumps(call, protocol=5)
    if b"__main__" in content:
        cloudpickle: Any = importlib.import_module("cloudpickle")
        # What the caller's own program defines goes along; workers could not import it.
        content = bytes(cloudpickle.dumps(call, protocol=5))
    return content


def _call_with_arrays(call: bytes, tokens: list[str], *arrays: NDArray[Any]) -> Any:
    """Do a call on a worker, with the shared arrays at hand."""
    try:
        function = pickle.loads(call)  # noqa: S301 - from the client, which the cluster trusts with any code
    except (AttributeError, ImportError) as error:
        raise not_found(error) from error
    with _at_hand(tokens, arrays):
        return function()


@contextmanager
def _at_hand(tokens: list[str], arrays: tuple[NDArray[Any], ...]) -> Iterator[None]:
    with _here_lock:
        for token, array in zip(tokens, arrays, strict=True):
            _here.setdefault(token, []).append(array)
    try:
        yield
    finally:
        with _here_lock:
            for token in tokens:
                _here[token].pop()
                if not _here[token]:
                    del _here[token]


def _pass_on(future: Future[Any], name: str, theirs: Any) -> None:
    """Set our future as Dask's is, with errors about workers that say what became of which clip."""
    result, error = None, None
    try:
        if not future.cancelled():
            result = theirs.result()
    # A cancelled task raises what is no Exception, and nothing may be lost here: somebody waits for the future.
    except BaseException as raised:
        error = _gone(name) if theirs.status in ("cancelled", "lost") else _told(raised, name)
    # The cluster need not keep the result until nobody knows of the future any more.
    theirs.release()
    if not future.set_running_or_notify_cancel():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _told(error: BaseException, name: str) -> BaseException:
    from distributed import KilledWorker

    if not isinstance(error, KilledWorker):
        return error
    told = WorkerError(
        "U173",
        "a worker process died, and so did those that began the clip again",
        where=(name, str(error.last_worker.address)),
        hint="memory ran out there, perhaps: give the workers more of it, or fewer threads; their logs say more",
    )
    told.__cause__ = error
    return told


def _gone(name: str) -> WorkerError:
    return WorkerError(
        "U178",
        "the Dask cluster gave up a clip",
        where=name,
        hint="the scheduler was closed or lost; its log says more",
    )

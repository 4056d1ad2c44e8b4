"""A connection to a place on the network: what this process knows of it already, and patience where it fails.

Source: submission.md, "Behind a URL".
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import islice
from typing import Any, TypeVar

from vadbench.errors import SubmissionError, quoted
from vadbench.submission.problems import problem
from vadbench.submission.remote_http import HttpStore
from vadbench.submission.remote_place import RemotePlace
from vadbench.submission.remote_s3 import S3Store
from vadbench.submission.remote_store import Failure, Store, StoreError, TransientError
from vadbench.submission.tree import MOST_ENTRIES

PAUSES = (0.2, 1.0, 3.0)
"""Seconds between the attempts, of which there is one more."""

LARGEST_KEPT = 256 * 2**10
_MOST_KEPT = 16 * 2**20
_MOST_LISTINGS = 8
_MOST_CONNECTIONS = 4

Result = TypeVar("Result")


class Connection:
    """What a process knows of one opening of a submission.

    Parameters
    ----------
    place : RemotePlace
    store : Store
    """

    def __init__(self, place: RemotePlace, store: Store) -> None:
        self._place, self._store = place, store
        self._lock = threading.RLock()
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._kept: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()

    def once(self, what: Hashable, make: Callable[[], Result]) -> Result:
        """Give a listing or a directory, made when it is first asked for; the last few of them are kept."""
        with self._lock:
            if what not in self._known:
                self._known[what] = make()
                if len(self._known) > _MOST_LISTINGS:
                    self._known.popitem(last=False)
            self._known.move_to_end(what)
            found: Result = self._known[what]
            return found

    def size(self) -> int:
        """Size of the file that the URL names."""
        return self._patiently("", self._store.size)

    def names(self, folder: str, *, below: bool) -> list[tuple[str, int]]:
        """Names in a folder, one more than allowed at most; see `Store.names`; all again where a page fails."""
        return self._patiently(folder, lambda: list(islice(self._store.names(folder, below=below), MOST_ENTRIES + 1)))

    def read(self, name: str, start: int, stop: int, *, shown: str = "") -> bytes:
        """Bytes of a file; small files are kept, because metadata is asked for more than once.

        ``shown`` is the name in messages where it is not the file's.
        """
        part = (name, start, stop)
        with self._lock:
            if part in self._kept:
                self._kept.move_to_end(part)
                return self._kept[part]
        data = self._patiently(shown or name, lambda: self._store.read(name, start, stop))
        if len(data) <= LARGEST_KEPT:
            with self._lock:
                self._kept[part] = data
                while sum(map(len, self._kept.values())) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        return data

    def _patiently(self, name: str, ask: Callable[[], Result]) -> Result:
        for pause in (*PAUSES, None):
            try:
                return ask()
            except StoreError as error:
                failure: SubmissionError = self._problem(error.failure, name, error.got, error.hint)
                break
            except TransientError as error:
                failure = self._problem(
                    Failure.UNREACHABLE, name, str(error), "try again later; look at network, proxy and address"
                )
                if pause is not None:
                    # Not all workers at the same moment.
                    time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
        # Not from the error: what it came from holds the URL with all that is secret in it.
        raise failure from None

    def _problem(self, code: str, name: str, got: str, hint: str) -> SubmissionError:
        where = (self._place.shown, quoted(name)) if name else (self._place.shown,)
        return problem(code, where=where, got=got, hint=hint)


_connections: OrderedDict[tuple[int, str], Connection] = OrderedDict()
_connections_lock = threading.Lock()


def connection(place: RemotePlace) -> Connection:
    """Connection of this process to a place; the last few are kept.

    Raises
    ------
    UsageError
        U139 if a package for it is not installed.
    """
    # A process that was forked has its own: sockets and threads of its parent are of no use to it.
    key = (os.getpid(), place.opening)
    with _connections_lock:
        if key not in _connections:
            store: Store = S3Store(*place.bucket_and_key) if place.is_s3 else HttpStore(place.url)
            _connections[key] = Connection(place, store)
            if len(_connections) > _MOST_CONNECTIONS:
                _connections.popitem(last=False)
        _connections.move_to_end(key)
        return _connections[key]

"""What a place on the network is asked for, and the ways in which it can fail.

Source: submission.md, "Behind a URL".
"""

from __future__ import annotations

import errno
import importlib
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

from vadbench.errors import UsageError


class Failure(StrEnum):
    """Why a store does not give what it was asked for: the code of the `SubmissionError` that it becomes."""

    CHANGED = "S124"
    REFUSED = "S125"
    ABSENT = "S126"
    UNREACHABLE = "S127"
    WITHOUT_PARTS = "S128"


class StoreError(Exception):
    """The store does not give what it was asked for, and will not if asked again.

    Parameters
    ----------
    failure : Failure
    got, hint : str
        Hold no credentials.
    """

    def __init__(self, failure: Failure, got: str, hint: str = "") -> None:
        super().__init__(got)
        self.failure, self.got, self.hint = failure, got, hint


class TransientError(Exception):
    """The store may give it if asked again; the text holds no credentials."""


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or "Timeout" in type(error).__name__


def _is_unreachable(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


def _is_broken(error: BaseException) -> bool:
    """Known by name: the packages need not be imported to look for their errors."""
    families = ("ConnectionError", "ClientConnectionError", "ClientPayloadError", "HTTPClientError", "IncompleteRead")
    return any(kind.__name__.startswith(families) for kind in type(error).__mro__)


_FAILURES: tuple[tuple[Callable[[BaseException], bool], str], ...] = (
    (lambda error: isinstance(error, socket.gaierror), "the name of the server is not known"),
    (lambda error: isinstance(error, ConnectionRefusedError), "the server refuses the connection"),
    (_is_timeout, "no answer in time"),
    (_is_unreachable, "the network does not reach the server"),
    (_is_broken, "the connection was broken off"),
)
"""What a connection fails of, the cause that says most first."""


class Store(ABC):
    """Files behind one URL, named relative to it; the empty name is what the URL itself names.

    All methods raise `StoreError` and `TransientError`, and may be called from several threads.
    """

    @abstractmethod
    def size(self) -> int:
        """Size in bytes of the file that the URL names; `StoreError` S126 if there is none."""

    @abstractmethod
    def read(self, name: str, start: int, stop: int) -> bytes:
        """Bytes of a file; as many as asked for."""

    @abstractmethod
    def names(self, folder: str, *, below: bool) -> Iterator[tuple[str, int]]:
        """Names in a folder, relative to the URL, with their sizes; names of folders end in a slash.

        Parameters
        ----------
        folder : str
        below : bool
            Also names in the folders of the folder, not only the folders' own.
        """


def package(name: str) -> Any:
    """Module of the extra ``remote``; raises `UsageError` U139 if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        missing = name.partition(".")[0]
    raise UsageError(
        "U139",
        "a package for reading from the network is not installed",
        got=f"no {missing}",
        hint="pip install 'vadbench[remote]'",
    )


def is_of_the_network(error: Exception) -> bool:
    """Whether an error may come from a server or the way to it, and is no fault of this program."""
    families = ("ClientError", "BotoCoreError")
    # aiobotocore follows a server that redirects from everywhere until Python stops it.
    return isinstance(error, OSError | ValueError | EOFError | RecursionError) or any(
        kind.__name__ in families for kind in type(error).__mro__
    )


def connection_failure(error: BaseException) -> StoreError | TransientError | None:
    """What a failed connection means, found from the error of the system behind it; None if it is none.

    The texts of the errors are left out: they hold the URL with all that is secret in it.
    """
    chain = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in chain):
        return StoreError(
            Failure.UNREACHABLE, "the server's certificate is not accepted", "the name or the clock may be wrong"
        )
    for is_meant, words in _FAILURES:
        if any(map(is_meant, chain)):
            return TransientError(words)
    return None


def status_failure(status: int, hint: str) -> StoreError | TransientError:
    """What an answer's status means, other than the one that was hoped for."""
    if status in (401, 403):
        return StoreError(Failure.REFUSED, f"the server's answer is {status}", hint)
    if status in (404, 410):
        return StoreError(Failure.ABSENT, f"the server's answer is {status}")
    if status in (408, 429) or status >= 500:
        return TransientError(f"the server's answer is {status}")
    return StoreError(Failure.UNREACHABLE, f"the server's answer is {status}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it came from."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and current not in seen:
            seen.append(current)
            yield current
            told = getattr(current, "kwargs", None)
            waiting += [current.__cause__, current.__context__, getattr(current, "os_error", None)]
            waiting += [told.get("error")] if isinstance(told, dict) else []

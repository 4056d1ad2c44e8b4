"""A file on the web, read in parts, through fsspec's session of aiohttp."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from vadbench.submission.remote_place import is_allowed_address, is_on_this_machine
from vadbench.submission.remote_store import (
    Failure,
    Store,
    StoreError,
    connection_failure,
    is_of_the_network,
    package,
    status_failure,
)

_CONNECT_SECONDS = 10
_READ_SECONDS = 30
_WHOLE_SECONDS = 600
"""Of one answer, so that a server which gives a byte now and then does not hold us for ever."""

_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_REFUSED = "give the URL with what the server asks for: a signed one that has not run out, or user and password"
_DOWNLOAD = "download the file and give its path"


class HttpStore(Store):
    """One file at an address of the web.

    Parameters
    ----------
    url : str
        With ``https``, or ``http`` on this machine; redirects must be so, too, and lead to this machine only if the
        URL itself does.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        # What is quoted already stays as it is: a signature holds for the very signs that were signed.
        path, query = (quote(part, safe="%/:=&?~+!$,;'@()*[]") for part in (parts.path, parts.query))
        self._url = parts._replace(path=path, query=query).geturl()
        # Where a redirect led: addresses that downloads redirect to are good for some minutes at least.
        self._target = self._url
        # Else any server could have us ask what listens on this machine for nobody else.
        self._loopback = is_on_this_machine(url)
        self._size: int | None = None
        package("aiohttp")
        system = package("fsspec.implementations.http")
        self._sync = package("fsspec.asyn").sync
        timeout = package("aiohttp").ClientTimeout(
            total=_WHOLE_SECONDS, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS
        )
        # Proxies and passwords of the environment count, as for other programs; nothing is unpacked on the way.
        options = {"timeout": timeout, "trust_env": True, "auto_decompress": False}
        self._system = system.HTTPFileSystem(client_kwargs=options, skip_instance_cache=True)

    def size(self) -> int:
        """Size of the file, from the answer to a request for its first bytes, which every server must grant."""
        if self._size is None:
            self._asked(0, 4)
        return self._size or 0

    def read(self, name: str, start: int, stop: int) -> bytes:
        """Bytes of the file."""
        if name:
            raise StoreError(Failure.ABSENT, "a file inside of a file")
        data = self._asked(start, stop) if stop > start else b""
        if len(data) != stop - start:
            raise StoreError(
                Failure.CHANGED, f"{len(data)} bytes instead of {stop - start}", "it was replaced while it was read"
            )
        return data

    def names(self, folder: str, *, below: bool) -> Iterator[tuple[str, int]]:
        """Nothing: the web has no folders."""
        return iter(())

    def _asked(self, start: int, stop: int) -> bytes:
        from_redirect = self._target != self._url
        try:
            return self._once(start, stop)
        except StoreError:
            if not from_redirect:
                raise
        # The address that a redirect led to has run out; the one that was given leads to another.
        self._target = self._url
        return self._once(start, stop)

    def _once(self, start: int, stop: int) -> bytes:
        try:
            data: bytes = self._sync(self._system.loop, self._part, start, stop)
        except StoreError:
            raise
        except Exception as error:  # aiohttp, asyncio and the system raise errors of many families.
            if not is_of_the_network(error):
                raise
            failure = connection_failure(error) or StoreError(Failure.UNREACHABLE, type(error).__name__)
        else:
            return data
        raise failure from None

    async def _part(self, start: int, stop: int) -> bytes:
        address = package("yarl").URL
        session = await self._system.set_session()
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
        url = self._target
        for _ in range(_MOST_REDIRECTS + 1):
            async with session.get(address(url, encoded=True), headers=headers, allow_redirects=False) as answer:
                if answer.status not in _REDIRECTS:
                    data = await self._content(answer, start, stop)
                    self._target = url
                    return data
                url = urljoin(url, answer.headers.get("Location", ""))
                if not is_allowed_address(url, loopback=self._loopback):
                    led = "this machine" if is_on_this_machine(url) else "an address that is not https"
                    raise StoreError(Failure.UNREACHABLE, f"a redirect to {led}", _DOWNLOAD)
        raise StoreError(Failure.UNREACHABLE, "one redirect after the other")

    async def _content(self, answer: Any, start: int, stop: int) -> bytes:
        """Bytes of an answer that gives exactly the part that was asked for; not one more is read."""
        if answer.status == 416:
            # There is no such part: the file is shorter, or empty.
            self._check_size(_number(answer.headers.get("Content-Range", ""), r"bytes \*/(\d{1,18})"))
            return b""
        if answer.status == 200:
            raise StoreError(Failure.WITHOUT_PARTS, "the whole file instead of a part", _DOWNLOAD)
        if answer.status != 206:
            raise status_failure(answer.status, _REFUSED)
        told = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if told is None or answer.headers.get("Content-Encoding", "identity") != "identity":
            raise StoreError(Failure.WITHOUT_PARTS, "a part that is packed, or is not said to be which", _DOWNLOAD)
        first, last, size = map(int, told.groups())
        self._check_size(size)
        if first != start or last != min(stop, size) - 1:
            raise StoreError(
                Failure.WITHOUT_PARTS, f"bytes {first} to {last} instead of {start} to {stop - 1}", _DOWNLOAD
            )
        data: bytes = await answer.content.readexactly(last - first + 1)
        return data

    def _check_size(self, size: int) -> None:
        if self._size is None:
            self._size = size
        elif self._size != size:
            raise StoreError(Failure.CHANGED, f"a file of {size} bytes, where it had {self._size}", "it was replaced")


def _number(text: str, pattern: str) -> int:
    found = re.fullmatch(pattern, text)
    return int(found[1]) if found else 0

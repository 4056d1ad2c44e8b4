"""A file at an address that a stranger names, brought here: over TLS, from public addresses, within limits, once.

What is asked is no address inside of a network that the machine happens to stand in, whatever a name resolves to and
wherever a redirect leads; what comes must be the file whose SHA-256 was declared.

Source: docs/board-entries.md, "Fetching".
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Never
from urllib.parse import SplitResult, urljoin, urlsplit

from vadbench.errors import UsageError, quoted
from vadbench.submission.problems import problem

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_URL = 4_000
_BLOCK = 2**18
_EXPECTED = "https://, a host with public addresses, and a path in printable ASCII"
_HEADERS = {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "vadbench"}
_LOCAL = "give the file with --predictions FILE"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = (443,)

_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        # Protocol assignments, some of which count as global; relays of 6to4.
        "192.0.0.0/24",
        "192.88.99.0/24",
        # The host below a virtual machine of Azure, an address like any other one.
        "168.63.129.16/32",
        # Behind these a gateway puts an IPv4 address, a private one as well.
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        # Segment routing, examples, and what was site-local.
        "5f00::/16",
        "3fff::/20",
        "fec0::/10",
    )
)
"""Networks that the standard library of some or all versions takes for public ones."""

_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""What stands before the IPv4 address in the last 64 bits of an address that hides one."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the open Internet, and of one machine there.

    >>> [is_public(ipaddress.ip_address(text)) for text in ("93.184.215.14", "169.254.169.254", "::ffff:10.0.0.1")]
    [True, False, False]
    """
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    if any(address.version == network.version and address in network for network in _NOT_PUBLIC):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        hidden = address.ipv4_mapped or address.sixtofour or (address.teredo or (None,))[0]
        return hidden is None and (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP
    return True


@dataclass(frozen=True)
class FetchLimits:
    """What a download may take.

    Parameters
    ----------
    most_bytes : int
        Largest file.
    seconds : float
        From the first question to the last byte, redirects included.
    idle_seconds : float
        Longest silence of a server.
    """

    most_bytes: int = 8 * 2**30
    seconds: float = 1_200.0
    idle_seconds: float = 30.0


@contextmanager
def fetched(
    url: str,
    sha256: str,
    *,
    where: tuple[str, ...],
    limits: FetchLimits | None = None,
    is_allowed: Callable[[Address], bool] = is_public,
    ports: Collection[int] = _PORTS,
    context: ssl.SSLContext | None = None,
) -> Iterator[Path]:
    """Give the path of a file that holds what is at a URL; it is gone when the block is left.

    Parameters
    ----------
    url : str
        As ``submission.toml`` declares it.
    sha256 : str
        Of the file, 64 hex digits of either case.
    where : tuple of str
        What messages name: file and key.
    limits : FetchLimits, optional
    is_allowed : callable
        Which addresses may be asked. *Every* address of a host must be one of them.
    ports : collection of int
        Which ports may be asked: what listens at another one is seldom meant for everybody.
    context : ssl.SSLContext, optional
        Whom to trust; the system's authorities by default.

    Raises
    ------
    SubmissionError
        S193 for an address that is not fetched, S125 … S127 if the server does not give the file, S192 if it is larger
        or slower than the limits, S191 if it is another file.
    UsageError
        U235 if the file cannot be written here.

    Notes
    -----
    Proxies of the environment are not used: it is the proxy that would resolve the names. Nothing is unpacked. Memory
    is one block of 256 KiB.
    """
    download = _Download(
        where, limits or FetchLimits(), is_allowed, frozenset(ports), context or ssl.create_default_context()
    )
    try:
        folder = tempfile.TemporaryDirectory(prefix="vadbench-fetched-")
    except OSError as error:
        raise _cannot_write(error) from error
    with folder:
        path = Path(folder.name) / "predictions.zip"
        got = download.into(path, url)
        if got != sha256.lower():
            raise problem(
                "S191",
                where=where,
                expected=f"SHA-256 {sha256.lower()}",
                got=got,
                hint="the file at the URL was replaced, or the digest is not that of the packed zip: pack, upload "
                "it, and declare both",
            )
        yield path


@dataclass(frozen=True)
class _Download:
    where: tuple[str, ...]
    limits: FetchLimits
    is_allowed: Callable[[Address], bool]
    ports: frozenset[int]
    context: ssl.SSLContext

    def into(self, path: Path, url: str) -> str:
        """Write the file; its SHA-256."""
        deadline = time.monotonic() + self.limits.seconds
        for _ in range(_MOST_REDIRECTS + 1):
            parts = self._checked(url)
            try:
                with self._connected(parts, deadline) as connection, self._answer(connection, parts) as answer:
                    if answer.status not in _REDIRECTS:
                        return self._content(answer, path, deadline)
                    url = self._redirected(url, answer.headers.get("Location", ""))
            except (http.client.HTTPException, OSError, ValueError) as error:
                # A connection that was cut at the deadline ends in one of these.
                self._check_time(deadline)
                raise problem(
                    "S127", where=self.where, got=_words(error), hint=f"try again later, or {_LOCAL}"
                ) from error
        raise problem("S127", where=self.where, got=f"more than {_MOST_REDIRECTS} redirects", hint=_LOCAL)

    def _checked(self, url: str) -> SplitResult:
        """Parts of a URL, the declared one or one that a redirect leads to."""
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > _LONGEST_URL:
            self._refuse("a URL with other signs, or a longer one")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            self._refuse("a URL that cannot be read")
        if parts.scheme != "https":
            self._refuse(quoted(f"{parts.scheme}://"), "give an https:// address that leads to https:// addresses only")
        if not parts.hostname or "@" in parts.netloc:
            self._refuse("no host, or a user before it")
        if (443 if port is None else port) not in self.ports:
            self._refuse(f"port {port}", "give an address without a port, which is that of https://")
        return parts

    def _redirected(self, url: str, place: str) -> str:
        try:
            return urljoin(url, place)
        except ValueError:
            self._refuse("a redirect to a URL that cannot be read")

    def _refuse(self, got: str, hint: str = _LOCAL) -> Never:
        raise problem("S193", where=self.where, expected=_EXPECTED, got=got, hint=hint)

    @contextmanager
    def _connected(self, parts: SplitResult, deadline: float) -> Iterator[http.client.HTTPSConnection]:
        host, port = parts.hostname or "", parts.port or 443
        plain = self._socket(host, port, deadline)
        # A byte now and then keeps every timeout of a socket from striking: this ends the connection all the same,
        # also while the two sides still agree on keys, or while headers come.
        handle = plain.dup()
        guard = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, [handle])
        guard.daemon = True
        guard.start()
        connection = http.client.HTTPSConnection(host, port)
        try:
            connection.sock = self.context.wrap_socket(plain, server_hostname=host)
            yield connection
        finally:
            guard.cancel()
            handle.close()
            connection.close()
            plain.close()

    def _socket(self, host: str, port: int, deadline: float) -> socket.socket:
        """A connection to the very address that was looked at: no second look-up can give another."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        for _, _, _, _, place in found:
            if not self.is_allowed(ipaddress.ip_address(place[0])):
                self._refuse(f"{quoted(host)}, which has an address that is not public")
        failure: OSError = OSError("no address")
        for family, kind, protocol, _, place in found:
            self._check_time(deadline)
            own = socket.socket(family, kind, protocol)
            own.settimeout(min(self.limits.idle_seconds, max(0.1, deadline - time.monotonic())))
            try:
                own.connect(place)
            except OSError as error:
                own.close()
                failure = error
            else:
                return own
        raise failure

    def _answer(self, connection: http.client.HTTPSConnection, parts: SplitResult) -> http.client.HTTPResponse:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers=_HEADERS)
        return connection.getresponse()

    def _content(self, answer: http.client.HTTPResponse, path: Path, deadline: float) -> str:
        if answer.status != 200:
            code = {401: "S125", 403: "S125", 404: "S126", 410: "S126"}.get(answer.status, "S127")
            hint = "see that anybody can download the file"
            raise problem(code, where=self.where, got=f"status {answer.status}", hint=hint)
        most, told = self.limits.most_bytes, answer.length
        if told is not None and told > most:
            self._too_large(f"{told} bytes")
        digest, size = hashlib.sha256(), 0
        with path.open("xb") as file:
            # read1 gives what has come; read would wait for a whole block, and the clock with it.
            while size != told and (data := answer.read1(_BLOCK)):
                self._check_time(deadline)
                size += len(data)
                if size > most:
                    self._too_large("more")
                digest.update(data)
                try:
                    file.write(data)
                except OSError as error:
                    raise _cannot_write(error) from error
        self._check_time(deadline)
        if told is not None and size < told:
            raise http.client.IncompleteRead(b"", told - size)
        return digest.hexdigest()

    def _too_large(self, got: str) -> Never:
        raise problem(
            "S192", where=self.where, expected=f"at most {self.limits.most_bytes} bytes", got=got, hint=_LOCAL
        )

    def _check_time(self, deadline: float) -> None:
        if time.monotonic() >= deadline:
            raise problem(
                "S192", where=self.where, expected=f"at most {self.limits.seconds:g} seconds", got="more", hint=_LOCAL
            )


def _cut(handle: socket.socket) -> None:
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


def _cannot_write(error: OSError) -> UsageError:
    return UsageError(
        "U235",
        "a download cannot be written",
        where=tempfile.gettempdir(),
        got=error.strerror or type(error).__name__,
        hint="make room there, or name another folder with TMPDIR",
    )


def _words(error: Exception) -> str:
    """What happened, without anything that the server said."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "a certificate that is not trusted"
    if isinstance(error, TimeoutError):
        return "silence"
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.strerror:
        return error.strerror
    return type(error).__name__

"""A web server with TLS on the loopback, which misbehaves as it is told, and a context that trusts it."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass
class SecureWeb:
    """Where it is, who trusts it, and how it answers: given a request's handler, it writes what it likes."""

    url: str
    context: ssl.SSLContext
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None
    requests: list[str] = field(default_factory=list)


def give(data: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer with that content."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        told = {"Content-Length": str(len(data))} | {key.replace("_", "-"): value for key, value in headers.items()}
        for key, value in told.items():
            handler.send_header(key, value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def redirect(place: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return give(b"", 302, Location=place)


@contextmanager
def secure_web() -> Iterator[SecureWeb]:
    """Run the server until the block is left."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder) / "both.pem"
        certificate.write_bytes(_certificate())
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_context.load_cert_chain(certificate)
        context = ssl.create_default_context(cafile=certificate)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.requests.append(self.path)
            with suppress(OSError):
                (web.answer or give(b"", 404))(self)

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def finish_request(self, request, client_address) -> None:
            # In the thread of the request: a client that breaks off must not hold the others.
            with suppress(OSError), server_context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    web = SecureWeb(f"https://localhost:{server.server_port}", context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _certificate() -> bytes:
    """Key and certificate of its own for this machine, as PEM."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate.public_bytes(serialization.Encoding.PEM)

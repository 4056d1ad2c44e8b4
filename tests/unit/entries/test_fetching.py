"""Downloads from strangers' addresses: what is asked, how much is taken, and what is left of it."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import tempfile
import time
from pathlib import Path

import pytest
from secure_web import give, redirect

from vadbench.entries.fetching import FetchLimits, fetched, is_public
from vadbench.errors import SubmissionError

DATA = b"PK\x03\x04" + bytes(range(256)) * 300
SHA256 = hashlib.sha256(DATA).hexdigest()
WHERE = ("submissions/a/b", "submission.toml", "files.url")


def fetch(web, url=None, sha256=SHA256, **settings):
    settings = {"is_allowed": lambda _: True, "context": web.context, "ports": range(2**16)} | settings
    with fetched(url or f"{web.url}/a.zip", sha256, where=WHERE, **settings) as path:
        return path, path.read_bytes()


def refused(web, *words, **settings):
    with pytest.raises(SubmissionError) as caught:
        fetch(web, *words, **settings)
    assert caught.value.where == WHERE
    return caught.value


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_brought_and_taken_away_again(web):
    web.answer = give(DATA)
    path, data = fetch(web, sha256=SHA256.upper())
    assert data == DATA
    assert not path.exists()


def test_a_redirect_to_https_is_followed(web):
    web.answer = lambda handler: (give(DATA) if handler.path == "/b.zip" else redirect("/b.zip"))(handler)
    assert fetch(web)[1] == DATA
    assert web.requests == ["/a.zip", "/b.zip"]


@pytest.mark.parametrize(
    "place",
    [
        "file:///etc/passwd",
        "http://localhost/a.zip",
        "ftp://localhost/a.zip",
        "https://user:word@localhost/a.zip",
        "https://:8080/a.zip",
        "https://localhost/a b",
        "https://localhost:99999/",
        "https://[::1/",
        "https://localhost/\\..",
    ],
)
def test_a_redirect_elsewhere_is_refused(web, place):
    web.answer = redirect(place)
    assert refused(web).code == "S193"
    assert web.requests == ["/a.zip"]


def test_redirects_end(web):
    web.answer = redirect("/a.zip")
    assert refused(web).code == "S127"
    assert len(web.requests) == 6


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "0x7f.1", "2130706433", "169.254.169.254", "10.0.0.1"]
)
def test_addresses_that_are_not_public_are_never_asked(web, host):
    error = refused(web, f"https://{host}:{web.url.rpartition(':')[2]}/a.zip", is_allowed=is_public)
    assert error.code == "S193"
    assert web.requests == []


def test_a_redirect_to_an_address_that_is_not_public_is_not_followed(web, monkeypatch):
    # The first host is taken for a public one, the second is what its redirect leads to.
    port = int(web.url.rpartition(":")[2])
    allowed = iter([True, False])
    web.answer = redirect(f"https://127.0.0.1:{port}/secret")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", port))])
    assert refused(web, is_allowed=lambda _: next(allowed)).code == "S193"
    assert web.requests == ["/a.zip"]


def test_a_host_with_one_private_address_among_public_ones_is_refused(web, monkeypatch):
    places = [(2, 1, 6, "", ("93.184.215.14", 443)), (2, 1, 6, "", ("192.168.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    assert refused(web, "https://example.org/a.zip", is_allowed=is_public).code == "S193"


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - looked at, not listened on
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "192.0.0.8",
        "192.88.99.1",
        "168.63.129.16",
        "fec0::1",
        "3fff::1",
        "5f00::1",
        "2606:2800:220:1:0:5efe:7f00:1",
        "2606:2800:220:1:200:5efe:a00:1",
    ],
)
def test_what_is_no_public_address(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("port", [0, 22, 80, 8443])
def test_only_the_port_of_https_is_asked(web, port):
    error = refused(web, f"https://localhost:{port}/a.zip", ports=[443])
    assert (error.code, error.got) == ("S193", f"port {port}")


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_what_is_a_public_address(address):
    assert is_public(ipaddress.ip_address(address))


def test_another_file_is_refused(web):
    web.answer = give(DATA + b"!")
    error = refused(web)
    assert error.code == "S191"
    assert SHA256 in error.expected


def test_a_size_that_is_told_and_too_large_is_refused_before_a_byte_is_read(web):
    web.answer = give(b"", Content_Length=str(10**15))
    error = refused(web)
    assert (error.code, error.got) == ("S192", f"{10**15} bytes")


def for_ever(pause, block):
    """A server that never ends, and does not say how much it will give."""

    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(block)
            time.sleep(pause)

    return answer


def test_a_stream_without_end_is_cut_at_the_limit_of_size(web):
    web.answer = for_ever(0.0, bytes(2**16))
    assert refused(web, limits=FetchLimits(most_bytes=2**20)).code == "S192"


def test_a_byte_now_and_then_is_cut_at_the_limit_of_time(web):
    web.answer = for_ever(0.02, b"x")
    began = time.monotonic()
    assert refused(web, limits=FetchLimits(seconds=0.4)).code == "S192"
    assert time.monotonic() - began < 5


def test_headers_without_end_are_cut_at_the_limit_of_time(web):
    def answer(handler):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.02)

    web.answer = answer
    began = time.monotonic()
    assert refused(web, limits=FetchLimits(seconds=0.4)).code == "S192"
    assert time.monotonic() - began < 5


def test_a_server_that_says_nothing_is_left(web):
    web.answer = lambda _: time.sleep(2)
    error = refused(web, limits=FetchLimits(idle_seconds=0.2))
    assert (error.code, error.got) == ("S127", "silence")


def test_a_file_that_ends_early_is_refused(web):
    web.answer = give(DATA, Content_Length=str(len(DATA) + 1))
    assert refused(web).code == "S127"


@pytest.mark.parametrize(
    ("status", "code"), [(404, "S126"), (410, "S126"), (401, "S125"), (403, "S125"), (500, "S127")]
)
def test_what_the_server_refuses(web, status, code):
    web.answer = give(b"\x1b[31m no", status)
    error = refused(web)
    assert (error.code, error.got) == (code, f"status {status}")


def test_words_of_the_server_are_not_repeated(web):
    web.answer = lambda handler: handler.wfile.write(b"HTTP/9 \x1b[31mhello\r\n\r\n")
    assert "hello" not in str(refused(web))


def test_a_certificate_of_nobody_is_not_trusted(web):
    error = refused(web, context=None)
    assert (error.code, error.got) == ("S127", "a certificate that is not trusted")


def test_nothing_listens_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    download = fetched(f"https://127.0.0.1:{port}/", SHA256, where=WHERE, is_allowed=lambda _: True, ports=[port])
    with pytest.raises(SubmissionError) as caught, download:
        pass
    assert caught.value.code == "S127"


def test_the_file_is_gone_when_the_check_of_it_fails(web, tmp_path):
    web.answer = give(DATA)
    download = fetched(
        f"{web.url}/", SHA256, where=WHERE, is_allowed=lambda _: True, ports=range(2**16), context=web.context
    )
    with pytest.raises(ZeroDivisionError), download as path:
        assert Path(path).is_relative_to(tmp_path) / 0

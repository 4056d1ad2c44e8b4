"""The site in a browser, to this machine alone."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from leaderboard.main import main
from leaderboard.serve import site_server
from vadbench import UsageError


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "site" / "assets").mkdir(parents=True)
    (tmp_path / "site" / "index.html").write_text("the board")
    (tmp_path / "secret").write_text("secret")
    server = site_server(tmp_path / "site", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    assert server.server_address[0] == "127.0.0.1"
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def status(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    result = answer.status, answer.read()
    connection.close()
    return result


def test_pages_are_served_and_nothing_else(port: int) -> None:
    assert status(port, "/") == (200, b"the board")
    assert status(port, "/assets/")[0] == 404
    assert status(port, "/../secret")[0] == 404
    assert status(port, "/%2e%2e/secret")[0] == 404
    assert status(port, "/", "evil.example")[0] == 403
    assert status(port, "/", "localhost")[0] == 200


def test_without_a_site_it_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--folder", str(tmp_path), "--no-browser"]) == 2
    error = capsys.readouterr().err
    assert "L130" in error
    assert "python -m leaderboard build" in error


@pytest.mark.parametrize("wanted", ["taken", "70000"])
def test_a_port_that_cannot_be_had(tmp_path: Path, wanted: str) -> None:
    (tmp_path / "index.html").write_text("")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UsageError, match="L131"):
            site_server(tmp_path, other.getsockname()[1] if wanted == "taken" else int(wanted))

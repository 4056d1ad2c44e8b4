"""``python -m leaderboard serve``: the site in a browser, to nobody but this machine.

Source: docs/leaderboard.md, "Looking at it".
"""

from __future__ import annotations

import errno
import webbrowser
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from leaderboard.main import PROGRAM
from leaderboard.parser import CommandParser, add_repository_option
from leaderboard.places import Places
from vadbench.errors import UsageError

HOST = "127.0.0.1"
PORT = 8000
_HOSTS = frozenset({"127.0.0.1", "localhost"})


def _parser() -> CommandParser:
    parser = CommandParser(
        "serve",
        "Show the site in a browser. Only this machine can reach it. Ctrl-C ends it.",
        f"{PROGRAM} serve --port 8765",
    )
    add_repository_option(parser)
    parser.add_argument("--folder", type=Path, metavar="DIR", help="the site's folder (default: leaderboard/public)")
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"default {PORT}; 0 takes any free one")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    return parser


class _Pages(SimpleHTTPRequestHandler):
    """Files of one folder, to requests that name this machine; no line for each of them."""

    def do_GET(self) -> None:
        """Answer, unless another site's name was made to lead here."""
        if self._is_own():
            super().do_GET()

    def do_HEAD(self) -> None:
        """Answer likewise."""
        if self._is_own():
            super().do_HEAD()

    def _is_own(self) -> bool:
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in _HOSTS:
            self.send_error(403)
            return False
        return True

    def list_directory(self, path: Any) -> None:
        """Show no list of files: pages are reached by their links."""
        self.send_error(404)

    def end_headers(self) -> None:
        """Let nothing be kept: the next build may change every page."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def run(arguments: Sequence[str]) -> int:
    """Run the command; it ends with Ctrl-C."""
    options = _parser().parse_args(arguments)
    folder = Places(options.repository).public if options.folder is None else options.folder
    with site_server(folder, options.port) as server:
        address = f"http://{HOST}:{server.server_address[1]}/"
        print(f"{address}  (Ctrl-C ends it)", flush=True)
        if not options.no_browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


def site_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Server of a site, not yet serving.

    Raises
    ------
    UsageError
        L130 if there is no site, L131 if the port cannot be had.
    """
    if not (folder / "index.html").is_file():
        raise UsageError(
            "L130", "there is no site", where=str(folder), got="no index.html", hint=f"make it: {PROGRAM} build"
        )
    try:
        server = ThreadingHTTPServer((HOST, port), partial(_Pages, directory=str(folder)))
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise UsageError(
            "L131",
            "the port is taken" if taken else "the port cannot be used",
            where=f"{HOST}:{port}",
            got=(error.strerror or "") if isinstance(error, OSError) else "not a number from 0 to 65535",
            hint="choose another one with --port N, or any free one with --port 0",
        ) from error
    server.daemon_threads = True
    return server

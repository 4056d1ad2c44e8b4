"""One browser and one site for all tests in a browser; they skip with a reason where there is no browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from chromium import Watch, browser, why_not
from made_methods import board_of_methods, made_rankings, made_row

from leaderboard.board import Board
from leaderboard.site import write_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="session")
def board() -> Board:
    made = board_of_methods(5)
    first, *others = made.rankings
    *rows, last = first.rows
    report = last.row.report
    scores = dict(report.scores) | {
        "rbdc": report.scores["rbdc"].model_copy(update={"value": None, "reason": "no boxes"})
    }
    without = replace(last, row=replace(last.row, report=report.model_copy(update={"scores": scores})))
    # A second data set, of several scenes, with one row on other clips; few clips, so that it is quick.
    scenes = [made_row(seed, "shanghaitech", n_clips=n) for seed, n in ((0, 24), (1, 24), (2, 20))]
    rankings = (replace(first, rows=(*rows, without)), *others, *made_rankings(scenes))
    return replace(made, rankings=rankings)


@pytest.fixture(scope="session")
def site(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser") / "public site"
    write_site(board, folder, workers=1)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with browser() as started:
        yield started


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[str]:
    """Address of a server of the site on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as started:
        thread = Thread(target=started.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{started.server_address[1]}"
        started.shutdown()
        thread.join()


@dataclass
class Reader:
    """Somebody at a browser: opens pages by their address in the site."""

    context: BrowserContext
    watch: Watch
    root: str

    def open(self, address: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(8_000)
        page.goto(f"{self.root}/{address}")
        return page


@pytest.fixture
def reader(chromium: Browser, site: Path, server: str) -> Iterator[Callable[..., Reader]]:
    """Makes readers; at the end no page may have complained or asked for anything outside the folder."""
    made: list[Reader] = []

    def make(*, served: bool = False, **options: Any) -> Reader:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        one = Reader(context, Watch(context, site, server), server if served else site.as_uri())
        made.append(one)
        return one

    yield make
    for one in made:
        one.context.close()
    assert [line for one in made for line in one.watch.complaints] == []
    assert [line for one in made for line in one.watch.foreign] == []

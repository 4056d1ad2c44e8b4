"""One board and its site for all tests of pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_methods import board_of_methods
from site_pages import PageContent, pages_in

from leaderboard.board import Board
from leaderboard.site import write_site


@pytest.fixture(scope="session")
def board() -> Board:
    return board_of_methods(3)


@pytest.fixture(scope="session")
def site(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "public"
    write_site(board, folder, workers=1)
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, PageContent]:
    return pages_in(site)

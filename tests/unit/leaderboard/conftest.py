"""A small board that tests change: three random methods on Ped2, built once, with what the build keeps."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_board import made_repository

from leaderboard.build import make_build
from leaderboard.placement import Placement


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a first build."""
    folder = made_repository(tmp_path_factory.mktemp("board") / "repository")
    with Placement() as placement:
        make_build(folder, date="2026-01-31", workers=1).place(placement)
        placement.place()
    return folder


@pytest.fixture
def repository(built: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(built, tmp_path / "repository"))

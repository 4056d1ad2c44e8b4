"""A tiny synthetic data set and a submission for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_submission import write_submission

from vadbench.datasets.synthesize import synthesize


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "synthetic"
    return synthesize(root, seed=3, test_clips=2, training_clips=1, frames=16, height=48, width=64)


@pytest.fixture
def submission(tmp_path: Path, data: Path) -> Path:
    return write_submission(tmp_path / "sketch", data)

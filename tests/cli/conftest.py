"""A tiny synthetic data set and a submission for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dense_calls import Call, H, T, W
from small_submission import write_submission

import vadbench
from vadbench.datasets.base import Dataset
from vadbench.datasets.synthesize import synthesize


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "synthetic"
    return synthesize(root, seed=3, test_clips=2, training_clips=1, frames=16, height=48, width=64)


@pytest.fixture
def submission(tmp_path: Path, data: Path) -> Path:
    return write_submission(tmp_path / "sketch", data)


@pytest.fixture(scope="session")
def dataset(data: Path) -> Dataset:
    return vadbench.open_dataset("synthetic", data)


@pytest.fixture(scope="session")
def scores(dataset: Dataset) -> dict[str, np.ndarray]:
    """Score maps of the test clips, uint16, that see part of what is anomalous."""
    rng = np.random.default_rng(0)
    return {
        clip.id: (dataset.truth(clip.id).masks() * 20_000 + rng.integers(0, 40_000, (T, H, W))).astype(np.uint16)
        for clip in dataset.clips
    }


@pytest.fixture
def call(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    return Call(tmp_path, data, capsys)

"""A tiny synthetic set."""

import pytest

from vadbench import open_dataset, synthesize


@pytest.fixture(scope="session")
def small_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("small") / "data"
    return synthesize(root, seed=5, test_clips=3, training_clips=2, frames=14, height=48, width=64)


@pytest.fixture
def small(small_root):
    return open_dataset("synthetic", small_root)

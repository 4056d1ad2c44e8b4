"""A tiny synthetic set, made once."""

import pytest

from vadbench import open_dataset
from vadbench.datasets.synthesize import synthesize


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny") / "data"
    return synthesize(root, seed=3, test_clips=2, training_clips=2, frames=12, height=48, width=64)


@pytest.fixture
def tiny(tiny_root):
    return open_dataset("synthetic", tiny_root)

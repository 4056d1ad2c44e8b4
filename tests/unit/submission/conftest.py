import pytest
from made_submissions import clip_of, maps, write, write_with_zarr


@pytest.fixture
def full(tmp_path):
    """A submission of two clips with every kind."""
    return write(tmp_path / "full", {"01": clip_of(seed=1), "02": clip_of(seed=2)})


@pytest.fixture
def plain(tmp_path):
    """A submission of one clip of score maps, without compression, as a stranger wrote it."""
    return write_with_zarr(tmp_path / "plain", {"01": maps()}, compressors=None)

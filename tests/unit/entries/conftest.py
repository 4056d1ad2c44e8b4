"""Path of what these tests share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_entries import COMMITTED, copied_entry
from secure_web import secure_web


@pytest.fixture
def entry(tmp_path):
    """A right entry: a committed one without its statistics, copied, so that it may be spoiled."""
    copied = copied_entry(COMMITTED, tmp_path)
    for place in copied.glob("*statistics.json"):
        place.unlink()
    return copied


@pytest.fixture
def entry_with_statistics(tmp_path):
    """A committed entry as it is, copied."""
    return copied_entry(COMMITTED, tmp_path)


@pytest.fixture(scope="session")
def web_of_all_tests():
    with secure_web() as web:
        yield web


@pytest.fixture
def web(web_of_all_tests):
    """A server on this machine with TLS, which answers as a test tells it."""
    web_of_all_tests.answer = None
    web_of_all_tests.requests.clear()
    return web_of_all_tests

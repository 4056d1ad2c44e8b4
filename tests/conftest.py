"""What holds for all tests: the cache of the truth is a folder of their own, never the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

_NUMBERS = count()


def pytest_configure(config: pytest.Config) -> None:
    """Give each of several processes a folder of its own for the machine code of kernels, before numba is imported.

    Two processes that compile kernels of one name for other types at the same moment can give their files the same
    number, and numba would load the wrong one.
    """
    worker, cache = os.environ.get("PYTEST_XDIST_WORKER"), getattr(config, "cache", None)
    if worker and cache is not None:
        os.environ.setdefault("NUMBA_CACHE_DIR", str(cache.mkdir(f"numba-{worker}")))


@pytest.fixture(scope="session", autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of the caches; subprocesses and fixtures of a wider scope than a test use it as it is."""
    folder = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VADBENCH_CACHE", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def own_cache(caches: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of this test's cache, not made yet: what one test reads must not be what another one wrote."""
    folder = caches / str(next(_NUMBERS))
    monkeypatch.setenv("VADBENCH_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def unwrapped_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """What says how wide a terminal is, as a runner of tests may, must not decide how long lines are."""
    monkeypatch.delenv("COLUMNS", raising=False)
